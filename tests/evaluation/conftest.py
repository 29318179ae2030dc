"""Small labelled sets and detections, written down as lists."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from boxmask.data.dataset import Dataset
from boxmask.types import Detections

CLASSES = ("cat", "dog")


@pytest.fixture
def labelled() -> Callable[..., Dataset]:
    """A data set of 100 x 100 photos, each a list of (class, box) or (class, box, "crowd" | "difficult")."""

    def build(*photos: Sequence[tuple], class_names: tuple[str, ...] = CLASSES) -> Dataset:
        objects = [entry for photo in photos for entry in photo]
        boxes = np.array([entry[1] for entry in objects], dtype=np.float32).reshape(-1, 4)
        return Dataset(
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
            torch.tensor(np.array([entry[2] for entry in ranked], dtype=np.float32).reshape(-1, 4)),
            torch.tensor([entry[1] for entry in ranked], dtype=torch.float32),
            torch.tensor([class_names.index(entry[0]) for entry in ranked], dtype=torch.int64),
            class_names,
            (100, 100),
        )

    return build
