"""Outlines as masks and boxes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from boxmask.data.detection.rle_masks import RleMasks
from boxmask.data.formats.labels import Labels, MaskReading
from boxmask.data.outlines import Outline, RunLengths, WrongSizeError, fill
from boxmask.messages import format_note

_MAX_REACH = 1
"""Points may lie this many photos beyond the photo. Following a line farther out could take all memory."""


def fill_outlines(labels: Labels, sizes: NDArray[np.int32], label_sizes: NDArray[np.int32]) -> MaskReading:
    """The masks of all objects over their photos of `sizes` (P, 2); outlines are written for `label_sizes`.

    An object without an outline, or whose outline covers no pixel, has an unknown mask.
    """
    outline = labels.outline
    assert outline is not None
    per_object = [np.zeros(0, dtype=np.int32)] * len(labels.photo_of)
    malformed, wrong_size, without_pixels, num_outlines = dict[int, str](), dict[int, str](), [], 0
    for row, photo in enumerate(labels.photo_of.tolist()):
        try:
            shape = outline(row)
            num_outlines += shape is not None
            if shape is None:
                continue
            label_size = (int(label_sizes[photo, 0]), int(label_sizes[photo, 1]))
            _check_reach(shape, label_size)
            runs = fill(shape, (int(sizes[photo, 0]), int(sizes[photo, 1])), label_size)
        except WrongSizeError as error:
            wrong_size[row] = str(error)
        except ValueError as error:
            num_outlines += 1
            malformed[row] = str(error)
        else:
            if runs[1::2].any():
                per_object[row] = runs
            else:
                without_pixels.append(str(labels.location(row)))
    notes = format_note(f"{len(without_pixels)} masks have no pixel and count as unknown", without_pixels)
    return MaskReading(RleMasks.from_run_lengths(per_object), num_outlines, malformed, wrong_size, notes)


def _check_reach(outline: Outline, size: tuple[int, int]) -> None:
    """Raise ValueError if an outline lies far outside its photo of (height, width)."""
    if isinstance(outline, RunLengths):
        return
    x1, y1, x2, y2 = outline.bounds().tolist()
    reach = _MAX_REACH * max(size)
    if min(x1, y1) < -reach or x2 > size[1] + reach or y2 > size[0] + reach:
        extent = f"x {x1:g} to {x2:g}, y {y1:g} to {y2:g}"
        raise ValueError(f"an outline at {extent} in a photo of {size[1]} × {size[0]} pixels")


def with_boxes_of_outlines(labels: Labels, sizes: NDArray[np.int32]) -> Labels:
    """Give each object that has no box the smallest box around the points of its outline, within its photo.

    Run lengths give no box here, because they must be decoded first.
    """
    if labels.outline is None:
        return labels
    boxes, extents = labels.boxes.copy(), labels.extents.copy()
    for row in np.flatnonzero(np.isnan(boxes).all(axis=1)).tolist():
        bounds = _bounds(labels.outline, row)
        if bounds is not None:
            height, width = sizes[labels.photo_of[row]].tolist()
            boxes[row] = np.clip(bounds, 0, (width, height, width, height))
            extents[row] = boxes[row, 2:] - boxes[row, :2]
    return replace(labels, boxes=boxes, extents=extents)


def _bounds(outline: Callable[[int], Outline | None], row: int) -> NDArray[np.float64] | None:
    """None for an outline without points, or one that cannot be read, which is reported with the masks."""
    try:
        shape = outline(row)
    except ValueError:
        return None
    return None if shape is None or isinstance(shape, RunLengths) else shape.bounds()
