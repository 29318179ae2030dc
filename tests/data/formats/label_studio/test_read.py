"""Reading exports of Label Studio."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pytest
from PIL import Image

from boxmask.data.detection.read import read_detection
from boxmask.data.findings import Findings
from boxmask.data.formats import label_studio
from boxmask.data.formats.label_studio.references import paths_of
from boxmask.data.formats.labels import Labels
from boxmask.data.formats.source import find_source
from boxmask.data.outlines import Ellipse, RotatedBox, fill

Read: TypeAlias = Callable[..., tuple[Labels, Findings]]

RECTANGLE = {"x": 10, "y": 25, "width": 50, "height": 50, "rotation": 0, "rectanglelabels": ["cat"]}
# pixels 1 and 5 of a photo of 3 × 2 pixels, as Label Studio's own package encodes them (2.1.2)
BRUSH = [0, 0, 0, 24, 57, 27, 252, 96, 0, 12, 1, 33, 15, 253, 176, 0, 0, 64, 2, 0, 12, 15, 240]
_numbers = count()


def result(value: dict[str, Any], kind: str = "rectanglelabels", **more: Any) -> dict[str, Any]:
    fields = {"type": kind, "value": value, "from_name": "label", "to_name": "image"}
    return (
        {"id": f"r{next(_numbers)}", "original_width": 60, "original_height": 40, "image_rotation": 0}
        | fields
        | more
    )


def task(image: str, *results: dict[str, Any], **more: Any) -> dict[str, Any]:
    annotation = {"id": 7, "was_cancelled": False, "ground_truth": False, "result": list(results)}
    return {"id": 1, "data": {"image": image}, "annotations": [annotation]} | more


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Read tasks, whose photos are in images/ unless others are given."""

    def call(tasks: Sequence[Any], photos: Sequence[str] = ("images/a.jpg",)) -> tuple[Labels, Findings]:
        for photo in photos:
            (tmp_path / photo).parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (60, 40)).save(tmp_path / photo)
        (tmp_path / "export.json").write_text(json.dumps(tasks, indent=1))
        source, findings = find_source(tmp_path), Findings()
        assert label_studio.recognize(source) == ["export.json"]
        return label_studio.read(source, ["export.json"], findings), findings

    return call


def only(findings: Findings) -> tuple[str, str, int | None]:
    """The id, the detail and the line of the only finding."""
    (finding,) = findings
    return finding.kind.id, finding.detail, finding.location.line


# ---------------------------------------------------------------- shapes


def test_a_rectangle(read: Read) -> None:
    labels, findings = read([task("/data/upload/1/8f3a1b2c-a.jpg", result(RECTANGLE))])
    assert not len(findings)
    assert labels.boxes.tolist() == [[6, 10, 36, 30]]
    assert labels.class_names == ("cat",)
    assert labels.photos[0].file == "images/a.jpg"
    assert labels.photos[0].declared_size == (40, 60)
    assert labels.photos[0].image_id == 1
    assert str(labels.location(0)).endswith("export.json:13: [0].annotations[0].result[0]")


def test_a_rectangle_is_rotated_around_its_upper_left_corner(read: Read) -> None:
    labels, _ = read([task("a.jpg", result(RECTANGLE | {"rotation": 90}))])
    assert labels.outline is not None
    outline = labels.outline(0)
    assert isinstance(outline, RotatedBox)
    # 30 wide and 20 high: rotated by 90° clockwise, it reaches 20 to the left of its corner and 30 down
    assert outline.bounds() == pytest.approx([6 - 20, 10, 6, 40])


def test_an_ellipse_a_polygon_and_a_brush(read: Read) -> None:
    ellipse = {"x": 50, "y": 50, "radiusX": 10, "radiusY": 20, "rotation": 30, "ellipselabels": ["cat"]}
    polygon = {"points": [[10, 10], [50, 10], [10, 50]], "closed": True, "polygonlabels": ["dog"]}
    labels, findings = read(
        [task("a.jpg", result(ellipse, "ellipselabels"), result(polygon, "polygonlabels"))]
    )
    assert not len(findings)
    assert labels.outline is not None
    assert labels.outline(0) == Ellipse((30, 20), (6, 8), 30)
    assert labels.outline(1).parts[0].tolist() == [[6, 4], [30, 4], [6, 20]]
    assert np.isnan(labels.boxes).all()


