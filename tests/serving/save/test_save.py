"""POST /v1/save: results as files, the same that `boxmask predict --save` writes."""

from __future__ import annotations

import base64
import csv
import io
import json
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image
from tests.serving.conftest import Detector, Serve, error_of, photo, served, upload

from boxmask.geometry.rle import compress
from boxmask.types import SegmentationMap


@pytest.fixture
def client(serve: Serve) -> TestClient:
    return serve(
        served(name="boxes"),
        served(name="masks", predictor=Detector(masks=True), has_masks=True),
        served("segmentation", name="map"),
        served("classification", name="kind"),
    )


def found(client: TestClient, model: str, name: str = "a.png") -> dict[str, Any]:
    """The result of the server for a photo of 8 × 6 pixels, as the page sends it back."""
    data = {"model": model} | ({"min_score": "0"} if model in ("boxes", "masks") else {})
    reply = client.post("/v1/predict", data=data, files=upload(photo(), name)).json()
    result: dict[str, Any] = reply["results"][0]
    for field in ("shares", "class", "score"):
        result.pop(field, None)
    return {name: value for name, value in result.items() if value is not None}


def save(client: TestClient, model: str, form: str, *results: dict[str, Any]) -> Any:
    return client.post("/v1/save", json={"model": model, "format": form, "results": list(results)})


def with_photo(result: dict[str, Any], content: bytes | None = None) -> dict[str, Any]:
    encoded = base64.b64encode(content or photo()).decode()
    return result | {"photo": {"base64": encoded}}


def test_coco_holds_what_is_sent(client: TestClient) -> None:
    result = found(client, "masks", "사진.png")
    reply = save(client, "masks", "coco", result | {"objects": result["objects"][:1]})
    assert reply.headers["content-disposition"] == "attachment; filename*=UTF-8''detections.json"
    document = reply.json()
    assert [image["file_name"] for image in document["images"]] == ["사진.png"]
    assert [each["name"] for each in document["categories"]] == ["cat", "dog"]
    [annotation] = document["annotations"]
    assert annotation["bbox"] == [0, 0, 8, 6]
    assert annotation["score"] == pytest.approx(0.8)
    assert annotation["segmentation"]["size"] == [6, 8]
    assert annotation["area"] == 6 * 4


def test_labelme_names_the_photo_beside_its_file(client: TestClient) -> None:
    reply = save(client, "boxes", "labelme", found(client, "boxes"))
    assert reply.json()["imagePath"] == "a.png"
    assert [shape["label"] for shape in reply.json()["shapes"]] == ["dog", "cat"]
    assert "a.json" in reply.headers["content-disposition"]


def test_a_table(client: TestClient) -> None:
    rows = list(csv.DictReader(io.StringIO(save(client, "boxes", "csv", found(client, "boxes")).text)))
    assert [(row["filename"], row["class"], row["xmax"]) for row in rows] == [
        ("a.png", "dog", "8"),
        ("a.png", "cat", "4"),
    ]


def test_yolo_comes_with_the_names_of_classes(client: TestClient) -> None:
    reply = save(client, "boxes", "yolo", found(client, "boxes"), found(client, "boxes", "classes.jpg"))
    assert reply.headers["content-type"] == "application/zip"
    archive = zipfile.ZipFile(io.BytesIO(reply.content))
    assert archive.namelist() == ["a.txt", "classes-2.txt", "classes.txt"]
    assert archive.read("classes.txt") == b"cat\ndog\n"
    assert archive.read("a.txt").decode().splitlines()[0].startswith("1 0.5 0.5 1 1")


def test_pictures(client: TestClient) -> None:
    for model in ("masks", "boxes", "map"):
        reply = save(client, model, "png", with_photo(found(client, model)))
        assert reply.headers["content-type"] == "image/png"
        picture = np.array(Image.open(io.BytesIO(reply.content)))
        assert picture.shape[0] >= 6
        assert len(np.unique(picture[:6, :8].reshape(-1, 3), axis=0)) > 1


