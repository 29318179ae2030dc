"""Single label files in percent or pixels, among files in fractions of the photo."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float, Int

from boxmask.data.findings import Finding, Findings, Location
from boxmask.data.formats.labels import PhotoEntry
from boxmask.data.formats.yolo.kinds import FILE_UNIT_DIFFERS
from boxmask.data.formats.yolo.units import FAR_BEYOND, Unit, find_unit, photo_edges
from boxmask.messages import format_count

_MIN_BOXES = 3
"""Fewer boxes of one photo do not show that they are in percent."""

_MIN_FILLED, _MAX_FILLED = 60.0, 0.5
"""They look like percent if they reach at least this number, and as pixels at most this part of the photo."""

_WORDS: Mapping[Unit, str] = {
    "percent": "the numbers look like percent: divide them by 100",
    "pixels": "the numbers look like pixels: divide x and the width by the width of the photo, y and the "
    "height by its height",
    "unclear": "the numbers look like percent or pixels",
}


def report_file_units(
    root: Path,
    photos: Sequence[PhotoEntry],
    photo_of: Int[np.ndarray, " N"],
    boxes: Float[np.ndarray, "N 4"],
    location: Callable[[int], Location],
    findings: Findings,
) -> None:
    """Add a finding per label file in which most objects have no number below 1.5, as fractions have.

    boxes: corners as written, most of them in fractions
    """
    with np.errstate(invalid="ignore", over="ignore"):  # NaN is not beyond
        sides = boxes[:, 2:] - boxes[:, :2]
        is_beyond = (boxes[:, 2:] > FAR_BEYOND).all(axis=1) & (sides > FAR_BEYOND).all(axis=1)
    for photo, rows in _files_beyond(photo_of, is_beyond):
        beyond = rows[is_beyond[rows]]
        edges = photo_edges(root, photos, photo_of[beyond])
        largest = boxes[beyond].max()
        detail = (
            f"{len(beyond):,} of {format_count(len(rows), 'object')} reach beyond 1, up to {largest:g}; "
            f"{_WORDS[_unit_of_file(boxes[beyond], edges)]}"
        )
        findings.add(Finding(FILE_UNIT_DIFFERS, location(int(beyond[0])), detail, photos[photo].file))


def _files_beyond(
    photo_of: Int[np.ndarray, " N"], is_beyond: Bool[np.ndarray, " N"]
) -> Iterator[tuple[int, Int[np.ndarray, " M"]]]:
    """The photos most of whose objects are beyond, with all their objects."""
    if not is_beyond.any():
        return
    counts = np.bincount(photo_of)
    order, ends = np.argsort(photo_of, kind="stable"), np.cumsum(counts)
    for photo in np.flatnonzero(2 * np.bincount(photo_of, is_beyond) > counts).tolist():
        yield photo, order[ends[photo] - counts[photo] : ends[photo]]


def _unit_of_file(boxes: Float[np.ndarray, "M 4"], edges: Float[np.ndarray, "M 2"]) -> Unit:
    unit = find_unit(boxes, edges, np.zeros(len(boxes), dtype=np.int64))
    if unit != "unclear" or len(boxes) < _MIN_BOXES:
        return unit
    reach = boxes[:, 2:].max(axis=0)
    part = float(np.sqrt((reach / edges[0]).prod()))  # 0 for a photo of unknown size
    return "percent" if reach.min() >= _MIN_FILLED and 0 < part <= _MAX_FILLED else "unclear"