def test_a_brush(read: Read) -> None:
    brush = {"format": "rle", "rle": BRUSH, "brushlabels": ["cat"]}
    labels, findings = read(
        [task("a.jpg", result(brush, "brushlabels", original_width=3, original_height=2))]
    )
    assert not len(findings)
    assert labels.outline is not None
    mask = labels.outline(0)
    pixels = np.repeat([0, 1] * 9, np.append(mask.counts, [0] * (18 - len(mask.counts))))
    assert pixels.reshape(3, 2).T.tolist() == [[0, 1, 0], [0, 0, 1]]


@pytest.mark.parametrize("rle", [[], [0, 0, 0], BRUSH[:9], [255] * 9, [0, 0, 0, 25, *BRUSH[4:]]])
def test_a_broken_brush_is_an_outline_that_cannot_be_read(read: Read, rle: list[int]) -> None:
    brush = {"format": "rle", "rle": rle, "brushlabels": ["cat"]}
    labels, _ = read([task("a.jpg", result(brush, "brushlabels", original_width=3, original_height=2))])
    assert labels.outline is not None
    with pytest.raises(ValueError, match=r"brush|bytes"):
        labels.outline(0)


def test_a_brush_of_a_huge_photo_is_refused_before_it_takes_memory(read: Read) -> None:
    brush = {"format": "rle", "rle": BRUSH, "brushlabels": ["cat"]}
    huge = result(brush, "brushlabels", original_width=2**20, original_height=2**20)
    labels, _ = read([task("a.jpg", huge)])
    assert labels.outline is not None
    with pytest.raises(ValueError, match="too large"):
        labels.outline(0)


@pytest.mark.parametrize(
    ("value", "kind", "reason"),
    [
        ({"x": 1, "y": 1, "width": 0.5, "keypointlabels": ["nose"]}, "keypointlabels", "keypoint"),
        ({"vertices": [], "vectorlabels": ["road"]}, "vectorlabels", "vector path"),
        ({"sequence": [], "labels": ["car"]}, "videorectangle", "video"),
        ({"imageDataURL": "data:", "bitmasklabels": ["a"]}, "bitmasklabels", "bitmask"),
    ],
)
def test_other_shapes_are_refused_by_name(read: Read, value: Any, kind: str, reason: str) -> None:
    labels, findings = read([task("a.jpg", result(RECTANGLE), result(value, kind))])
    kind_of_finding, detail, _ = only(findings)
    assert kind_of_finding == "shape-unsupported"
    assert reason in detail
    assert len(labels.labels) == 1


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        (result(RECTANGLE | {"rectanglelabels": []}), "expected one label per region, found none"),
        (result(RECTANGLE | {"rectanglelabels": ["a", "b"]}), "expected one label per region, found a, b"),
        (result(RECTANGLE | {"x": "1"}), 'expected a number as "x", found 1'),
        (result(RECTANGLE, original_width=0), "expected the size of its photo"),
        (result(RECTANGLE, image_rotation=90), "the photo was rotated in Label Studio"),
        (result({"points": [[1, 2], [3]], "polygonlabels": ["a"]}, "polygonlabels"), "expected points as"),
        ({"id": "a", "type": "rectanglelabels"}, 'expected an object with a "value"'),
        ("text", 'expected an object with a "value"'),
    ],
)
def test_a_region_that_cannot_be_read(read: Read, entry: Any, reason: str) -> None:
    labels, findings = read([task("a.jpg", result(RECTANGLE), entry)])
    kind, detail, line = only(findings)
    assert kind == "entry-unreadable"
    assert reason in detail
    assert line is not None
    assert len(labels.labels) == 1


# ---------------------------------------------------------------- regions of several entries


