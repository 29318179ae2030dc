"""One order for classes and objects, whatever order the label files have.

Labels that say the same train the same model. See docs/decisions/0036-order-of-labels.md.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float, Int

from boxmask.data.detection.rle_masks import RleMasks


def sort_classes(names: Sequence[str]) -> tuple[tuple[str, ...], Int[np.ndarray, " K"]]:
    """The names in their order as text, and the new index of each name."""
    in_order = tuple(sorted(names))
    index = {name: new for new, name in enumerate(in_order)}
    return in_order, np.array([index[name] for name in names], dtype=np.int64)


def sort_objects(
    rows: Int[np.ndarray, " M"],
    photo_of: Int[np.ndarray, " N"],
    labels: Int[np.ndarray, " N"],
    boxes: Float[np.ndarray, "N 4"],
    ignored: Bool[np.ndarray, "2 N"],
    masks: RleMasks,
) -> Int[np.ndarray, " M"]:
    """Sort objects by photo, class, box, what is ignored of them, and mask.

    rows:    of the objects to sort
    ignored: whether each object is a crowd region, and whether it is difficult
    """
    keys = np.stack([photo_of, labels, *boxes.T, *ignored])[:, rows]  # float64 holds all of them exactly
    order = np.lexsort(keys[::-1])
    rows, keys = rows[order], keys[:, order]
    is_repeat = (keys[:, 1:] == keys[:, :-1]).all(axis=0)
    if not len(masks.runs) or not is_repeat.any():
        return rows
    groups = np.split(rows, np.flatnonzero(~is_repeat) + 1)
    return np.concatenate([_sort_by_mask(group, masks) if len(group) > 1 else group for group in groups])


def _sort_by_mask(rows: Int[np.ndarray, " G"], masks: RleMasks) -> Int[np.ndarray, " G"]:
    def runs(row: int) -> list[int]:
        return masks.runs[masks.offsets[row] : masks.offsets[row + 1]].tolist()

    return np.array(sorted(rows.tolist(), key=runs), dtype=np.int64)
