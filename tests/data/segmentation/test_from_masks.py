"""Detection sets with outlines, painted."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from boxmask.data.class_checks import check_training_classes
from boxmask.data.detection.dataset import DetectionDataset
from boxmask.data.segmentation.from_masks import label_maps_from_masks
from boxmask.data.split import draw_missing_splits
from boxmask.errors import LabelError
from boxmask.masks import Masks
from boxmask.types import IGNORED

SIZE = (8, 10)
BIG, SMALL, OTHER = (1, 1, 7, 6), (2, 2, 4, 4), (8, 0, 10, 3)
Object = tuple[
    str, tuple[int, int, int, int], str
]  # class, box, and "has_mask", "bare", "crowd", "difficult"


@dataclass(frozen=True)
class Outlined(DetectionDataset):
    """A detection set whose outlines fill their boxes, except the bare ones."""

    bare: tuple[list[int], ...] = ()

    def masks(self, photo: int) -> Masks | None:
        if not (~self.crowd).any() and not self.bare:
            return None
        boxes = self.boxes[self.rows(photo)].astype(int).tolist()
        crops = [np.full((y2 - y1, x2 - x1), [x1, y1, x2, y2] not in self.bare) for x1, y1, x2, y2 in boxes]
        return Masks.from_crops(crops, [(x1, y1) for x1, y1, _, _ in boxes], SIZE)


def has_mask(*photos: list[Object], class_names: tuple[str, ...] = ("cat", "dog")) -> Outlined:
    objects = [one for photo in photos for one in photo]
    kinds = np.array([kind for _, _, kind in objects], dtype=str)
    boxes = np.array([box for _, box, _ in objects], dtype=np.float32).reshape(-1, 4)
    return Outlined(
        root=Path("things"),
        class_names=class_names,
        files=np.array([f"{n}.jpg" for n in range(len(photos))]),
        image_ids=np.arange(len(photos)),
        sizes=np.array([SIZE] * len(photos), dtype=np.int32),
        splits=np.array([""] * len(photos), dtype="<U5"),
        offsets=np.cumsum([0, *map(len, photos)]),
        boxes=boxes,
        labels=np.array([class_names.index(name) for name, _, _ in objects], dtype=np.int64),
        areas=(boxes[:, 2:] - boxes[:, :2]).prod(axis=1),
        crowd=kinds == "crowd",
        difficult=kinds == "difficult",
        bare=tuple(list(box) for _, box, kind in objects if kind == "bare"),
    )


def picture(*boxes: tuple[int, tuple[int, int, int, int]]) -> list[list[int]]:
    """Boxes painted one after the other."""
    painted = np.zeros(SIZE, dtype=np.uint8)
    for value, (x1, y1, x2, y2) in boxes:
        painted[y1:y2, x1:x2] = value
    return painted.tolist()


@pytest.mark.parametrize(
    ("objects", "expected"),
    [
        ([("dog", SMALL, "has_mask"), ("cat", BIG, "has_mask")], [(1, BIG), (2, SMALL)]),
        ([("cat", BIG, "has_mask"), ("dog", SMALL, "has_mask")], [(1, BIG), (2, SMALL)]),
        ([("cat", BIG, "crowd"), ("dog", SMALL, "has_mask")], [(IGNORED, BIG), (2, SMALL)]),
        ([("cat", BIG, "has_mask"), ("dog", OTHER, "bare")], [(1, BIG), (IGNORED, OTHER)]),
        ([("cat", BIG, "has_mask"), ("dog", SMALL, "bare")], [(1, BIG), (IGNORED, SMALL)]),
        ([("cat", BIG, "has_mask"), ("dog", SMALL, "difficult")], [(1, BIG), (IGNORED, SMALL)]),
        ([], []),
    ],
)
def test_what_is_painted(
    objects: list[Object], expected: list[tuple[int, tuple[int, int, int, int]]]
) -> None:
    dataset = label_maps_from_masks(has_mask(objects, [("cat", BIG, "has_mask")]))
    assert dataset.class_names == ("background", "cat", "dog")
    assert dataset.target(0).labels.tolist() == picture(*expected)


def test_a_set_of_its_own_background() -> None:
    dataset = label_maps_from_masks(
        has_mask(
            [("background", SMALL, "has_mask"), ("cat", BIG, "has_mask")], class_names=("cat", "background")
        )
    )
    assert dataset.class_names == ("background", "cat")
    assert dataset.target(0).labels.tolist() == picture((1, BIG), (0, SMALL))


def test_the_box_of_a_bare_object_reaches_to_whole_pixels() -> None:
    dataset = replace(has_mask([("cat", SMALL, "bare"), ("cat", OTHER, "has_mask")]), bare=([2, 2, 3, 4],))
    dataset.boxes[0] = (2.4, 2.0, 3.2, 4.0)
    labels = label_maps_from_masks(dataset).target(0).labels
    assert labels[2].tolist() == [0, 0, IGNORED, IGNORED, 0, 0, 0, 0, 1, 1]


def test_it_is_split_and_checked_like_any_other() -> None:
    dataset = label_maps_from_masks(has_mask(*[[("cat", BIG, "has_mask"), ("dog", SMALL, "has_mask")]] * 10))
    assert dataset.pixels[0].tolist() == [80 - 30 - 4, 30, 4]
    split = draw_missing_splits(dataset)
    assert [len(split.split(name)) for name in ("train", "val", "test")] == [7, 1, 2]
    assert check_training_classes(split) == ()
    one = dataset.subset(np.array([3]))
    assert one.target(0).labels.tolist() == picture((1, BIG), (2, SMALL))
    assert one.fingerprint() != dataset.fingerprint()


def test_without_any_outline_there_is_nothing_to_paint() -> None:
    with pytest.raises(LabelError, match="no object has an outline"):
        label_maps_from_masks(has_mask([("cat", BIG, "bare")]))
    with pytest.raises(LabelError, match="no object has an outline"):
        label_maps_from_masks(has_mask([("cat", BIG, "crowd")]))
