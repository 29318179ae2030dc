"""The outlines that labels have, over photos whose sizes are known, and the boxes that follow from them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from boxmask.data.detection.rle_masks import RleMasks
from boxmask.data.formats.labels import Labels


def with_masks(labels: Labels, sizes: NDArray[np.int32]) -> tuple[Labels, RleMasks, tuple[str, ...]]:
    """The labels with a box for every object that has an outline, the outlines, and notes.

    sizes: (P, 2) heights and widths of the photos as shown
    Raises LabelError, with all places, for outlines that cannot be read or are of another photo size.
    """
    if labels.outlines is None:
        return labels, RleMasks.none(len(labels.photo)), ()
    outlines, notes = labels.outlines(sizes)
    rows = np.flatnonzero(np.isnan(labels.boxes).all(axis=1) & outlines.known)
    return _boxed(labels, outlines, sizes, rows), outlines, notes


def _boxed(labels: Labels, outlines: RleMasks, sizes: NDArray[np.int32], rows: NDArray[np.int64]) -> Labels:
    """With the smallest boxes around the outlines of some rows."""
    boxes, extents = labels.boxes.copy(), labels.extents.copy()
    for row in rows.tolist():
        height, width = sizes[labels.photo[row]].tolist()
        boxes[row] = outlines.masks(slice(row, row + 1), (height, width)).boxes()[0]
        extents[row] = boxes[row, 2:] - boxes[row, :2]
    return replace(labels, boxes=boxes, extents=extents)
