"""Labels without any object, and label files that are all damaged, are never read as class folders."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from boxmask.data.classification.read import read_unsplit_classification
from boxmask.doctor.check import check_data
from boxmask.errors import LabelError

NAMES = ("a", "b", "c")
BINARY = b"\0\1\2\xff" * 9
CLASSES = {"classes.txt": b"cat\n"}


def write(root: Path, files: Mapping[str, bytes], photos: str = "images") -> Path:
    (root / photos).mkdir(parents=True, exist_ok=True)
    for number, name in enumerate(NAMES):
        Image.new("RGB", (64, 48), (90, number, 80)).save(root / photos / f"{name}.jpg")
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    return root


def yolo(content: bytes, folder: str = "labels") -> dict[str, bytes]:
    return {f"{folder}/{name}.txt": content for name in NAMES}


def document(value: Any) -> bytes:
    return json.dumps(value).encode()


def kinds(root: Path) -> dict[str, int]:
    """The number of warnings and errors by kind."""
    findings = check_data(root, labels_only=True).findings
    return {kind.id: findings.count(kind) for kind in findings.kinds if kind.severity != "note"}


@pytest.mark.parametrize(
    ("photos", "labels"),
    [
        ("", "labels"),
        ("images", "labels"),
        ("images/train", "labels/train"),
        ("train/images", "train/labels"),
    ],
)
def test_yolo_labels_that_are_all_empty_or_damaged(tmp_path: Path, photos: str, labels: str) -> None:
    empty = write(tmp_path / "empty", yolo(b"", labels) | CLASSES, photos)
    assert kinds(empty) == {"objects-missing": 1}
    assert check_data(empty).num_photos == len(NAMES)
    binary = write(tmp_path / "binary", yolo(BINARY, labels) | CLASSES, photos)
    assert kinds(binary) == {"file-unreadable": 3}
    words = write(tmp_path / "words", yolo(b"cat 0.5 0.5 0.1 0.1\n", labels) | CLASSES, photos)
    assert kinds(words) == {"entry-unreadable": 3}


def test_yolo_labels_without_names_of_classes(tmp_path: Path) -> None:
    assert kinds(write(tmp_path / "binary", yolo(BINARY))) == {"file-unreadable": 3}
    empty = write(tmp_path / "empty", yolo(b""))
    (finding,) = check_data(empty)
    assert finding.kind.id == "data-unreadable"
    assert "name no class, so there is nothing to learn" in finding.detail
    with pytest.raises(LabelError, match="name no class"):
        read_unsplit_classification(empty)


def test_label_maps_beside_texts_stay_label_maps(tmp_path: Path) -> None:
    root = write(tmp_path, yolo(b""))
    for name in NAMES:
        Image.new("L", (64, 48)).save(root / f"labels/{name}.png")
    assert check_data(root, labels_only=True).findings.kinds[0].id == "data-unreadable"
    (root / "classes.json").write_text('{"cat": 1}')
    assert "label maps" in str(check_data(root).label_kind)


PHOTOS = [{"id": index, "file_name": f"{name}.jpg"} for index, name in enumerate(NAMES)]
ENTRIES = {f"{name}.jpg1": {"filename": f"{name}.jpg", "size": 1, "regions": []} for name in NAMES}
WITHOUT_OBJECTS: dict[str, dict[str, bytes]] = {
    "COCO": {"labels.json": document({"images": PHOTOS, "annotations": [], "categories": []})},
    "LabelMe": {
        f"images/{name}.json": document({"shapes": [], "imagePath": f"{name}.jpg", "imageData": None})
        for name in NAMES
    },
    "VIA": {"via.json": document(ENTRIES)},
    "CSV": {"labels.csv": b"filename,width,height,class,xmin,ymin,xmax,ymax\n"},
    "CreateML": {"labels.json": document([{"image": f"{name}.jpg", "annotations": []} for name in NAMES])},
    "CVAT": {"annotations.xml": b'<annotations><image id="0" name="a.jpg"/></annotations>'},
    "VOC": {
        f"Annotations/{name}.xml": f"<annotation><filename>{name}.jpg</filename></annotation>".encode()
        for name in NAMES
    },
    "Label Studio": {"tasks.json": document([{"id": 1, "data": {"image": "a.jpg"}, "annotations": []}])},
    "empty object": {"labels.json": b"{}"},
    "empty list": {"labels.json": b"[]"},
    "other columns": {"labels.csv": b"image,label\n"},
    "other elements": {"Annotations/a.xml": b"<a/>"},
}


@pytest.mark.parametrize("form", WITHOUT_OBJECTS)
def test_labels_without_objects_are_no_class_folders(tmp_path: Path, form: str) -> None:
    root = write(tmp_path, WITHOUT_OBJECTS[form])
    report = check_data(root, labels_only=True)
    assert [finding.kind.id for finding in report] == ["data-unreadable"]
    with pytest.raises(LabelError):
        read_unsplit_classification(root)


def test_coco_with_classes_and_no_annotation(tmp_path: Path) -> None:
    categories = [{"id": 1, "name": "cat"}]
    content = document({"images": PHOTOS, "annotations": [], "categories": categories})
    assert kinds(write(tmp_path, {"labels.json": content})) == {"objects-missing": 1}


def test_photos_alone_are_no_class(tmp_path: Path) -> None:
    assert kinds(write(tmp_path, {})) == {"labels-missing": 1}