def test_labels_and_answers_of_one_region_are_joined(read: Read) -> None:
    shape = {name: value for name, value in RECTANGLE.items() if name != "rectanglelabels"}
    entries = [
        result(shape, "rectangle", id="r"),
        result(shape | {"labels": ["cat"]}, "labels", id="r"),
        result(shape | {"choices": ["big"]}, "choices", id="r", from_name="size"),
        result({"text": ["a", "b"]}, "textarea", id="r", from_name="lines"),
        result({"choices": ["true"]}, "choices", id="r", from_name="difficult"),
        result({"choices": ["night"]}, "choices", id="q", from_name="light"),
        {"type": "relation", "from_id": "r", "to_id": "r"},
    ]
    entries[0]["meta"] = {"text": ["a note"]}
    labels, findings = read([task("a.jpg", *entries)])
    assert not len(findings)
    assert labels.class_names == ("cat",)
    assert labels.difficult.tolist() == [True]
    assert labels.attributes.objects == {0: {"description": "a note", "size": "big", "lines": ["a", "b"]}}
    assert labels.attributes.photos == {0: {"light": "night"}}


# ---------------------------------------------------------------- tasks


def test_the_ground_truth_counts_else_the_latest_annotation(read: Read) -> None:
    def annotation(label: str, time: str, **more: Any) -> dict[str, Any]:
        entry = result(RECTANGLE | {"rectanglelabels": [label]})
        return {"result": [entry], "updated_at": f"2024-01-{time}T00:00:00Z"} | more

    several = [
        annotation("late", "09"),
        annotation("early", "01"),
        annotation("later", "10", was_cancelled=True),
    ]
    photos = ["images/a.jpg", "images/b.jpg"]
    tasks = [
        task("a.jpg", annotations=several, predictions=[{"result": []}]),
        task("b.jpg", annotations=[annotation("late", "09"), annotation("truth", "02", ground_truth=True)]),
    ]
    labels, findings = read(tasks, photos)
    assert labels.class_names == ("late", "truth")
    assert [(f.kind.id, f.detail) for f in findings] == [
        ("annotations-left-out", "left out: 1 annotation and 1 prediction"),
        ("annotations-left-out", "left out: 1 annotation"),
    ]


def test_tasks_without_annotations_are_left_out_and_empty_ones_are_background(read: Read) -> None:
    skipped = {"result": [result(RECTANGLE)], "was_cancelled": True}
    photos = [f"images/{name}.jpg" for name in "abcd"]
    tasks = [task("a.jpg"), task("b.jpg", annotations=[]), task("c.jpg", annotations=[skipped])]
    labels, findings = read([*tasks, task("d.jpg", result(RECTANGLE))], photos)
    assert [photo.file for photo in labels.photos] == ["images/a.jpg", "images/d.jpg"]
    assert [finding.photo for finding in findings] == ["images/b.jpg", "images/c.jpg"]
    assert {finding.kind.id for finding in findings} == {"photo-without-label"}


def test_a_photo_in_two_tasks_is_an_error(read: Read) -> None:
    _, findings = read([task("a.jpg", result(RECTANGLE)), task("a.jpg", result(RECTANGLE))])
    kind, detail, _ = only(findings)
    assert kind == "photo-listed-twice"
    assert "images/a.jpg, also at" in detail


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ("text", "expected a task as an object"),
        ({"data": {}, "annotations": []}, "expected a photo"),
        ({"data": {"image": "data:image/png;base64,AAAA"}, "annotations": []}, "the photo is embedded"),
        ({"data": {"image": "a.jpg"}, "annotations": {"a": 1}}, "expected a list of objects"),
        ({"data": {"image": "a.jpg"}, "annotations": [{"result": 3}]}, "expected a list as"),
    ],
)
def test_a_task_that_cannot_be_read(read: Read, entry: Any, reason: str) -> None:
    _, findings = read([task("a.jpg", result(RECTANGLE)), entry])
    kind, detail, line = only(findings)
    assert kind == "entry-unreadable"
    assert reason in detail
    assert line is not None


def test_a_broken_file_names_the_line(tmp_path: Path) -> None:
    (tmp_path / "export.json").write_text('[\n{"data": {"image": "a.jpg"},\n"annotations": [{"result": [}]}]')
    findings = Findings()
    label_studio.read(find_source(tmp_path), ["export.json"], findings)
    kind, detail, line = only(findings)
    assert (kind, line) == ("file-unreadable", 3)
    assert "broken JSON" in detail


