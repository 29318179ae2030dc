"""Small data sets and detections, written as lists."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from boxmask.data.detection.dataset import DetectionDataset
from boxmask.geometry import rle
from boxmask.masks import Masks
from boxmask.types import Detections

CLASSES = ("cat", "dog")


@pytest.fixture
def labeled() -> Callable[..., DetectionDataset]:
    """A data set of 100 x 100 photos, each a list of (class, box) or (class, box, "crowd" | "difficult")."""

    def build(*photos: Sequence[tuple], class_names: tuple[str, ...] = CLASSES) -> DetectionDataset:
        objects = [entry for photo in photos for entry in photo]
        boxes = np.array([entry[1] for entry in objects], dtype=np.float32).reshape(-1, 4)
        return DetectionDataset(
            root=Path("things"),
            class_names=class_names,
            files=np.array([f"{i}.jpg" for i in range(len(photos))], dtype=str),
            image_ids=np.arange(len(photos)),
            sizes=np.full((len(photos), 2), 100, dtype=np.int32),
            splits=np.full(len(photos), "test"),
            offsets=np.cumsum([0, *(len(photo) for photo in photos)]),
            boxes=boxes,
            labels=np.array([class_names.index(entry[0]) for entry in objects], dtype=np.int64),
            areas=(boxes[:, 2:] - boxes[:, :2]).prod(axis=1),
            crowd=np.array(["crowd" in entry[2:] for entry in objects], dtype=bool),
            difficult=np.array(["difficult" in entry[2:] for entry in objects], dtype=bool),
        )

    return build


@pytest.fixture
def detected() -> Callable[..., Detections]:
    """Detections in a 100 x 100 photo from (class, score, box), sorted."""

    def build(*found: tuple, class_names: tuple[str, ...] = CLASSES) -> Detections:
        ranked = sorted(found, key=lambda entry: -entry[1])
        return Detections(
            np.array([entry[2] for entry in ranked], dtype=np.float32).reshape(-1, 4),
            np.array([entry[1] for entry in ranked], dtype=np.float32),
            np.array([class_names.index(entry[0]) for entry in ranked], dtype=np.int64),
            class_names,
            (100, 100),
        )

    return build


@pytest.fixture
def with_object_masks() -> Callable[..., DetectionDataset]:
    """A data set whose objects each have a disc in their box as mask, except those in `without`."""

    def build(dataset: DetectionDataset, without: Sequence[int] = ()) -> DetectionDataset:
        counts = [rle.encode(discs([box]))[0] for box in dataset.boxes]
        counts = [one[:0] if i in without else one for i, one in enumerate(counts)]
        return replace(
            dataset,
            runs=np.concatenate([np.zeros(0), *counts]).astype(np.int32),
            run_offsets=np.cumsum([0, *map(len, counts)]),
        )

    return build


@pytest.fixture
def with_masks() -> Callable[[Detections], Detections]:
    """Detections with a disc in each box as mask."""
    return lambda found: replace(found, masks=discs(found.boxes))


def discs(boxes: Sequence[np.ndarray]) -> Masks:
    """Masks of a disc in each box of a 100 x 100 photo."""
    y, x = np.mgrid[0:100, 0:100] + 0.5
    dense = [
        ((2 * x - x1 - x2) / (x2 - x1)) ** 2 + ((2 * y - y1 - y2) / (y2 - y1)) ** 2 <= 1
        for x1, y1, x2, y2 in np.asarray(boxes, dtype=np.float64).reshape(-1, 4)
    ]
    return Masks.from_dense(np.array(dense, dtype=bool).reshape(-1, 100, 100))
