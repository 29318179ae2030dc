"""POST /v1/predict: photos as a form and as JSON, and the results of each task."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pycocotools import mask as coco_mask
from tests.serving.conftest import Detector, Serve, error_of, photo, served, upload


def encoded(content: bytes, **fields: Any) -> dict[str, Any]:
    return {"base64": base64.b64encode(content).decode()} | fields


def test_a_form_and_json_give_the_same(serve: Serve) -> None:
    client = serve()
    by_form = client.post("/v1/predict", files=upload(photo()))
    by_json = client.post("/v1/predict", json={"photos": [encoded(photo(), name="a.png")]})
    assert by_form.status_code == by_json.status_code == 200
    assert by_form.json() == by_json.json()
    assert by_form.json() == {
        "model": "pets",
        "task": "detection",
        "results": [
            {
                "name": "a.png",
                "width": 8,
                "height": 6,
                "objects": [{"class": "dog", "score": 0.8, "box": [0, 0, 8, 6]}],
            }
        ],
    }


def test_several_photos_keep_their_order(serve: Serve) -> None:
    files = [("photos", (f"{width}.png", photo((width, 5)))) for width in (9, 3, 7)]
    results = serve().post("/v1/predict", files=files).json()["results"]
    assert [(each["name"], each["width"]) for each in results] == [("9.png", 9), ("3.png", 3), ("7.png", 7)]


def test_scores_and_classes(serve: Serve) -> None:
    client = serve()

    def found(**fields: Any) -> list[str]:
        reply = client.post("/v1/predict", files=upload(photo()), data=fields)
        assert reply.status_code == 200, reply.text
        return [each["class"] for each in reply.json()["results"][0]["objects"]]

    assert found() == ["dog"]
    assert found(min_score="0.3") == ["dog", "cat"]
    assert found(min_score="0.9") == []
    assert found(min_score="0", classes=["cat"]) == ["cat"]
    assert found(min_score="0", classes=["cat", "dog"]) == ["dog", "cat"]
    reply = client.post("/v1/predict", files=upload(photo()), data={"classes": "cow"})
    assert (reply.status_code, error_of(reply)) == (422, "unknown-class")
    assert "cat, dog" in reply.text


def test_models_by_name(serve: Serve) -> None:
    client = serve(served(name="a"), served("classification", "b"))
    assert client.post("/v1/predict", files=upload(photo())).json()["model"] == "a"
    reply = client.post("/v1/predict", files=upload(photo()), data={"model": "b"})
    assert reply.json()["results"][0]["scores"] == pytest.approx({"cat": 0.8, "dog": 0.2})
    assert reply.json()["results"][0]["class"] == "cat"
    reply = client.post("/v1/predict", files=upload(photo()), data={"model": "c"})
    assert (reply.status_code, error_of(reply)) == (404, "unknown-model")
    assert "a, b" in reply.text
    listed = client.get("/v1/models").json()["models"]
    assert [(each["name"], each["task"], each["class_names"]) for each in listed] == [
        ("a", "detection", ["cat", "dog"]),
        ("b", "classification", ["cat", "dog"]),
    ]


def test_masks_are_those_of_coco(serve: Serve) -> None:
    client = serve(served(predictor=Detector(masks=True), has_masks=True))
    reply = client.post("/v1/predict", files=upload(photo()), data={"min_score": "0"})
    dog, cat = reply.json()["results"][0]["objects"]
    dense = coco_mask.decode(dog["mask"]).astype(bool)
    assert dense.shape == (6, 8)
    assert dense[1:-1, 1:-1].all()
    assert dense.sum() == 24
    assert coco_mask.decode(cat["mask"]).sum() == 24


def test_a_label_map(serve: Serve) -> None:
    client = serve(served("segmentation"))
    result = client.post("/v1/predict", files=upload(photo())).json()["results"][0]
    assert result["shares"] == {"cat": 0.5, "dog": 0.5}
    labels = np.asarray(Image.open(io.BytesIO(base64.b64decode(result["label_map"]))))
    assert labels.shape == (6, 8)
    assert (labels[:, 4:] == 1).all()
    assert not labels[:, :4].any()


@pytest.mark.parametrize("field", [{"min_score": "0.3"}, {"classes": "cat"}])
def test_fields_of_detectors_alone(serve: Serve, field: dict[str, str]) -> None:
    reply = serve(served("classification")).post("/v1/predict", files=upload(photo()), data=field)
    assert (reply.status_code, error_of(reply)) == (422, "invalid")


def test_json_without_fields_of_detectors(serve: Serve) -> None:
    reply = serve(served("segmentation")).post("/v1/predict", json={"photos": [encoded(photo())]})
    assert reply.status_code == 200, reply.text


@pytest.mark.parametrize("form", ["JPEG", "PNG", "BMP", "TIFF", "WEBP", "GIF", "PPM"])
def test_formats(serve: Serve, form: str) -> None:
    reply = serve().post("/v1/predict", files=upload(photo(form=form)))
    assert reply.json()["results"][0]["width"] == 8


def test_a_photo_is_turned_upright(serve: Serve) -> None:
    file, exif = io.BytesIO(), Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (8, 6)).save(file, "JPEG", exif=exif)
    result = serve().post("/v1/predict", files=upload(file.getvalue())).json()["results"][0]
    assert (result["width"], result["height"]) == (6, 8)


def test_a_data_url_is_base64(serve: Serve) -> None:
    given = encoded(photo())
    given["base64"] = "data:image/png;base64," + given["base64"]
    assert serve().post("/v1/predict", json={"photos": [given]}).status_code == 200


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\photos\\a.jpg", "a.jpg"),
        ("/etc/shadow", "shadow"),
        ("a\x1b[31m\nb.png", "a_[31m_b.png"),
        ("x" * 3000, "x" * 255),
        ("사진.jpg", "사진.jpg"),
    ],
)
def test_names_are_no_paths(serve: Serve, name: str, shown: str) -> None:
    reply = serve().post("/v1/predict", json={"photos": [encoded(photo(), name=name)]})
    assert reply.json()["results"][0]["name"] == shown
