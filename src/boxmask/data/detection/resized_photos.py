"""Photos that were resized after labeling: their labels declare the old size, and boxes are in its pixels."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from enum import Enum

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import NDArray

from boxmask.data.detection.box_checks import MAX_BAD_BOX_SHARE, reach_beyond
from boxmask.data.detection.photo_sizes import sides_or_ones
from boxmask.data.findings import Finding, Findings
from boxmask.data.formats.kinds import COORDINATES_SCALED, PHOTO_RESIZED
from boxmask.data.formats.labels import Labels
from boxmask.data.formats.numbers import tidy_pixels
from boxmask.data.outlines import Outline, Polygons, RunLengths

_MIN_BEYOND = 0.1
"""If at least this share of the boxes reaches beyond a size, they are not drawn on it. Between this share and
`MAX_BAD_BOX_SHARE`, they may be drawn on it carelessly."""

_MAX_CHANCE = 0.1
"""Boxes that all fit the smaller of two sizes are drawn on it if chance explains this less often."""

_MIN_FACTOR = 1.02
"""Photos that differ from their declared size by less than this factor do not count as resized."""


class _DrawnOn(Enum):
    """What boxes are drawn on, as far as they show it."""

    DECLARED = "the declared sizes"
    PHOTOS = "the photos as they are"
    EITHER = "both sizes, so that they may be in the wrong place"
    NEITHER = "neither size"


@dataclass(frozen=True, slots=True)
class ResizedPhotos:
    """photos: those that were resized after labeling; unclear: those that may have been."""

    photos: list[int]
    unclear: list[int]


def find_resized(
    labels: Labels,
    sizes: NDArray[np.int32],
    differing: Sequence[int],
    descriptions: Sequence[str],
    findings: Findings,
) -> ResizedPhotos:
    """Of photos whose labels declare another size, those that were resized after labeling.

    sizes:        (P, 2) heights and widths as shown
    differing:    indices of the photos with another declared size
    descriptions: of these, for the findings

    Resized photos have the shape of their declared size, and their boxes are drawn on that size: nearly all
    fit it, and many reach beyond the photos. On enlarged photos, they lie in the same corner of all photos,
    more often than by chance. Boxes that fit the photos instead are right, and the declared sizes are wrong.

    It is an error if all photos with objects differ, and their boxes do not show what they are drawn on.
    """
    shown = dict(zip(differing, descriptions, strict=True))
    with_objects = set(labels.photo_of.tolist())
    if others := _with_other_shapes(labels, sizes, shown, with_objects):
        reason = "has another shape, and is too small for the boxes"
        return _unclear(labels, others, shown, reason, findings)
    photos = [p for p in differing if p in with_objects and _has_declared_shape(labels, sizes, p)]
    is_whole_set = len(photos) == len(with_objects)
    drawn_on = _drawn_on(labels, sizes, photos)
    if photos and is_whole_set and drawn_on in (_DrawnOn.EITHER, _DrawnOn.NEITHER):
        return _unclear(labels, photos, shown, f"the boxes fit {drawn_on.value}", findings)
    beyond_photos = _beyond(labels, sizes, photos)
    if drawn_on is not _DrawnOn.DECLARED or (beyond_photos < _MIN_BEYOND and not is_whole_set):
        return ResizedPhotos([], [])
    factors = _factors(labels, sizes, photos)
    for photo, factor in zip(photos, factors.tolist(), strict=True):
        labeled = labels.photos[photo]
        detail = f"{shown[photo]}: {factor:.3g} times"
        findings.add(Finding(PHOTO_RESIZED, labeled.location, detail, labeled.file))
    return ResizedPhotos(photos, [])


def _unclear(
    labels: Labels, photos: list[int], shown: Mapping[int, str], reason: str, findings: Findings
) -> ResizedPhotos:
    for photo in photos:
        labeled = labels.photos[photo]
        detail = f"{shown[photo]}; {reason}"
        findings.add(Finding(COORDINATES_SCALED, labeled.location, detail, labeled.file))
    return ResizedPhotos([], photos)


def _with_other_shapes(
    labels: Labels, sizes: NDArray[np.int32], shown: Mapping[int, str], with_objects: Set[int]
) -> list[int]:
    """All photos if they have another shape than declared and many boxes reach beyond them; else none."""
    photos = [p for p in shown if p in with_objects and _has_other_shape(labels, sizes, p)]
    is_whole_set = len(photos) == len(with_objects) and bool(photos)
    return photos if is_whole_set and _beyond(labels, sizes, photos) >= _MIN_BEYOND else []


def scale_labels(labels: Labels, label_sizes: NDArray[np.int32], sizes: NDArray[np.int32]) -> Labels:
    """Move boxes and areas from photos of `label_sizes` (P, 2) to photos of `sizes` (P, 2)."""
    factors = (sides_or_ones(sizes) / sides_or_ones(label_sizes))[labels.photo_of]
    return replace(
        labels,
        boxes=labels.boxes * factors[:, [1, 0, 1, 0]],
        extents=labels.extents * factors[:, ::-1],
        areas=labels.areas * factors.prod(axis=1),
    )


def outlines_on_photos(labels: Labels, label_sizes: NDArray[np.int32], sizes: NDArray[np.int32]) -> Labels:
    """Move outlines from photos of `label_sizes` (P, 2) to photos of `sizes` (P, 2), but no run lengths."""
    outline = labels.outline
    if outline is None or np.array_equal(label_sizes, sizes):
        return labels
    factors = (sides_or_ones(sizes) / sides_or_ones(label_sizes))[:, ::-1]

    def moved(row: int) -> Outline | None:
        shape = outline(row)
        if shape is None or isinstance(shape, RunLengths):
            return shape
        across, down = factors[labels.photo_of[row]].tolist()
        return shape.scale((across, down))

    return replace(labels, outline=moved)


def in_pixels(labels: Labels, sizes: NDArray[np.int32]) -> Labels:
    """Labels in fractions of their photos, in pixels of photos of `sizes` (P, 2); others as they are."""
    if labels.unit == "pixel":
        return labels
    sizes = sides_or_ones(sizes)
    edges = sizes[labels.photo_of].astype(np.float64)
    return replace(
        labels,
        boxes=tidy_pixels(labels.boxes * edges[:, [1, 0, 1, 0]]),
        extents=tidy_pixels(labels.extents * edges[:, ::-1]),
        outline=_outlines_in_pixels(labels, sizes),
        unit="pixel",
    )


def _outlines_in_pixels(labels: Labels, sizes: NDArray[np.int32]) -> Callable[[int], Outline | None] | None:
    outline = labels.outline
    if outline is None:
        return None

    def scaled(row: int) -> Outline | None:
        shape = outline(row)
        if shape is None or isinstance(shape, RunLengths):
            return shape
        height, width = sizes[labels.photo_of[row]].tolist()
        shape = shape.scale((float(width), float(height)))
        if isinstance(shape, Polygons):
            return Polygons(tuple(map(tidy_pixels, shape.parts)), tuple(map(tidy_pixels, shape.holes)))
        return shape

    return scaled


# ---------------------------------------------------------------- evidence


def _drawn_on(labels: Labels, sizes: NDArray[np.int32], photos: Sequence[int]) -> _DrawnOn:
    """What the boxes of these photos are drawn on."""
    beyond_declared = _beyond(labels, _declared(labels, sizes), photos)
    beyond_photos = _beyond(labels, sizes, photos)
    if min(beyond_declared, beyond_photos) > MAX_BAD_BOX_SHARE:
        return _DrawnOn.NEITHER
    if max(beyond_declared, beyond_photos) >= _MIN_BEYOND:
        return _DrawnOn.DECLARED if beyond_photos > beyond_declared else _DrawnOn.PHOTOS
    factors = _factors(labels, sizes, photos)
    num_boxes = np.bincount(labels.photo_of[_finite(labels)], minlength=len(sizes))[list(photos)]
    # A box at a random place lies in the smaller photo with at most the ratio of the two areas.
    chance = np.exp(-2 * np.sum(num_boxes * np.abs(np.log(factors))))
    is_certain = chance <= _MAX_CHANCE and max(beyond_declared, beyond_photos) <= MAX_BAD_BOX_SHARE
    if is_certain and (factors > 1).all():
        return _DrawnOn.DECLARED
    return _DrawnOn.PHOTOS if is_certain and (factors < 1).all() else _DrawnOn.EITHER


def _beyond(labels: Labels, sizes: NDArray[np.int32], photos: Sequence[int]) -> float:
    """The share of these photos' boxes that reach beyond these sizes (P, 2)."""
    rows = np.flatnonzero(np.isin(labels.photo_of, photos) & _finite(labels))
    beyond = reach_beyond(labels.boxes[rows], sizes[labels.photo_of[rows]])
    return float(beyond.mean()) if len(rows) else 0.0