def test_minimal_exports(read: Read) -> None:
    def item(label: str, day: int) -> dict[str, Any]:
        region = RECTANGLE | {"original_width": 60, "original_height": 40, "rectanglelabels": [label]}
        fields = {"annotator": 1, "annotation_id": day, "updated_at": f"2024-01-0{day}T00:00:00Z"}
        return {
            "image": "/data/upload/1/8f3a1b2c-a.jpg",
            "id": 4,
            "label": [region],
            "light": "night",
        } | fields

    labels, findings = read([item("late", 9), item("early", 2)])
    assert labels.class_names == ("late",)
    assert labels.boxes.tolist() == [[6, 10, 36, 30]]
    assert labels.attributes.photos == {0: {"light": "night"}}
    assert only(findings)[0] == "annotations-left-out"


def test_it_is_trained_on(tmp_path: Path, read: Read) -> None:
    read([task("a.jpg", result(RECTANGLE)), task("b.jpg")], ["images/a.jpg", "images/b.jpg"])
    dataset = read_detection(tmp_path)
    assert dataset.boxes.tolist() == [[6, 10, 36, 30]]
    assert len(dataset) == 2


# ---------------------------------------------------------------- names of photos


@pytest.mark.parametrize(
    "reference",
    [
        "/data/upload/1/8f3a1b2c-my%20photo.jpg",
        "/data/upload/12/8f3a1b2c-my photo.jpg",
        "8f3a1b2c-my photo.jpg",
        "/data/local-files/?d=images/my%20photo.jpg",
        "/data/local-files/?d=home/me/images/my photo.jpg",
        "s3://bucket/images/my photo.jpg",
        "gs://bucket/images/my%20photo.jpg",
        "https://example.com/images/my%20photo.jpg?signature=1",
        "/tasks/7/resolve/?fileuri=czM6Ly9idWNrZXQvaW1hZ2VzL215IHBob3RvLmpwZw==",
        "images/my photo.jpg",
    ],
)
def test_references_to_photos(read: Read, reference: str) -> None:
    labels, findings = read([task(reference, result(RECTANGLE))], ["images/my photo.jpg"])
    assert not len(findings)
    assert (labels.photos[0].file, labels.photos[0].missing_name) == ("images/my photo.jpg", "")


def test_a_photo_that_keeps_the_prefix_of_its_upload(read: Read) -> None:
    photos = ["images/8f3a1b2c-a.jpg", "images/a.jpg"]
    labels, _ = read([task("/data/upload/1/8f3a1b2c-a.jpg", result(RECTANGLE))], photos)
    assert labels.photos[0].file == "images/8f3a1b2c-a.jpg"


def test_the_name_in_the_storage_and_of_the_upload(read: Read) -> None:
    labels, _ = read([task("https://x.y/z.jpg", result(RECTANGLE), storage_filename="images/a.jpg")])
    assert labels.photos[0].file == "images/a.jpg"
    labels, _ = read([task("https://x.y/z.jpg", result(RECTANGLE), file_upload="8f3a1b2c-a.jpg")])
    assert labels.photos[0].file == "images/a.jpg"


@pytest.mark.parametrize(
    "reference", ["../../etc/passwd", "/etc/passwd", "/data/local-files/?d=../../../z.png"]
)
def test_no_path_leads_outside(read: Read, reference: str) -> None:
    labels, _ = read([task(reference, result(RECTANGLE))])
    (photo,) = labels.photos
    assert photo.missing_name == reference
    assert not photo.file.startswith(("/", ".."))


def test_paths_that_are_encoded_twice() -> None:
    assert paths_of("/data/local-files/?d=a%2520b.jpg")[0] == "a%20b.jpg"


def test_other_json_is_not_recognized(tmp_path: Path) -> None:
    for text in (
        "{}",
        "[]",
        '[{"image": "a.jpg", "annotations": [{"label": "x", "coordinates": {}}]}]',
        "[{",
    ):
        (tmp_path / "a.json").write_text(text)
        assert label_studio.recognize(find_source(tmp_path)) == []


def test_a_rotated_box_covers_what_label_studio_draws(read: Read) -> None:
    labels, _ = read([task("a.jpg", result(RECTANGLE | {"x": 50, "rotation": 45}))])
    assert labels.outline is not None
    counts = fill(labels.outline(0), (40, 60), (40, 60))
    pixels = np.repeat(np.arange(len(counts)) % 2, counts).reshape(60, 40).T
    assert pixels[20, 30]  # below the corner at 30, 10
    assert not pixels[12, 40]
