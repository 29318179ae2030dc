"""The summary of a data set: how many photos and objects, how large, and where in the photos."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from jaxtyping import Bool, Float
from numpy.typing import NDArray

from boxmask.data.checks.counted_photos import counted_photos
from boxmask.data.checks.examination import Examination
from boxmask.data.checks.sound_boxes import photo_edges, sound_boxes
from boxmask.data.contract import SPLITS
from boxmask.data.detection.photo_sizes import has_size

GRID = 32
"""Cells of the heat map per side."""

_MAX_PHOTO_SIZES = 20
"""Rarer photo sizes are only counted."""

_PER_PHOTO_EDGES = (0, 1, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 50, 75, 100, 150, 200, 300, 500, 1000)
_SIDE_EDGES = tuple(round(0.05 * step, 2) for step in range(21))
_ASPECT_EDGES = (0.1, 0.15, 0.2, 0.3, 0.45, 0.67, 0.9, 1.1, 1.5, 2.2, 3.3, 5.0, 6.7, 10.0)
_COCO_SIZES = {"small": 32**2, "medium": 96**2}
"""COCO's size names, and the area in pixels that an object of this size stays below."""


@dataclass(frozen=True, slots=True)
class Histogram:
    """Counts of values in B bins.

    edges:  of the bins, B + 1. A bin holds the values from its left edge up to, but without, its right edge.
            Values beyond the outer edges are in the first or the last bin.
    counts: B
    """

    edges: tuple[float, ...]
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class SplitCount:
    """The photos and objects of one split.

    name:                  "train", "val", "test", or "" for photos in no split
    photos_without_objects: of all `photos`
    """

    name: str
    photos: int
    objects: int
    photos_without_objects: int


@dataclass(frozen=True, slots=True)
class ClassCount:
    """The objects of one class, and the photos that show it, in each split of `Summary.splits`."""

    name: str
    objects: tuple[int, ...]
    photos: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PhotoSize:
    """The number of photos of one size."""

    width: int
    height: int
    photos: int


@dataclass(frozen=True)
class Summary:
    """Numbers of a data set.

    All objects are counted, crowd regions and difficult objects, too. Sizes, ratios and places are those of
    the boxes that are finite and lie at least partly in their photo, clipped to it. The boxes in photos of
    unknown size are not measured.

    photos, objects:   in all; see `counted_photos`
    splits, classes:   train, val and test first; classes in the order of the labels
    objects_per_photo: photos by their number of objects
    box_sizes:         objects by COCO's words: "small" (below 32² pixels), "medium" (below 96²), "large"
    box_sides:         objects by the square root of their box's share of the photo
    aspect_ratios:     objects by the width of their box divided by its height
    median_box:        median width and height in pixels
    heat_map:          rows of cells, from top to bottom: the number of boxes that reach into each cell
    photo_sizes:       the most common sizes, the most common first
    other_photo_sizes: the number of further sizes
    photos_of_unknown_size: photos that exist but were not read, and whose labels declare no size
    crowd, difficult, with_outline: objects that are crowd regions, are difficult, have a mask
    unsound_boxes:     objects without a usable box
    """

    photos: int
    objects: int
    splits: tuple[SplitCount, ...]
    classes: tuple[ClassCount, ...]
    objects_per_photo: Histogram
    box_sizes: dict[str, int]
    box_sides: Histogram
    aspect_ratios: Histogram
    median_box: tuple[float, float] | None
    heat_map: tuple[tuple[int, ...], ...]
    photo_sizes: tuple[PhotoSize, ...]
    other_photo_sizes: int
    with_outline: int
    crowd: int
    difficult: int
    unsound_boxes: int
    photos_of_unknown_size: int = 0

    def to_dict(self) -> dict[str, object]:
        """As JSON values."""
        return asdict(self)


def summarize(examination: Examination) -> Summary:
    """The summary of a data set."""
    labels = examination.labels
    sound = sound_boxes(examination)
    measured = sound & np.isfinite(photo_edges(examination)).all(axis=1)
    edges = photo_edges(examination)[measured]
    boxes = np.clip(labels.boxes[measured], 0, np.tile(edges, 2))
    sides = boxes[:, 2:] - boxes[:, :2]
    photo_sizes = _count_photo_sizes(examination)
    common = photo_sizes.most_common(_MAX_PHOTO_SIZES)
    counted = counted_photos(examination)
    per_photo = np.bincount(labels.photo_of, minlength=len(counted))[counted]
    splits, classes = _count_splits_and_classes(examination, counted)
    return Summary(
        photos=int(counted.sum()),
        objects=len(sound),
        splits=splits,
        classes=classes,
        objects_per_photo=_histogram(per_photo, _edges_up_to(_PER_PHOTO_EDGES, per_photo.max(initial=0))),
        box_sizes=_count_sizes(examination, measured, sides),
        box_sides=_histogram(np.sqrt((sides / edges).prod(axis=1)), _SIDE_EDGES),
        aspect_ratios=_histogram(sides[:, 0] / sides[:, 1], _ASPECT_EDGES),
        median_box=_median(sides),
        heat_map=_heat_map(boxes / np.tile(edges, 2)),
        photo_sizes=tuple(PhotoSize(width, height, count) for (width, height), count in common),
        other_photo_sizes=len(photo_sizes) - len(common),
        with_outline=int(examination.masks.known.sum()),
        crowd=int(labels.crowd.sum()),
        difficult=int(labels.difficult.sum()),
        unsound_boxes=int((~sound).sum()),
        photos_of_unknown_size=_count_unknown_sizes(examination),
    )