def test_label_maps_without_hidden_classes(client: TestClient) -> None:
    result = found(client, "map")
    both = Image.open(io.BytesIO(save(client, "map", "label-maps", result).content))
    assert set(np.unique(np.array(both))) == {0, 1}
    one = Image.open(io.BytesIO(save(client, "map", "label-maps", result | {"classes": ["dog"]}).content))
    assert set(np.unique(np.array(one))) == {1, 255}


def test_classes_of_photos(client: TestClient) -> None:
    reply = save(client, "kind", "csv", found(client, "kind"), found(client, "kind", "b.png"))
    rows = list(csv.DictReader(io.StringIO(reply.text)))
    assert [(row["photo"], row["class"], row["cat"]) for row in rows] == [
        ("a.png", "cat", "0.8000"),
        ("b.png", "cat", "0.8000"),
    ]


def test_photos_with_equal_names(client: TestClient) -> None:
    results = [found(client, "boxes", name) for name in ("a.png", "a.jpg", "../../etc/a.png")]
    archive = zipfile.ZipFile(io.BytesIO(save(client, "boxes", "voc", *results).content))
    assert archive.namelist() == ["a-2.xml", "a-3.xml", "a.xml"]
    assert "<folder>photos</folder>" in archive.read("a.xml").decode()


def test_scores_are_sorted(client: TestClient) -> None:
    result = found(client, "boxes")
    result["objects"].reverse()
    scores = [each["score"] for each in save(client, "boxes", "coco", result).json()["annotations"]]
    assert scores == sorted(scores, reverse=True)


OBJECT = {"class": "cat", "score": 0.5, "box": [0, 0, 4, 4]}
RESULT = {"name": "a.png", "width": 8, "height": 6, "objects": [OBJECT]}
MASK = {"size": [6, 8], "counts": "0`1"}


@pytest.mark.parametrize(
    ("model", "form", "change", "status", "says"),
    [
        ("no", "coco", {}, 404, "unknown-model"),
        ("boxes", "exe", {}, 422, "format"),
        ("boxes", "jpg", {}, 422, "need the field photo"),
        ("boxes", "label-maps", {}, 422, "needs masks"),
        ("map", "coco", {}, 422, "label_map: this field is missing; map is a model for segmentation"),
        ("kind", "csv", {"scores": {"cat": 1.0}}, 422, "one for each class"),
        ("kind", "csv", {"scores": {"cat": 1.0, "dog": 1.0}}, 422, "1 in all"),
        ("kind", "coco", {"scores": {"cat": 1.0, "dog": 0.0}}, 422, "are saved as csv"),
        ("map", "label-maps", {"label_map": "AAAA"}, 422, "PNG in Base64"),
        ("map", "label-maps", {"label_map": "***"}, 422, "PNG in Base64"),
        ("boxes", "coco", {"width": 100_000, "height": 100_000}, 413, "pixels"),
        ("boxes", "coco", {"width": 0}, 422, "width"),
        ("boxes", "coco", {"objects": [OBJECT | {"class": "bird"}]}, 422, "the classes are: cat, dog"),
        ("boxes", "coco", {"objects": [OBJECT | {"box": [5, 0, 1, 4]}]}, 422, "x1 ≤ x2"),
        ("boxes", "coco", {"objects": [OBJECT | {"box": [0, 0, 1]}]}, 422, "box"),
        ("boxes", "coco", {"objects": [OBJECT | {"score": 2}]}, 422, "score"),
        ("boxes", "coco", {"objects": [OBJECT | {"mask": MASK | {"size": [8, 6]}}]}, 422, "mask.size"),
        ("boxes", "coco", {"objects": [OBJECT | {"mask": MASK | {"counts": "!"}}]}, 422, "mask.counts"),
        ("boxes", "coco", {"objects": [OBJECT | {"mask": MASK | {"counts": "00"}}]}, 422, "mask.counts"),
        ("boxes", "coco", {"more": 1}, 422, "there is no such field"),
    ],
)
def test_results_that_no_model_has_given(
    client: TestClient, model: str, form: str, change: dict[str, Any], status: int, says: str
) -> None:
    reply = save(client, model, form, RESULT | change)
    assert reply.status_code == status
    error_of(reply)
    assert says in reply.text
    assert "/tmp" not in reply.text


