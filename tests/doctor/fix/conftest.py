"""Small data sets to mend."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from boxmask.doctor.check import check_data
from boxmask.doctor.fix.fix import MendedCopy, fix_data

SIZE = (64, 48)  # width, height

Boxes = Sequence[Sequence[float]]


def write_coco(folder: Path, boxes: Boxes, *, photos: int = 2, fields: Sequence[dict[str, Any]] = ()) -> Path:
    """Boxes as COCO's x, y, width, height, in turn on photos of 64 × 48 pixels.

    fields: of each annotation, beside the usual ones
    """
    (folder / "images").mkdir(parents=True)
    for number in range(photos):
        pixels = np.random.default_rng(number).integers(0, 256, (*SIZE[::-1], 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / "images" / f"{number}.png")
    annotations = [
        {"id": row + 1, "image_id": row % photos, "category_id": 1 + row // photos % 2, "bbox": list(box)}
        | (fields[row] if fields else {})
        for row, box in enumerate(boxes)
    ]
    document = {
        "images": [
            {"id": n, "file_name": f"images/{n}.png", "width": SIZE[0], "height": SIZE[1]}
            for n in range(photos)
        ],
        "categories": [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}],
        "annotations": annotations,
    }
    (folder / "labels.json").write_text(json.dumps(document, indent=1), encoding="utf-8")
    return folder


def boxes_of(folder: Path) -> list[list[float]]:
    """The boxes of a mended copy in COCO's form, by id."""
    [file] = (folder / "annotations").glob("*.json")
    annotations = json.loads(file.read_text(encoding="utf-8"))["annotations"]
    return [a["bbox"] for a in sorted(annotations, key=lambda a: a["id"])]


def fix(data: Path, out: Path) -> MendedCopy:
    return fix_data(check_data(data), out)


@pytest.fixture(name="write_coco", scope="session")
def _write_coco() -> Callable[..., Path]:
    return write_coco


@pytest.fixture(name="boxes_of", scope="session")
def _boxes_of() -> Callable[[Path], list[list[float]]]:
    return boxes_of


@pytest.fixture(name="fix", scope="session")
def _fix() -> Callable[[Path, Path], MendedCopy]:
    return fix