def _finite(labels: Labels) -> NDArray[np.bool_]:
    return np.asarray(np.isfinite(labels.boxes).all(axis=1))


# ---------------------------------------------------------------- sizes


def _declared(labels: Labels, sizes: NDArray[np.int32]) -> Int[np.ndarray, "P 2"]:
    """The declared sizes, and those of the photos where none is declared."""
    pairs = zip(labels.photos, sizes.tolist(), strict=True)
    return np.array([photo.declared_size or size for photo, size in pairs], dtype=np.int64).reshape(-1, 2)


def _has_declared_shape(labels: Labels, sizes: NDArray[np.int32], photo: int) -> bool:
    """Whether a photo has its declared shape, to a pixel, but clearly another size."""
    low, high = _possible_factors(labels, sizes, photo)
    is_near = low <= 1 <= high or 1 / _MIN_FACTOR <= (low + high) / 2 <= _MIN_FACTOR
    return low <= high and not is_near


def _has_other_shape(labels: Labels, sizes: NDArray[np.int32], photo: int) -> bool:
    low, high = _possible_factors(labels, sizes, photo)
    return low > high


def _possible_factors(labels: Labels, sizes: NDArray[np.int32], photo: int) -> tuple[float, float]:
    """The least and the greatest factor from the declared size to that of a photo, to a pixel per side."""
    declared, size = np.array(labels.photos[photo].declared_size), sizes[photo].astype(np.float64)
    return float(((size - 1) / declared).max()), float(((size + 1) / declared).min())


def _factors(labels: Labels, sizes: NDArray[np.int32], photos: Sequence[int]) -> Float[np.ndarray, " M"]:
    """How many times the declared size each photo is, along its longer side."""
    chosen = list(photos)
    return np.asarray(sizes[chosen].max(axis=1) / _declared(labels, sizes)[chosen].max(axis=1))
