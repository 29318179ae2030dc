"""Label maps painted from the masks of a detection data set."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from boxmask.data.class_checks import check_training_classes
from boxmask.data.detection.dataset import DetectionDataset
from boxmask.data.detection.rle_masks import RleMasks
from boxmask.data.segmentation.from_masks import segmentation_from_detection
from boxmask.data.split import draw_missing_splits
from boxmask.errors import LabelError
from boxmask.geometry import rle
from boxmask.masks import Masks
from boxmask.tasks.segmentation.class_weights import balanced_weights
from boxmask.types import IGNORED

SIZE = (8, 10)
BIG, SMALL, OTHER = (1, 1, 7, 6), (2, 2, 4, 4), (8, 0, 10, 3)
NO_RUNS = np.zeros(0, dtype=np.int32)
Object = tuple[str, tuple[int, int, int, int], str]  # class, box, and "mask", "bare", "crowd", "difficult"


def labeled(*photos: list[Object], class_names: tuple[str, ...] = ("cat", "dog")) -> DetectionDataset:
    """A detection data set whose masks fill their boxes; the masks of "bare" objects are unknown."""
    objects = [item for photo in photos for item in photo]
    kinds = np.array([kind for _, _, kind in objects], dtype=str)
    boxes = np.array([box for _, box, _ in objects], dtype=np.float32).reshape(-1, 4)
    masks = RleMasks.from_run_lengths([_runs(box) if kind != "bare" else NO_RUNS for _, box, kind in objects])
    return DetectionDataset(
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
        runs=masks.runs,
        run_offsets=masks.offsets,
    )


def _runs(box: tuple[int, int, int, int]) -> NDArray[np.int64]:
    x1, y1, x2, y2 = box
    return rle.encode(Masks.from_crops([np.ones((y2 - y1, x2 - x1), dtype=bool)], [(x1, y1)], SIZE))[0]


def picture(*boxes: tuple[int, tuple[int, int, int, int]]) -> list[list[int]]:
    """A label map with boxes painted one after the other."""
    painted = np.zeros(SIZE, dtype=np.uint8)
    for value, (x1, y1, x2, y2) in boxes:
        painted[y1:y2, x1:x2] = value
    return painted.tolist()


@pytest.mark.parametrize(
    ("objects", "expected"),
    [
        ([("dog", SMALL, "mask"), ("cat", BIG, "mask")], [(1, BIG), (2, SMALL)]),
        ([("cat", BIG, "mask"), ("dog", SMALL, "mask")], [(1, BIG), (2, SMALL)]),
        ([("cat", BIG, "crowd"), ("dog", SMALL, "mask")], [(IGNORED, BIG), (2, SMALL)]),
        ([("cat", BIG, "mask"), ("dog", OTHER, "bare")], [(1, BIG), (IGNORED, OTHER)]),
        ([("cat", BIG, "mask"), ("dog", SMALL, "bare")], [(1, BIG), (IGNORED, SMALL)]),
        ([("cat", BIG, "mask"), ("dog", SMALL, "difficult")], [(1, BIG), (IGNORED, SMALL)]),
        ([], []),
    ],
)
def test_objects_are_painted_large_ones_first(
    objects: list[Object], expected: list[tuple[int, tuple[int, int, int, int]]]
) -> None:
    dataset = segmentation_from_detection(labeled(objects, [("cat", BIG, "mask")]))
    assert dataset.class_names == ("background", "cat", "dog")
    assert dataset.target(0).labels.tolist() == picture(*expected)


def test_a_class_called_background_becomes_the_background() -> None:
    dataset = segmentation_from_detection(
        labeled([("background", SMALL, "mask"), ("cat", BIG, "mask")], class_names=("cat", "background"))
    )
    assert dataset.class_names == ("background", "cat")
    assert dataset.target(0).labels.tolist() == picture((1, BIG), (0, SMALL))


def test_the_box_of_an_object_without_a_mask_is_enlarged_to_whole_pixels() -> None:
    dataset = labeled([("cat", SMALL, "bare"), ("cat", OTHER, "mask")])
    dataset.boxes[0] = (2.4, 2.0, 3.2, 4.0)
    labels = segmentation_from_detection(dataset).target(0).labels
    assert labels[2].tolist() == [0, 0, IGNORED, IGNORED, 0, 0, 0, 0, 1, 1]


def test_it_is_split_and_checked_like_any_other_data_set() -> None:
    dataset = segmentation_from_detection(labeled(*[[("cat", BIG, "mask"), ("dog", SMALL, "mask")]] * 10))
    assert dataset.pixel_counts[0].tolist() == [80 - 30, 30 - 4, 4]  # the small one lies on the big one
    split = draw_missing_splits(dataset)
    assert [len(split.split(name)) for name in ("train", "val", "test")] == [7, 1, 2]
    assert check_training_classes(split) == ()
    single = dataset.subset(np.array([3]))
    assert single.target(0).labels.tolist() == picture((1, BIG), (2, SMALL))
    assert single.fingerprint() != dataset.fingerprint()


def test_a_data_set_without_masks_is_refused() -> None:
    with pytest.raises(LabelError, match="no object has a mask"):
        segmentation_from_detection(labeled([("cat", BIG, "bare")]))
    with pytest.raises(LabelError, match="no object has a mask"):
        segmentation_from_detection(labeled([("cat", BIG, "crowd")]))


# ---------------------------------------------------------------- pixels per class


def test_pixels_are_counted_on_the_masks_not_by_declared_areas() -> None:
    labels = replace(
        labeled([("cat", BIG, "mask"), ("dog", OTHER, "mask")], []), areas=np.ones(2, np.float32)
    )
    assert segmentation_from_detection(labels).pixel_counts.tolist() == [[80 - 30 - 6, 30, 6], [80, 0, 0]]


@pytest.mark.parametrize(
    ("objects", "expected"),
    [
        ([("cat", BIG, "mask"), ("dog", OTHER, "bare")], [44, 30, 0]),  # a box without a mask is not labeled
        ([("cat", BIG, "mask"), ("dog", SMALL, "crowd")], [50, 26, 0]),
        ([("cat", BIG, "mask"), ("dog", SMALL, "difficult")], [50, 26, 0]),
        ([("cat", BIG, "difficult"), ("dog", SMALL, "mask")], [50, 0, 4]),
        ([("cat", SMALL, "mask"), ("dog", SMALL, "mask")], [76, 0, 4]),  # of two alike, the later one is seen
        ([("cat", BIG, "mask"), ("cat", (5, 4, 9, 8), "mask")], [80 - 30 - 16 + 4, 42, 0]),
    ],
)
def test_overlapping_objects_are_counted_as_they_are_painted(
    objects: list[Object], expected: list[int]
) -> None:
    dataset = segmentation_from_detection(labeled(objects))
    assert dataset.pixel_counts.tolist() == [expected]
    painted = dataset.source.labels(0)
    assert [int((painted == label).sum()) for label in range(3)] == expected


def test_balanced_weights_follow_the_pixels_that_are_seen() -> None:
    photos: list[list[Object]] = [[("cat", BIG, "mask"), ("dog", SMALL, "mask")]]
    weights = balanced_weights(segmentation_from_detection(labeled(*photos)).counts())
    assert weights == pytest.approx((26 / 50, 1.0, 26 / 4))  # median frequency 26 / 80
