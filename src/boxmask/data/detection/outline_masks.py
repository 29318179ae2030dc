"""Outlines as masks and boxes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import numpy as np
from jaxtyping import Bool
from numpy.typing import NDArray

from boxmask.data.detection.compressed_masks import CompressedMasks
from boxmask.data.detection.mask_rows import MaskRows
from boxmask.data.detection.photo_sizes import UNKNOWN_SIZE
from boxmask.data.findings import Box, Finding, Findings, Kind
from boxmask.data.formats.labels import Labels
from boxmask.data.outlines import FewPointsError, Outline, Polygons, RunLengths, WrongSizeError, fill

_MAX_REACH = 1
"""Points may lie this many times the sides of the photo beyond it. Following a line farther out could take
all memory."""

OUTLINE_UNREADABLE = Kind(
    "outline-unreadable",
    "error",
    "Outlines that cannot be read",
    "Correct these outlines, or remove them.",
)
OUTLINE_FAR_OUTSIDE = Kind(
    "outline-far-outside",
    "error",
    "Outlines that reach farther beyond their photo than the photo is large",
    "Draw these outlines again, or remove them. If they are many, check that the labels belong to these "
    "photos, and that they are in pixels.",
)
OUTLINE_FEW_POINTS = Kind(
    "outline-few-points",
    "error",
    "Polygons with fewer than 3 points",
    "Complete these polygons, or remove them.",
)
OUTLINE_WRONG_SIZE = Kind(
    "outline-wrong-size",
    "error",
    "Masks (run lengths) of another size than their photo",
    "Export these masks again. Run lengths must cover the photo as it is shown.",
)
OUTLINE_EMPTY = Kind(
    "outline-empty",
    "warning",
    "Outlines that cover no pixel",
    "Draw these outlines again, or remove them. The masks of these objects count as unknown.",
)


class _FarOutsideError(ValueError):
    """An outline that lies too far outside its photo to be filled."""


@dataclass(frozen=True, slots=True)
class MaskReading:
    """The masks of N objects.

    bad: the rows whose outline cannot be used
    """

    masks: CompressedMasks
    bad: frozenset[int] = field(default_factory=frozenset)


def fill_outlines(
    labels: Labels,
    sizes: NDArray[np.int32],
    label_sizes: NDArray[np.int32],
    findings: Findings,
    unchecked: Bool[np.ndarray, " P"],
) -> MaskReading:
    """The masks of all objects over their photos of `sizes` (P, 2); outlines are written for `label_sizes`.

    An object without an outline, or whose outline cannot be used, has an unknown mask.

    unchecked: the photos whose size is unknown or known to be wrong, where run lengths of another size are
               no finding

    Outlines on photos of unknown size are read, but not filled.
    """
    outline = labels.outline
    num_objects = len(labels.photo_of)
    if outline is None:
        return MaskReading(CompressedMasks.unknown(num_objects))
    masks, errors, rows = MaskRows(), dict[int, ValueError](), list[int]()
    size_pairs = np.concatenate([sizes, label_sizes], axis=1).tolist()
    for row, photo in enumerate(labels.photo_of.tolist()):
        height, width, label_height, label_width = size_pairs[photo]
        try:
            shape = outline(row)
            if shape is not None and (height, width) != UNKNOWN_SIZE:
                _check_reach(shape, (label_height, label_width))
                masks.add(shape, (height, width), (label_height, label_width))
                rows.append(row)
        except ValueError as error:
            errors[row] = error
    filled, is_empty = masks.at(rows, num_objects)
    without_pixels = np.flatnonzero(is_empty).tolist()
    _add_errors(labels, errors, unchecked, findings)
    _add(labels, OUTLINE_EMPTY, without_pixels, lambda _: "covers no pixel", findings)
    return MaskReading(filled, frozenset(errors))


def _add_errors(
    labels: Labels,
    errors: dict[int, ValueError],
    unchecked: Bool[np.ndarray, " P"],
    findings: Findings,
) -> None:
    rows: dict[Kind, list[int]] = {
        kind: [] for kind in (OUTLINE_WRONG_SIZE, OUTLINE_FEW_POINTS, OUTLINE_FAR_OUTSIDE, OUTLINE_UNREADABLE)
    }
    for row, error in errors.items():
        kind = _kind_of(error)
        if not unchecked[labels.photo_of[row]] or kind is not OUTLINE_WRONG_SIZE:
            rows[kind].append(row)
    for kind, found in rows.items():
        _add(labels, kind, found, lambda row: str(errors[row]), findings, errors)


def _kind_of(error: ValueError) -> Kind:
    if isinstance(error, FewPointsError):
        return OUTLINE_FEW_POINTS
    if isinstance(error, _FarOutsideError):
        return OUTLINE_FAR_OUTSIDE
    return OUTLINE_WRONG_SIZE if isinstance(error, WrongSizeError) else OUTLINE_UNREADABLE


def _add(
    labels: Labels,
    kind: Kind,
    rows: list[int],
    reason: Callable[[int], str],
    findings: Findings,
    errors: Mapping[int, ValueError] = MappingProxyType({}),
) -> None:
    def describe(row: int) -> Finding:
        photo = labels.photos[labels.photo_of[row]].file
        place = _place(labels, row, errors.get(row))
        return Finding(kind, labels.location(row), reason(row), photo, place)

    findings.add_all(kind, rows, describe)


def _place(labels: Labels, row: int, error: ValueError | None) -> Box | None:
    """The box of an object, else the smallest one around the points of its outline."""
    bounds = labels.boxes[row]
    if np.isnan(bounds).all() and isinstance(error, FewPointsError) and error.points is not None:
        bounds = np.concatenate([error.points.min(axis=0), error.points.max(axis=0)])
    x1, y1, x2, y2 = bounds.tolist()
    return (x1, y1, x2, y2) if np.isfinite(bounds).all() else None


def _check_reach(outline: Outline, size: tuple[int, int]) -> None:
    """Raise _FarOutsideError if an outline lies far outside its photo of (height, width)."""
    reach = _MAX_REACH * max(size)
    if isinstance(outline, RunLengths) or _is_within(outline, reach):
        return
    x1, y1, x2, y2 = outline.bounds().tolist()
    if min(x1, y1) < -reach or x2 > size[1] + reach or y2 > size[0] + reach:
        extent = f"x {x1:g} to {x2:g}, y {y1:g} to {y2:g}"
        raise _FarOutsideError(f"an outline at {extent} in a photo of {size[1]} × {size[0]} pixels")


def _is_within(outline: Outline, distance: float) -> bool:
    """Whether no coordinate of a polygon exceeds a distance. Quick, for the many outlines that are sound."""
    return isinstance(outline, Polygons) and all(
        float(np.abs(part).max(initial=0)) <= distance for part in outline.parts
    )


def with_boxes_of_outlines(labels: Labels, is_size_unknown: Bool[np.ndarray, " P"]) -> Labels:
    """Give each object that has no box the smallest box around the points of its outline.

    Run lengths give a box only on photos of unknown size. Those on others are decoded later, with all masks.
    """
    rows = np.flatnonzero(np.isnan(labels.boxes).all(axis=1))
    if labels.outline is None or not len(rows):
        return labels
    boxes, extents = labels.boxes.copy(), labels.extents.copy()
    for row in rows.tolist():
        bounds = _bounds(labels.outline, row, bool(is_size_unknown[labels.photo_of[row]]))
        if bounds is not None:
            boxes[row] = bounds
            extents[row] = boxes[row, 2:] - boxes[row, :2]
    return replace(labels, boxes=boxes, extents=extents)


def _bounds(outline: Callable[[int], Outline | None], row: int, decode: bool) -> NDArray[np.float64] | None:
    """None for an outline without points, or one that cannot be read, which is reported with the masks."""
    try:
        shape = outline(row)
    except ValueError:
        return None
    if isinstance(shape, RunLengths):
        return _bounds_of_runs(shape) if decode else None
    return None if shape is None else shape.bounds()


def _bounds_of_runs(mask: RunLengths) -> NDArray[np.float64] | None:
    """None for a mask without pixels, or one that does not fit its own size."""
    try:
        runs = fill(mask, mask.size, mask.size)
    except ValueError:
        return None
    boxes = CompressedMasks.from_run_lengths([runs]).mask(0, mask.size).boxes()
    return np.asarray(boxes[0], dtype=np.float64) if runs[1::2].any() else None


def with_boxes_of_masks(labels: Labels, masks: CompressedMasks, sizes: NDArray[np.int32]) -> Labels:
    """Give each object that has a mask but no box the smallest box around its mask."""
    rows = np.flatnonzero(np.isnan(labels.boxes).all(axis=1) & masks.known)
    boxes, extents = labels.boxes.copy(), labels.extents.copy()
    for row in rows.tolist():
        height, width = sizes[labels.photo_of[row]].tolist()
        boxes[row] = masks.mask(row, (height, width)).boxes()[0]
        extents[row] = boxes[row, 2:] - boxes[row, :2]
    return replace(labels, boxes=boxes, extents=extents)
