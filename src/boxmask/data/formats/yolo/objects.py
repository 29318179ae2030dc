"""The objects of YOLO label files as `Labels`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import NDArray

from boxmask.data.findings import Finding, Findings, Location
from boxmask.data.formats.kinds import SHAPE_UNSUPPORTED
from boxmask.data.formats.labels import Labels, PhotoEntry, label_files_of
from boxmask.data.formats.yolo.class_numbers import NamesByNumber, number_classes
from boxmask.data.formats.yolo.file_units import report_file_units
from boxmask.data.formats.yolo.lines import ObjectArrays
from boxmask.data.formats.yolo.units import FAR_BEYOND, KIND_OF_UNIT, MAX_PERCENT, find_unit, photo_edges
from boxmask.data.outlines import Outline, Polygons

_MIN_LINES = 3
"""Fewer lines may look like keypoints by accident."""


def make_labels(
    root: Path,
    photos: Sequence[tuple[PhotoEntry, str]],
    objects: ObjectArrays,
    class_names: NamesByNumber,
    findings: Findings,
) -> Labels:
    """The labels of photos, each given with its label file.

    Objects whose class has no name become findings and are left out. Coordinates that are no fractions in
    most of the objects are one finding; they are then taken as pixels, or as percent.
    """
    label_files = [label for _, label in photos]

    def location_of(entry: int) -> Location:
        return Location(str(root / label_files[objects.files[entry]]), int(objects.lines[entry]))

    names, labels = number_classes(
        root, class_names, label_files, objects.files, objects.classes, location_of, findings
    )
    boxes, extents, has_outline = _boxes(objects)
    _report_keypoints(objects, location_of, findings)
    entries = [photo for photo, _ in photos]
    scale, unit = _scale(root, entries, objects.files, boxes, location_of, findings)
    kept = np.flatnonzero(labels >= 0)
    return Labels(
        root=root,
        class_names=names,
        photos=entries,
        photo_of=objects.files[kept],
        boxes=boxes[kept] * scale,
        extents=extents[kept] * scale,
        labels=labels[kept],
        areas=np.full(len(kept), np.nan),
        crowd=np.zeros(len(kept), dtype=bool),
        difficult=np.zeros(len(kept), dtype=bool),
        location=lambda row: location_of(int(kept[row])),
        box_form="center",
        unit=unit,
        outline=_outlines(objects, kept, scale) if has_outline.any() else None,
    )


# ---------------------------------------------------------------- boxes and outlines


def _boxes(
    objects: ObjectArrays,
) -> tuple[Float[np.ndarray, "N 4"], Float[np.ndarray, "N 2"], NDArray[np.bool_]]:
    """Corners, widths and heights of boxes, and which objects have a polygon, whose bounds are the box."""
    has_outline = np.diff(objects.offsets) > 0
    half = objects.boxes[:, 2:] / 2
    boxes = np.concatenate([objects.boxes[:, :2] - half, objects.boxes[:, :2] + half], axis=1)
    extents = objects.boxes[:, 2:].copy()
    if has_outline.any():
        starts = objects.offsets[:-1][has_outline]  # every point belongs to a polygon
        boxes[has_outline, :2] = np.minimum.reduceat(objects.points, starts, axis=0)
        boxes[has_outline, 2:] = np.maximum.reduceat(objects.points, starts, axis=0)
        extents[has_outline] = boxes[has_outline, 2:] - boxes[has_outline, :2]
    return boxes, extents, has_outline


def _outlines(
    objects: ObjectArrays, kept: NDArray[np.int64], scale: float
) -> Callable[[int], Outline | None]:
    def outline(row: int) -> Outline | None:
        start, end = objects.offsets[kept[row] : kept[row] + 2].tolist()
        if start == end:
            return None
        points = objects.points[start:end] * scale
        if not np.isfinite(points).all():
            raise ValueError("expected finite coordinates, found nan or inf")
        return Polygons((points,))

    return outline


# ---------------------------------------------------------------- the labels as a whole


def _scale(
    root: Path,
    photos: Sequence[PhotoEntry],
    photo_of: Int[np.ndarray, " N"],
    boxes: Float[np.ndarray, "N 4"],
    location: Callable[[int], Location],
    findings: Findings,
) -> tuple[float, Literal["pixel", "fraction"]]:
    """What to multiply coordinates with, and their unit: those that are far above 1 are no fractions."""
    finite = np.flatnonzero(np.isfinite(boxes).all(axis=1))
    largest = np.abs(boxes[finite]).max(axis=1, initial=0)
    beyond = largest > FAR_BEYOND
    if 2 * beyond.sum() <= len(finite):
        report_file_units(root, photos, photo_of, boxes, location, findings)
        return 1.0, "fraction"
    edges = photo_edges(root, photos, photo_of[finite])
    unit = find_unit(boxes[finite], edges, photo_of[finite])
    detail = (
        f"{beyond.sum():,} of {len(finite):,} objects reach beyond 1; the largest number is {largest.max():g}"
    )
    kind = KIND_OF_UNIT[unit]
    files = label_files_of(photos, np.unique(photo_of).tolist())
    parts = tuple(Finding(kind, file) for file in files)
    findings.add(Finding(kind, location(int(finite[beyond.argmax()])), detail, parts=parts))
    is_percent = unit == "percent" or (unit == "unclear" and largest.max() <= MAX_PERCENT)
    return (0.01, "fraction") if is_percent else (1.0, "pixel")


def _report_keypoints(objects: ObjectArrays, location: Callable[[int], Location], findings: Findings) -> None:
    """Report polygons that are boxes and keypoints in all lines, with two numbers per keypoint.

    Nothing else tells them from polygons: the first two points are a box that all the others lie in, and in
    some line the second point is not near the others, as it is in small polygons.
    """
    counts = np.diff(objects.offsets)
    entries = np.flatnonzero(counts)
    if len(entries) < _MIN_LINES or len(entries) < len(counts) or len(np.unique(counts)) > 1 or counts[0] < 4:
        return
    points = objects.points.reshape(len(counts), int(counts[0]), 2)
    center, half, keypoints = points[:, :1], points[:, 1:2] / 2, points[:, 2:]
    inside = (np.abs(keypoints - center) <= half + 1e-6).all(axis=2) | (keypoints == 0).all(axis=2)
    placed = np.where((keypoints == 0).all(axis=2, keepdims=True), center, keypoints)
    spread = np.ptp(np.concatenate([center, placed], axis=1), axis=1)
    is_near = np.abs(points[:, 1] - points[:, 0]) <= 2 * spread
    if inside.all() and not is_near.all():
        number = keypoints.shape[1]
        detail = (
            f"all {len(counts):,} lines seem to be boxes with {number} keypoints; to read the boxes alone, "
            f"add kpt_shape: [{number}, 2] to data.yaml"
        )
        findings.add(Finding(SHAPE_UNSUPPORTED, location(0), detail))
