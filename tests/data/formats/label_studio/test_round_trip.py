"""What the writer of Label Studio wrote is read back."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from boxmask.data.formats import label_studio
from boxmask.data.formats.contract import ClassNames, Losses, ObjectToWrite, PhotoToWrite
from boxmask.data.formats.label_studio.brush import decode_brush, encode_brush
from boxmask.data.outlines import Polygons
from boxmask.geometry import rle

texts = st.text(min_size=1, max_size=4).filter(lambda text: text not in ("true", "false"))
values = st.one_of(st.just(True), st.integers(-5, 5), st.floats(-1, 1), texts)
attributes = st.one_of(st.just({}), st.dictionaries(st.sampled_from(["occluded", "color", "x y"]), values))
photo_attributes = st.dictionaries(
    st.sampled_from(["night", "caption"]), st.one_of(st.booleans(), st.text(), st.lists(st.integers()))
)


@settings(max_examples=60, suppress_health_check=list(HealthCheck), deadline=None)
@given(st.data())
def test_what_was_written_is_read(round_trip: Any, photos_to_write: Callable[..., Any], data: Any) -> None:
    photos, class_names = data.draw(photos_to_write(["mask"], attributes, photo_attributes))
    labels, losses, findings = round_trip(label_studio, photos, class_names, compare=False)
    assert not findings.kinds
    assert labels.class_names == tuple(class_names)
    by_file = {photo.file: index for index, photo in enumerate(labels.photos)}
    lost = {file for what, files in losses for file in files}
    for photo in photos:
        index = by_file[f"images/{photo.file}"]
        assert (labels.photos[index].split or "") == photo.split
        rows = np.flatnonzero(labels.photo_of == index).tolist()
        assert len(rows) == len(photo.objects)
        assert dict(labels.attributes.photos.get(index, {})) == dict(photo.attributes)
        for row, labeled in zip(rows, photo.objects, strict=True):
            assert labels.class_names[labels.labels[row]] == labeled.class_name
            assert (bool(labels.crowd[row]), bool(labels.difficult[row])) == (
                labeled.crowd,
                labeled.difficult,
            )
            if photo.file not in lost:
                assert dict(labels.attributes.objects.get(row, {})) == dict(labeled.attributes)
            if labeled.outline is None:
                assert np.allclose(labels.boxes[row], labeled.box, rtol=0, atol=1e-11)
            else:
                assert np.array_equal(labels.outline(row).counts, labeled.outline.counts)


@settings(max_examples=100, deadline=None)
@given(
    st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**32), st.sampled_from([0, 0.02, 0.5, 0.98, 1])
)
def test_brush_masks_are_kept(height: int, width: int, seed: int, share: float) -> None:
    mask = np.random.default_rng(seed).random((height, width)) < share
    decoded = decode_brush(bytes(encode_brush(mask)), (height, width))
    assert np.array_equal(rle.decode([decoded.counts.astype(np.int64)], (height, width)).dense()[0], mask)


def test_what_label_studio_imports(tmp_path: Path) -> None:
    square = np.array([[2.0, 2], [12, 2], [12, 12], [2, 12]])
    objects = (
        ObjectToWrite("a & <b>", (2, 2, 12, 12), Polygons((square,)), attributes={"occluded": True}),
        ObjectToWrite("c", (1.5, 1, 6, 9)),
        ObjectToWrite("c", (2, 2, 32, 12), Polygons((square, square + np.array([20, 0])))),
    )
    photo = PhotoToWrite(Path("a b.jpg"), "a b.jpg", (40, 60), "train", objects, image_id=12)
    losses = Losses()
    label_studio.WRITER.write([photo], ClassNames(["a & <b>", "c"]), tmp_path, losses)
    (task,) = json.loads((tmp_path / "tasks.json").read_text())
    assert (task["id"], task["data"]) == (
        12,
        {"image": "/data/local-files/?d=images/a%20b.jpg", "split": "train"},
    )
    results = task["annotations"][0]["result"]
    assert [entry["type"] for entry in results] == [
        "polygonlabels",
        "choices",
        "rectanglelabels",
        "brushlabels",
    ]
    assert results[0]["id"] == results[1]["id"] != results[2]["id"]
    assert results[2]["value"] == {
        "x": 2.5,
        "y": 2.5,
        "width": 7.5,
        "height": 20,
        "rotation": 0,
        "rectanglelabels": ["c"],
    }
    assert [what for what, _ in losses] == [
        "outlines with holes or several parts are written as brush masks, without their points"
    ]
    config = ElementTree.parse(tmp_path / "labeling-config.xml").getroot()
    assert [label.get("value") for label in config.find("PolygonLabels") or ()] == ["a & <b>", "c"]
    assert {control.get("name") for control in config} == {
        "image",
        "rectangle",
        "polygon",
        "ellipse",
        "brush",
        "occluded",
    }


def test_names_of_controls_are_no_questions(tmp_path: Path) -> None:
    attributes = {"image": "x", "polygon": "x", "area": 5, "bell\a": "x", "color": "red"}
    objects = (ObjectToWrite("c", (1, 1, 6, 9), attributes=attributes),)
    losses = Losses()
    photo = PhotoToWrite(Path("a.jpg"), "a.jpg", (40, 60), "", objects)
    label_studio.WRITER.write([photo], ClassNames("c"), tmp_path, losses)
    names = [control.get("name") for control in ElementTree.parse(tmp_path / "labeling-config.xml").getroot()]
    assert names == ["image", "rectangle", "polygon", "ellipse", "brush", "color"]
    lost = [f"the attribute {name} of objects is not written" for name in attributes if name != "color"]
    assert [what for what, _ in losses] == lost


def test_ids_of_tasks_are_not_repeated(tmp_path: Path) -> None:
    ids = (1, 0, None, 0, 3)
    photos = [
        PhotoToWrite(Path(f"{number}.jpg"), f"{number}.jpg", (40, 60), "", (), image_id=image_id)
        for number, image_id in enumerate(ids)
    ]
    label_studio.WRITER.write(photos, ClassNames("c"), tmp_path, Losses())
    tasks = json.loads((tmp_path / "tasks.json").read_text())
    assert [task["id"] for task in tasks] == [1, 0, 2, 3, 4]
