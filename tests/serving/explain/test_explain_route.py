"""POST /v1/explain: the stages of every model as layers, within bounds; refusals."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient
from tests.explaining.conftest import small
from tests.serving.conftest import Serve, error_of, photo, served, upload

from boxmask.explaining.explain import ExplainOptions, explain_photo
from boxmask.models.table import MODELS, name_of
from boxmask.serving.explain import encode, frame
from boxmask.serving.models import ServedModel
from boxmask.tasks.predictors import MODELS_OF_TASK
from boxmask.types import Detections

TWO_STAGES = ["rcnn", "fast-rcnn", "faster-rcnn", "mask-rcnn"]
DETECTORS = [*TWO_STAGES, "retinanet", "fcos", "ssd"]
KINDS = {"boxes": "boxes", "map": "cells", "labels": "png", "picture": "jpeg", "anchors": "middle"}

Explain = Callable[..., dict[str, Any]]


def torch_model(name: str, **options: object) -> ServedModel:
    """A small model of the table, as the server loads it."""
    model = small(name, **options)
    task = next(task for task, names in MODELS_OF_TASK.items() if name in names)
    return ServedModel("mine", name_of(model), task, "torch", tuple(model.class_names), model)


def painted() -> np.ndarray:
    """Three objects on noise, 120 x 150."""
    pixels = np.random.default_rng(0).integers(110, 150, (120, 150, 3), dtype=np.uint8)
    pixels[10:60, 12:52], pixels[30:66, 70:130], pixels[76:112, 84:120] = (
        (210, 40, 30),
        (40, 180, 50),
        (40, 60, 220),
    )
    return pixels


def png(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def ask(client: TestClient, **data: Any) -> Any:
    return client.post("/v1/explain", files=upload(png(painted())), data=data)


@pytest.fixture
def explain(serve: Serve) -> Explain:
    """The reply for the painted photo by a small model."""

    def call(name: str, **data: Any) -> dict[str, Any]:
        reply = ask(serve(torch_model(name), timeout=600), **data)
        assert reply.status_code == 200, reply.text
        document: dict[str, Any] = reply.json()
        return document

    return call


def stage(document: dict[str, Any], name: str) -> dict[str, Any]:
    [found] = [stage for stage in document["stages"] if stage["name"] == name]
    return dict(found)


def layer(document: dict[str, Any], stage_name: str, name: str) -> dict[str, Any]:
    [found] = [each for each in stage(document, stage_name)["layers"] if each["name"] == name]
    return dict(found)


@pytest.mark.parametrize("name", MODELS)
def test_every_stage_of_every_model_has_layers(name: str, explain: Explain) -> None:
    document = explain(name)
    expected = explain_photo(small(name), painted())
    assert (document["method"], document["width"], document["height"]) == (name, 150, 120)
    assert [stage["name"] for stage in document["stages"]] == [stage.name for stage in expected]
    for found in document["stages"]:
        assert found["title"]
        assert found["text"].endswith(".")
        assert found["layers"], found["name"]
        assert found["area"] == [0, 0, 150, 120]
        assert "picture" not in found
        for each in found["layers"]:
            check_layer(each)


def check_layer(layer: dict[str, Any]) -> None:
    """Columns have a value per box, maps a byte per cell, and pictures can be decoded."""
    columns = ("classes", "scores", "strides", "objects", "states")
    if layer["kind"] == "boxes":
        assert all(len(layer[key]) == len(layer["boxes"]) for key in columns if key in layer)
        boxes = np.array(layer["boxes"]).reshape(-1, 4)
        assert (boxes[:, 2:] >= boxes[:, :2]).all()
        assert layer["total"] >= len(boxes)
    elif layer["kind"] == "details":
        assert all({"bars", "cells", "jpeg"} & set(detail) for detail in layer["details"])
    elif layer["kind"] in ("labels", "picture"):
        content = base64.b64decode(layer["png" if layer["kind"] == "labels" else "jpeg"])
        assert Image.open(io.BytesIO(content)).convert("L").size[0] > 0
    elif layer["kind"] == "map":
        cells = layer["cells"]
        assert len(base64.b64decode(cells["bytes"])) == cells["width"] * cells["height"]
        assert cells["low"] <= cells["high"]
        assert all(0 < part <= 1 for part in layer["covered"])
    else:
        assert layer["kind"] == "anchors"
        assert len(layer["middle"]) > 0


@pytest.mark.parametrize("name", DETECTORS)
def test_objects_are_followed_to_the_result(name: str, explain: Explain) -> None:
    document = explain(name, min_score=0.02)
    result = small(name).predict(painted())
    assert isinstance(result, Detections)
    assert len(document["objects"]) == min(8, len(result))
    for number, followed in enumerate(document["objects"]):
        assert followed["class"] == result.names[number]
        assert np.allclose(followed["box"], result.boxes[number], atol=0.01)
    last = layer(document, "detections", "detections")
    assert last["classes"] == result.names
    assert last["objects"][:8] == list(range(min(8, len(result))))
    candidates = layer(document, "nms", "candidates")
    for number, followed in enumerate(document["objects"]):
        own = [row for row, each in enumerate(candidates["objects"]) if each == number]
        assert candidates["boxes"][own[0]] == followed["box"]
        assert [candidates["states"][row] for row in own] == ["kept"] + ["removed"] * (len(own) - 1)
    origin = "box-regression" if name in TWO_STAGES else "winners"
    for found in stage(document, origin)["layers"]:
        assert found["objects"] == list(range(len(document["objects"])))


@pytest.mark.parametrize("name", ["faster-rcnn", "mask-rcnn"])
def test_the_anchor_of_an_object_became_its_proposal(name: str, explain: Explain) -> None:
    document = explain(name, min_score=0.02)
    anchors = layer(document, "proposals", "anchors-of-objects")
    proposals = layer(document, "proposals", "proposals-of-objects")
    before = layer(document, "box-regression", "before")
    assert proposals["boxes"] == before["boxes"]
    shapes = {each["stride"]: each for each in stage(document, "anchors")["layers"]}
    for box, stride in zip(anchors["boxes"], anchors["strides"], strict=True):
        sides = np.array(box[2:]) - np.array(box[:2])
        middle = np.array(shapes[stride]["middle"])
        assert np.isclose(middle[:, 2:] - middle[:, :2], sides, atol=0.1).all(axis=1).any()
    assert all(0 <= score <= 1 for score in anchors["scores"])


def test_details_name_their_objects(explain: Explain) -> None:
    document = explain("faster-rcnn", min_score=0.02)
    before = layer(document, "box-regression", "before")["boxes"]
    for name, of in (("roi-pooling", "cells"), ("scores", "scores")):
        details = layer(document, name, of)["details"]
        assert {number for detail in details for number in detail["objects"]} <= set(range(8))
        assert details[0]["objects"][0] == 0
    assert layer(document, "scores", "scores")["details"][0]["box"] == before[0]


def test_the_masks_of_the_result_are_one_map(explain: Explain) -> None:
    document = explain("mask-rcnn")
    content = base64.b64decode(layer(document, "detections", "masks")["png"])
    labels = np.asarray(Image.open(io.BytesIO(content)))
    result = small("mask-rcnn").predict(painted())
    assert isinstance(result, Detections)
    assert result.masks is not None
    assert labels.shape == (120, 150)
    dense = result.masks.dense()
    first = np.where(dense.any(axis=0), dense.argmax(axis=0) + 1, 0)
    assert np.array_equal(labels, first)


@pytest.mark.parametrize("name", ["fcn", "unet", "deeplab-v3"])
def test_tiles_say_where_they_lie(name: str, serve: Serve) -> None:
    reply = ask(serve(torch_model(name, tile=64)))
    document = reply.json()
    areas = {stage["name"]: stage["area"] for stage in document["stages"]}
    assert areas["image"] == areas["features"] == [43, 28, 107, 92]
    assert areas["label-map"] == areas["entropy"] == [0, 0, 150, 120]


def test_the_label_map_is_that_of_predict(explain: Explain) -> None:
    document = explain("unet")
    found = layer(document, "label-map", "label-map")
    labels = np.asarray(Image.open(io.BytesIO(base64.b64decode(found["png"]))))
    result: Any = small("unet").predict(painted())
    assert np.array_equal(labels, result.labels)
    assert sum(found["shares"].values()) == pytest.approx(1, abs=1e-4)


def test_pictures_on_request(explain: Explain) -> None:
    document = explain("ssd", pictures=True)
    for found in document["stages"]:
        assert Image.open(io.BytesIO(base64.b64decode(found["picture"]))).size[0] >= 100


def test_min_score_decides_what_is_followed(explain: Explain) -> None:
    options = ExplainOptions(min_score=0.99)
    expected = len(explain_photo(small("fcos"), painted(), options)["winners"].data["names"])
    assert len(explain("fcos", min_score=0.99)["objects"]) == expected


def test_json_gives_the_same_as_a_form(serve: Serve) -> None:
    client = serve(torch_model("classifier"))
    encoded = base64.b64encode(png(painted())).decode()
    reply = client.post("/v1/explain", json={"photos": [{"base64": encoded, "name": "a.png"}]})
    assert reply.status_code == 200, reply.text
    assert reply.json() == ask(client).json()


def test_layers_have_bounds(monkeypatch: pytest.MonkeyPatch, explain: Explain) -> None:
    monkeypatch.setattr(frame, "MAX_BOXES", 7)
    monkeypatch.setattr(encode, "MAX_CELLS", 30)
    monkeypatch.setattr(encode, "MAX_SIDE", 50)
    document = explain("faster-rcnn", min_score=0.02)
    layers = [each for stage in document["stages"] for each in stage["layers"]]
    assert max(len(each["boxes"]) for each in layers if each["kind"] == "boxes") <= 7
    assert layer(document, "proposals", "proposals")["total"] == 40
    maps = [each["cells"] for each in layers if each["kind"] == "map"]
    assert max(cells["width"] * cells["height"] for cells in maps) <= 30
    labels = layer(explain("unet"), "label-map", "label-map")
    assert Image.open(io.BytesIO(base64.b64decode(labels["png"]))).size == (50, 40)


@pytest.mark.parametrize("size", [(1, 1), (200, 3)])
@pytest.mark.parametrize("name", MODELS)
def test_photos_of_any_size(name: str, size: tuple[int, int], serve: Serve) -> None:
    reply = serve(torch_model(name), timeout=600).post("/v1/explain", files=upload(photo(size)))
    assert reply.status_code == 200, reply.text


@pytest.mark.parametrize("name", DETECTORS)
def test_a_photo_without_detections(name: str, serve: Serve) -> None:
    document = ask(serve(torch_model(name, score_threshold=1.0))).json()
    assert document["objects"] == []
    assert document["stages"][-1]["layers"][0]["boxes"] == []


# ---------------------------------------------------------------- refusals


def test_an_exported_file_has_no_stages(serve: Serve) -> None:
    reply = ask(serve(served()))
    assert (reply.status_code, error_of(reply)) == (422, "no-stages")
    assert "pets is an exported file" in reply.json()["error"]["message"]


def test_one_photo_at_a_time(serve: Serve) -> None:
    client = serve(torch_model("classifier"))
    reply = client.post("/v1/explain", files=upload(photo()) * 2)
    assert (reply.status_code, error_of(reply)) == (413, "too-many-photos")
    assert "--max-photos" not in reply.json()["error"]["message"]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        ({"model": "other"}, "unknown-model"),
        ({"min_score": "2"}, "invalid"),
        ({"min_score": "0.3"}, "invalid"),
        ({"classes": "cat"}, "invalid"),
        ({"pictures": "perhaps"}, "invalid"),
    ],
)
def test_wrong_fields(serve: Serve, data: dict[str, str], code: str) -> None:
    reply = ask(serve(torch_model("classifier")), **data)
    assert reply.status_code in (404, 422)
    assert error_of(reply) == code


def test_no_photo_and_a_broken_one(serve: Serve) -> None:
    client = serve(torch_model("classifier"), max_megapixels=0.01)
    for files, code in (
        (upload(b"no photo"), "photo-unreadable"),
        (upload(photo((200, 100))), "photo-too-large"),
    ):
        assert error_of(client.post("/v1/explain", files=files)) == code
    assert error_of(client.post("/v1/explain", json={"photos": []})) == "invalid"


def test_it_is_described(serve: Serve) -> None:
    description = serve(torch_model("classifier")).get("/openapi.json").json()
    operation = description["paths"]["/v1/explain"]["post"]
    assert set(operation["requestBody"]["content"]) == {"multipart/form-data", "application/json"}
    layers = description["components"]["schemas"]["StageReply"]["properties"]["layers"]["items"]
    assert set(layers["discriminator"]["mapping"]) == {*KINDS, "details"}
    assert "class_name" not in json.dumps(description["components"]["schemas"]["FollowedObject"])
