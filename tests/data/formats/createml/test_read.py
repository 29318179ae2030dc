"""CreateML JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from boxmask.data.findings import Findings
from boxmask.data.formats import createml
from boxmask.data.formats.labels import Labels
from boxmask.data.formats.source import find_source

Read = Callable[..., tuple[Labels, Findings]]


def annotation(
    label: str = "cat", x: float = 10, y: float = 20, width: float = 4, height: float = 8
) -> dict[str, Any]:
    return {"label": label, "coordinates": {"x": x, "y": y, "width": width, "height": height}}


def entry(image: str, *annotations: Any) -> dict[str, Any]:
    return {"image": image, "annotations": list(annotations)}


@pytest.fixture
def write(tmp_path: Path, save_photo: Callable[[Path], None]) -> Callable[..., Path]:
    def write(files: Mapping[str, Any], photos: str = "a.jpg b.jpg", indent: int | None = 1) -> Path:
        for name in photos.split():
            save_photo(tmp_path / name)
        for name, content in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            text = content if isinstance(content, str) else json.dumps(content, indent=indent)
            (tmp_path / name).write_text(text)
        return tmp_path

    return write


@pytest.fixture
def read(write: Callable[..., Path]) -> Read:
    def read(content: Any, **options: Any) -> tuple[Labels, Findings]:
        files = content if isinstance(content, dict) else {"annotations.json": content}
        source = find_source(write(files, **options))
        label_files = createml.recognize(source)
        assert label_files
        findings = Findings()
        return createml.read(source, label_files, findings), findings

    return read


def test_boxes_are_given_by_their_center(read: Read) -> None:
    labels, findings = read([entry("a.jpg", annotation(), annotation("dog", 3.5, 2, 7, 4)), entry("b.jpg")])
    assert not len(findings)
    assert labels.boxes.tolist() == [[8, 16, 12, 24], [0, 0, 7, 4]]
    assert labels.extents.tolist() == [[4, 8], [7, 4]]
    assert labels.class_names == ("cat", "dog")
    assert [photo.file for photo in labels.photos] == ["a.jpg", "b.jpg"]
    assert labels.box_form == "center"


def test_older_keys(read: Read) -> None:
    labels, findings = read([{"imagefilename": "a.jpg", "annotation": [annotation()]}])
    assert not len(findings)
    assert labels.boxes.tolist() == [[8, 16, 12, 24]]


def test_splits_of_folders(read: Read) -> None:
    files = {
        f"{split}/_annotations.createml.json": [entry("a.jpg", annotation())] for split in ("train", "valid")
    }
    labels, findings = read(files, photos="train/a.jpg valid/a.jpg")
    assert not len(findings)
    assert [(photo.file, photo.split) for photo in labels.photos] == [
        ("train/a.jpg", "train"),
        ("valid/a.jpg", "val"),
    ]


def test_line_numbers(read: Read) -> None:
    text = '[\n{"image": "a.jpg", "annotations": [\n%s,\n%s]},\n{"image": "b.jpg", "annotations": [%s]}]'
    labels, _ = read(text % tuple(json.dumps(annotation(name)) for name in ("cat", "dog", "cow")))
    locations = [labels.location(row) for row in range(3)]
    assert [location.line for location in locations] == [3, 4, 5]
    assert locations[1].entry == "[0].annotations[1]"


def test_a_file_of_one_line(read: Read) -> None:
    labels, _ = read([entry("a.jpg", annotation())], indent=None)
    assert (labels.location(0).line, labels.location(0).entry) == (None, "[0].annotations[0]")


UNREADABLE = [
    {"label": "cat"},
    {"label": 1, "coordinates": annotation()["coordinates"]},
    {"label": " ", "coordinates": annotation()["coordinates"]},
    {"label": "cat", "coordinates": {"x": 1, "y": 2, "width": 3}},
    {"label": "cat", "coordinates": {"x": "1", "y": 2, "width": 3, "height": 4}},
    {"label": "cat", "coordinates": {"x": True, "y": 2, "width": 3, "height": 4}},
    {"label": "cat", "coordinates": [1, 2, 3, 4]},
    None,
]


@pytest.mark.parametrize("bad", UNREADABLE)
def test_annotations_that_cannot_be_read(read: Read, bad: Any) -> None:
    labels, findings = read([entry("a.jpg", annotation(), bad, annotation())])
    (finding,) = findings
    assert finding.kind.id == "entry-unreadable"
    assert finding.location.entry == "[0].annotations[1]"
    assert finding.location.line is not None
    assert len(labels.boxes) == 2


@pytest.mark.parametrize(
    "bad", [None, {}, {"image": 1, "annotations": []}, {"image": "a.jpg", "annotations": {}}]
)
def test_photos_that_cannot_be_read(read: Read, bad: Any) -> None:
    labels, findings = read([entry("a.jpg", annotation()), bad])
    (finding,) = findings
    assert (finding.kind.id, finding.location.entry) == ("entry-unreadable", "[1]")
    assert len(labels.photos) == 1


def test_a_photo_in_two_entries(read: Read) -> None:
    labels, findings = read([entry("a.jpg", annotation()), entry("a.jpg", annotation("dog"))])
    (finding,) = findings
    assert finding.kind.id == "photo-listed-twice"
    assert len(labels.photos) == 1
    assert len(labels.boxes) == 2


def test_a_photo_that_does_not_exist(read: Read) -> None:
    labels, _ = read([entry("/etc/c.jpg", annotation())])
    assert (labels.photos[0].file, labels.photos[0].missing_name) == ("etc/c.jpg", "/etc/c.jpg")


def test_a_broken_file(read: Read) -> None:
    text = json.dumps([entry("a.jpg", annotation())])
    _, findings = read({"a.json": text, "b.json": text[:-20]})
    assert [finding.kind.id for finding in findings] == ["file-unreadable"]


@pytest.mark.parametrize(
    "content",
    [
        {"images": [], "annotations": [], "categories": []},
        [],
        [1, 2],
        [{"image": "a.jpg"}],
        [{"id": 1, "data": {"image": "a.jpg"}, "annotations": [{"result": []}]}],
        [{"image": "a.jpg", "id": 1, "label": [{"x": 1}], "annotation_id": 3}],
    ],
)
def test_other_json_is_not_claimed(write: Callable[..., Path], content: Any) -> None:
    assert createml.recognize(find_source(write({"a.json": content}))) == []
