"""Tiny labeled photos, written by hand."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from boxmask.data.detection.dataset import DetectionDataset

Box = tuple[str, float, float, float, float]  # class name, then four numbers as the format writes them


def save_photo(path: Path, size: tuple[int, int] = (40, 60), **options: Any) -> None:
    """A gray photo of (height, width)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size[::-1], "gray").save(path, **options)


def voc_xml(filename: str, boxes: Sequence[Box] = (), size: tuple[int, int] | None = (40, 60)) -> str:
    """One label file; the first object begins in line 4, each takes 8 lines."""
    objects = "".join(
        f"<object>\n<name>{name}</name>\n<difficult>0</difficult>\n<bndbox>\n"
        f"<xmin>{x1}</xmin><ymin>{y1}</ymin>\n<xmax>{x2}</xmax><ymax>{y2}</ymax>\n</bndbox>\n</object>\n"
        for name, x1, y1, x2, y2 in boxes
    )
    declared = f"<size><width>{size[1]}</width><height>{size[0]}</height></size>" if size else ""
    return f"<annotation>\n<filename>{filename}</filename>\n{declared}\n{objects}</annotation>\n"


def dataset_of(
    classes: list[list[int]], splits: list[str] | None = None, num_classes: int = 0
) -> DetectionDataset:
    """Photos p000.jpg ... with one object of each class given."""
    labels = np.array([label for photo in classes for label in photo], dtype=np.int64)
    num_classes = max(num_classes, int(labels.max(initial=-1)) + 1)
    boxes = np.tile(np.array([[0, 0, 5, 5]], dtype=np.float32), (len(labels), 1))
    return DetectionDataset(
        root=Path("photos"),
        class_names=tuple(f"class{number}" for number in range(num_classes)),
        files=np.array([f"p{number:03}.jpg" for number in range(len(classes))]),
        image_ids=np.arange(len(classes)),
        sizes=np.full((len(classes), 2), 9, dtype=np.int32),
        splits=np.array(splits or [""] * len(classes), dtype="<U5"),
        offsets=np.cumsum([0, *(len(photo) for photo in classes)]),
        boxes=boxes,
        labels=labels,
        areas=np.full(len(labels), 25, dtype=np.float32),
        crowd=np.zeros(len(labels), dtype=bool),
        difficult=np.zeros(len(labels), dtype=bool),
    )


@pytest.fixture(name="dataset_of", scope="session")
def _dataset_of() -> Callable[..., DetectionDataset]:
    return dataset_of


@pytest.fixture(name="save_photo")
def _save_photo() -> Callable[..., None]:
    return save_photo


@pytest.fixture(name="voc_xml")
def _voc_xml() -> Callable[..., str]:
    return voc_xml


@pytest.fixture
def write_voc(tmp_path: Path) -> Callable[..., Path]:
    """Write {stem: boxes} with photos, in VOC's folders unless others are given; gives the root."""

    def write(
        label_files: dict[str, Sequence[Box]],
        photos: str = "JPEGImages",
        annotations: str = "Annotations",
        lists: dict[str, Sequence[str]] | None = None,
    ) -> Path:
        root = tmp_path / "voc"
        for stem, boxes in label_files.items():
            save_photo(root / photos / f"{stem}.jpg")
            label_file = root / annotations / f"{stem}.xml"
            label_file.parent.mkdir(parents=True, exist_ok=True)
            label_file.write_text(voc_xml(f"{stem}.jpg", boxes))
        for split, names in (lists or {}).items():
            file = root / "ImageSets" / "Main" / f"{split}.txt"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text("\n".join(names) + "\n")
        return root

    return write


def coco(
    photos: Sequence[tuple[int, str]],
    annotations: Sequence[dict[str, Any]] = (),
    categories: Sequence[tuple[int, str]] = ((1, "cat"), (2, "dog")),
) -> dict[str, Any]:
    """A COCO document of 40 × 60 photos."""
    return {
        "images": [{"id": n, "file_name": name, "height": 40, "width": 60} for n, name in photos],
        "annotations": [{"id": 100 + n, **annotation} for n, annotation in enumerate(annotations)],
        "categories": [{"id": n, "name": name} for n, name in categories],
    }


def annotation(image: int, category: int, bbox: Sequence[float], **more: Any) -> dict[str, Any]:
    return {"image_id": image, "category_id": category, "bbox": list(bbox), **more}


@pytest.fixture(name="coco")
def _coco() -> Callable[..., dict[str, Any]]:
    return coco


@pytest.fixture(name="annotation")
def _annotation() -> Callable[..., dict[str, Any]]:
    return annotation


@pytest.fixture
def write_coco(tmp_path: Path) -> Callable[..., Path]:
    """Write a COCO document and its photos; gives the root."""

    def write(
        document: dict[str, Any], file: str = "instances.json", photos: str = "images", indent: int | None = 1
    ) -> Path:
        root = tmp_path / "coco"
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).write_text(json.dumps(document, indent=indent))
        for image in document["images"]:
            save_photo(root / photos / image["file_name"])
        return root

    return write