def _count_photo_sizes(examination: Examination) -> Counter[tuple[int, int]]:
    """The number of photos by width and height."""
    known = examination.sizes[has_size(examination.sizes)]
    return Counter((width, height) for height, width in known.tolist())


def _count_unknown_sizes(examination: Examination) -> int:
    unknown = np.flatnonzero(~has_size(examination.sizes)).tolist()
    return sum(not examination.labels.photos[index].missing_name for index in unknown)


def _count_splits_and_classes(
    examination: Examination, counted: Bool[np.ndarray, " P"]
) -> tuple[tuple[SplitCount, ...], tuple[ClassCount, ...]]:
    labels = examination.labels
    words = [photo.split or "" for photo in labels.photos]
    names = [name for name in (*SPLITS, "") if name in words]
    split_of_photo = np.array([names.index(word) for word in words], dtype=np.int64)
    split_of = split_of_photo[labels.photo_of]
    shape = (len(labels.class_names), len(names))
    cells = np.prod(shape, dtype=int)
    objects = np.bincount(labels.labels * shape[1] + split_of, minlength=cells).reshape(shape)
    shown = np.unique(labels.labels * len(words) + labels.photo_of)  # one number per class and photo
    label, photo = np.divmod(shown, max(1, len(words)))
    photos = np.bincount(label * shape[1] + split_of_photo[photo], minlength=cells).reshape(shape)
    with_objects = np.isin(np.arange(len(words)), labels.photo_of)
    splits = []
    for number, name in enumerate(names):
        inside = (split_of_photo == number) & counted
        num_objects, without = int((split_of == number).sum()), int((inside & ~with_objects).sum())
        splits.append(SplitCount(name, int(inside.sum()), num_objects, without))
    rows = zip(labels.class_names, objects.tolist(), photos.tolist(), strict=True)
    return tuple(splits), tuple(ClassCount(name, tuple(row), tuple(shows)) for name, row, shows in rows)


def _count_sizes(
    examination: Examination, measured: NDArray[np.bool_], sides: Float[np.ndarray, "M 2"]
) -> dict[str, int]:
    """Objects by COCO's sizes: by declared area, else by mask, else by box."""
    declared, filled = examination.labels.areas[measured], examination.masks.areas()[measured]
    areas = np.where(declared > 0, declared, np.where(filled > 0, filled, sides.prod(axis=1)))
    bins = np.searchsorted(list(_COCO_SIZES.values()), areas, side="right")
    return dict(zip((*_COCO_SIZES, "large"), np.bincount(bins, minlength=3).tolist(), strict=True))


def _heat_map(boxes: Float[np.ndarray, "M 4"]) -> tuple[tuple[int, ...], ...]:
    """How many boxes, in fractions of their photos, reach into each cell of a grid."""
    first = np.clip(np.floor(boxes[:, :2] * GRID), 0, GRID - 1).astype(np.int64)
    end = np.clip(np.ceil(boxes[:, 2:] * GRID).astype(np.int64), first + 1, GRID)
    counts = np.zeros((GRID + 1, GRID + 1), dtype=np.int64)
    for x, y, sign in ((first, first, 1), (end, first, -1), (first, end, -1), (end, end, 1)):
        np.add.at(counts, (y[:, 1], x[:, 0]), sign)  # the sums of these are 1 inside the box, 0 outside
    covered = counts.cumsum(axis=0).cumsum(axis=1)[:GRID, :GRID]
    return tuple(tuple(row) for row in covered.tolist())


def _histogram(values: NDArray[np.float64] | NDArray[np.int64], edges: Sequence[float]) -> Histogram:
    bins = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, len(edges) - 2)
    return Histogram(tuple(edges), tuple(np.bincount(bins, minlength=len(edges) - 1).tolist()))


def _edges_up_to(edges: Sequence[float], largest: int) -> Sequence[float]:
    """The edges up to the first above the largest value."""
    return edges[: bisect_right(edges, largest) + 1]


def _median(sides: Float[np.ndarray, "M 2"]) -> tuple[float, float] | None:
    if not len(sides):
        return None
    width, height = np.median(sides, axis=0).tolist()
    return width, height
