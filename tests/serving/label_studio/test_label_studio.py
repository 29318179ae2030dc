"""Label Studio's ML backend: connect a project, and pre-label its tasks."""

from __future__ import annotations

import base64
import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.serving.conftest import NAMES, Detector, Serve, error_of, photo, served

from boxmask.data.findings import Findings
from boxmask.data.formats.label_studio import read
from boxmask.data.formats.label_studio.brush import decode_brush
from boxmask.data.formats.source import find_source
from boxmask.masks import Masks
from boxmask.serving.label_studio import photos as photos_module
from boxmask.types import Detections

IMAGE = '<Image name="picture" value="$image"/>'
TASK = {"id": 7, "data": {"image": "/data/upload/1/8f3a1b2c-a.png"}}


def config(*tags: str, labels: tuple[str, ...] = NAMES) -> str:
    parts = []
    for tag in tags:
        kind = "Choice" if tag == "Choices" else "Label"
        inside = "".join(f'<{kind} value="{label}"/>' for label in labels)
        parts.append(f'<{tag} name="my-{tag}" toName="picture">{inside}</{tag}>')
    return f"<View>{IMAGE}{''.join(parts)}</View>"


BOXES = config("RectangleLabels")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a photo of 8 x 6 pixels."""
    (tmp_path / "photos" / "upload").mkdir(parents=True)
    (tmp_path / "photos" / "upload" / "8f3a1b2c-a.png").write_bytes(photo())
    (tmp_path / "secret.png").write_bytes(photo((3, 3)))
    return tmp_path / "photos"


def ask(client: Any, *tasks: dict[str, Any], label_config: str = BOXES, **fields: Any) -> Any:
    body = {"tasks": list(tasks), "label_config": label_config, "project": "1.5", "params": {}} | fields
    return client.post("/label-studio/predict", json=body)


def test_boxes(serve: Serve, folder: Path) -> None:
    reply = ask(serve(label_studio_photos=folder), TASK)
    assert reply.json() == {
        "model_version": "pets",
        "results": [
            {
                "score": pytest.approx(0.8),
                "model_version": "pets",
                "result": [
                    {
                        "id": "boxmask-1",
                        "from_name": "my-RectangleLabels",
                        "to_name": "picture",
                        "type": "rectanglelabels",
                        "original_width": 8,
                        "original_height": 6,
                        "image_rotation": 0,
                        "score": 0.8,
                        "value": {
                            "x": 0,
                            "y": 0,
                            "width": 100,
                            "height": 100,
                            "rotation": 0,
                            "rectanglelabels": ["dog"],
                        },
                    }
                ],
            }
        ],
    }


def test_what_it_answers_is_read_as_labels(serve: Serve, folder: Path) -> None:
    results = ask(serve(label_studio_photos=folder), TASK).json()["results"]
    export = [TASK | {"annotations": [{"id": 1, "result": results[0]["result"]}]}]
    (folder / "export.json").write_text(json.dumps(export))
    findings = Findings()
    labels = read(find_source(folder), ["export.json"], findings)
    assert labels.boxes.tolist() == [[0, 0, 8, 6]]
    assert [labels.class_names[label] for label in labels.labels] == ["dog"]


def test_brush_polygon_and_choices(serve: Serve, folder: Path) -> None:
    model = served(predictor=Detector(masks=True), has_masks=True)
    client = serve(model, label_studio_photos=folder)
    tags = ("RectangleLabels", "PolygonLabels", "BrushLabels")
    [brush] = ask(client, TASK, label_config=config(*tags)).json()["results"][0]["result"]
    assert (brush["type"], brush["value"]["brushlabels"]) == ("brushlabels", ["dog"])
    pixels = decode_brush(bytes(brush["value"]["rle"]), (6, 8))
    assert int(np.asarray(pixels.counts)[1::2].sum()) == 24
    [polygon] = ask(client, TASK, label_config=config(*tags[:2])).json()["results"][0]["result"]
    corners = [[12.5, 100 / 6], [12.5, 500 / 6], [87.5, 100 / 6], [87.5, 500 / 6]]
    np.testing.assert_allclose(sorted(polygon["value"]["points"]), corners)
    [box] = ask(client, TASK, label_config=config(*tags[:1])).json()["results"][0]["result"]
    assert box["type"] == "rectanglelabels"
    client = serve(served("classification"), label_studio_photos=folder)
    [choice] = ask(client, TASK, label_config=config("Choices")).json()["results"][0]["result"]
    assert (choice["type"], choice["value"]) == ("choices", {"choices": ["cat"]})
    client = serve(served("segmentation"), label_studio_photos=folder)
    regions = ask(client, TASK, label_config=config("BrushLabels")).json()["results"][0]["result"]
    assert [each["value"]["brushlabels"] for each in regions] == [["cat"], ["dog"]]


def test_objects_without_pixels_are_no_outlines(serve: Serve, folder: Path) -> None:
    class NoPixels(Detector):
        def predict(self, pixels: Any) -> Detections:
            found = super().predict(pixels)
            masks = Masks.unknown(len(found), found.size)
            return Detections(found.boxes, found.scores, found.labels, NAMES, found.size, masks)

    client = serve(served(predictor=NoPixels(), has_masks=True), label_studio_photos=folder)
    both = config("BrushLabels", "RectangleLabels")
    assert ask(client, TASK, label_config=both).json()["results"][0]["result"] == []


def test_labels_may_differ_in_case_or_be_missing(
    serve: Serve, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    client = serve(label_studio_photos=folder)
    interface = config("RectangleLabels", labels=("Dog", "Bird"))
    [box] = ask(client, TASK, label_config=interface).json()["results"][0]["result"]
    assert box["value"]["rectanglelabels"] == ["Dog"]
    with caplog.at_level(logging.WARNING, "boxmask.serve"):
        reply = client.post("/label-studio/setup", json={"project": "1", "schema": interface})
        client.post("/label-studio/setup", json={"project": "1", "schema": interface})
    assert reply.json() == {"model_version": "pets"}
    [message] = caplog.messages
    assert message.endswith("whose objects are left out: cat")


@pytest.mark.parametrize(
    ("interface", "says"),
    [
        (config("BrushLabels"), "has no <RectangleLabels>"),
        (config("RectangleLabels", labels=("bird",)), "none of the model's classes: cat, dog"),
        ("<View>", "broken XML"),
        ("", "broken XML"),
        ('<!DOCTYPE a [<!ENTITY b "c">]><View>&b;</View>', "broken XML"),
    ],
)
def test_an_interface_that_does_not_fit(
    serve: Serve, folder: Path, interface: str, says: str, caplog: pytest.LogCaptureFixture
) -> None:
    client = serve(label_studio_photos=folder)
    reply = client.post("/label-studio/setup", json={"schema": interface})
    assert reply.status_code in (400, 422)
    assert says in reply.json()["error"]["message"]
    assert says in caplog.messages[-1]  # Label Studio shows the status only
    assert ask(client, TASK, label_config=interface).status_code in (400, 422)


@pytest.mark.parametrize(
    "reference",
    [
        "../secret.png",
        "/etc/passwd",
        "/data/local-files/?d=../secret.png",
        "/data/local-files/?d=%2e%2e/secret.png",
        "file:///etc/passwd",
        "http://169.254.169.254/latest/meta-data",
        "secret.png",
        "link.png",
        "linked/secret.png",
        "\0",
        "a" * 5000,
        "data:image/png;base64,***",
        "data:image/svg+xml;base64," + base64.b64encode(b"<svg/>").decode(),
        "",
    ],
)
def test_no_other_file_is_read(serve: Serve, folder: Path, reference: str) -> None:
    (folder / "link.png").symlink_to(folder.parent / "secret.png")
    (folder / "linked").symlink_to(folder.parent)
    reply = ask(serve(label_studio_photos=folder), {"id": 5, "data": {"image": reference}})
    assert reply.status_code == 422, reply.text
    assert error_of(reply) in ("photo-missing", "photo-unreadable", "photo-ambiguous")


def test_references(serve: Serve, folder: Path) -> None:
    client = serve(label_studio_photos=folder)
    embedded = "data:image/png;base64," + base64.b64encode(photo()).decode()
    local, bucket = "/data/local-files/?d=upload/8f3a1b2c-a.png", "s3://bucket/upload/8f3a1b2c-a.png"
    for reference in (local, bucket, embedded):
        reply = ask(client, {"data": {"image": reference, "text": "x"}})
        assert reply.status_code == 200, reply.text
    assert ask(serve(), {"data": {"image": embedded}}).status_code == 200
    reply = ask(serve(), TASK)
    assert (reply.status_code, error_of(reply)) == (422, "photo-missing")
    assert "task 7: 8f3a1b2c-a.png" in reply.text
    assert "--label-studio-photos" in reply.text


def test_new_photos_are_found(serve: Serve, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    client = serve(label_studio_photos=folder)
    task = {"id": 8, "data": {"image": "/data/upload/1/new.png"}}
    assert ask(client, task).status_code == 422
    (folder / "upload" / "new.png").write_bytes(photo())
    monkeypatch.setattr(photos_module, "RESCAN_SECONDS", 0)
    assert ask(client, task).status_code == 200


def test_many_tasks(serve: Serve, folder: Path) -> None:
    client = serve(label_studio_photos=folder, max_photos=4)
    assert len(ask(client, *[TASK] * 30).json()["results"]) == 30
    assert 'boxmask_photo_seconds_count{model="pets"} 30.0' in client.get("/metrics").text
    assert ask(client).json()["results"] == []
    assert ask(client, *[TASK] * 1001).status_code == 422


def test_other_requests_of_label_studio(serve: Serve) -> None:
    client = serve()
    assert client.get("/label-studio/health").json()["status"] == "UP"
    assert client.get("/label-studio/").json()["status"] == "UP"
    assert client.get("/label-studio/versions").json() == {"versions": ["pets"]}
    assert client.post("/label-studio/webhook", json={"action": "START_TRAINING"}).status_code == 200
    headers = {"Content-Type": "text/plain"}
    reply = client.post("/label-studio/predict", content=b"{}", headers=headers)
    assert (reply.status_code, error_of(reply)) == (415, "wrong-content-type")
    assert client.post("/label-studio/predict", json={"tasks": []}).status_code == 422