def test_numbers_that_json_does_not_have(client: TestClient) -> None:
    text = json.dumps({"model": "boxes", "format": "coco", "results": [RESULT]}).replace(
        "[0, 0, 4, 4]", "[NaN,0,1,1]"
    )
    reply = client.post("/v1/save", content=text, headers={"Content-Type": "application/json"})
    assert reply.status_code in (400, 422)


def test_the_photo_of_another_result(client: TestClient) -> None:
    reply = save(client, "boxes", "jpg", with_photo(RESULT, photo((9, 9))))
    assert reply.status_code == 422
    assert "expected 8 × 6 pixels" in reply.text


def test_masks_that_would_fill_the_memory(serve: Serve) -> None:
    client = serve(served(name="boxes"), max_megapixels=48e-6)
    many = [OBJECT | {"mask": MASK}] * 8
    assert save(client, "boxes", "coco", RESULT | {"objects": many}).status_code == 200
    reply = save(client, "boxes", "coco", RESULT | {"objects": [*many, many[0]]})
    assert reply.status_code == 413
    assert "too much memory" in reply.text
    corners = compress(np.array([0, 1, 46, 1]))  # two pixels, in the first and the last column
    wide = [OBJECT | {"mask": MASK | {"counts": corners}}] * 9
    assert save(client, "boxes", "coco", RESULT | {"objects": wide}).status_code == 413


def test_a_label_map_that_would_fill_the_memory(client: TestClient) -> None:
    bomb = io.BytesIO()
    Image.new("L", (1, 1)).save(bomb, "PNG")
    content = bytearray(bomb.getvalue())
    content[16:24] = (40_000).to_bytes(4, "big") * 2
    content[29:33] = zlib.crc32(content[12:29]).to_bytes(4, "big")
    result = RESULT | {"label_map": base64.b64encode(content).decode()}
    reply = save(client, "map", "label-maps", result)
    assert reply.status_code == 422
    assert "label_map" in reply.text


def test_too_many_photos(client: TestClient) -> None:
    reply = save(client, "boxes", "coco", *[RESULT] * 17)
    assert reply.status_code == 413


def test_forms_are_refused(client: TestClient) -> None:
    reply = client.post("/v1/save", data={"model": "boxes"})
    assert reply.status_code == 415


def test_label_maps_are_as_the_model_gave_them(client: TestClient) -> None:
    result = found(client, "map")
    sent = np.array(Image.open(io.BytesIO(base64.b64decode(result["label_map"]))))
    saved = np.array(Image.open(io.BytesIO(save(client, "map", "label-maps", result).content)))
    assert np.array_equal(sent, saved)
    assert SegmentationMap(saved, ("cat", "dog")).shares() == {"cat": 0.5, "dog": 0.5}


@pytest.mark.parametrize("stem", ["사진" * 100, "a" * 300, "é" * 150])
@pytest.mark.parametrize("form", ["jpg", "yolo", "labelme"])
def test_long_names_are_cut(client: TestClient, stem: str, form: str) -> None:
    result = with_photo(found(client, "boxes") | {"name": f"{stem}.png"})
    reply = save(client, "boxes", form, result, result)
    with zipfile.ZipFile(io.BytesIO(reply.content)) as packed:
        names = [Path(name).stem for name in packed.namelist() if name != "classes.txt"]
    assert len(names) == 2
    for name in names:
        assert stem.startswith(name.removesuffix("-2"))
        assert 100 <= len(name.encode()) <= 202
