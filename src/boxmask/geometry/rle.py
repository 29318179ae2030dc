"""Run lengths, COCO's way to write a mask: the photo's pixels column by column, as counts of 0, 1, 0, 1 ...

Lin et al. 2014 (COCO, arXiv:1405.0312), in the form of pycocotools; read and written by window, so that a
large photo is never unrolled for a small object.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Int

from boxmask.masks import Masks, Size


def encode(masks: Masks) -> list[Int[np.ndarray, " R"]]:
    """The counts of each mask over the whole photo; they add up to H * W."""
    corners = masks.windows[:, :2].tolist()
    return [_counts(crop, x, y, masks.size) for crop, (x, y) in zip(masks.crops(), corners, strict=True)]


def decode(counts: list[Int[np.ndarray, " R"]], size: Size) -> Masks:
    """The masks that counts stand for; no counts at all, [], stand for an outline that is not known.

    Raises ValueError where counts are negative or do not add up to H * W.
    """
    parts = [_window(np.asarray(one, dtype=np.int64), size) for one in counts]
    return Masks.of([crop for crop, _ in parts], [(x, 0) for _, x in parts], size)


def _counts(crop: Bool[np.ndarray, "h w"], x: int, y: int, size: Size) -> Int[np.ndarray, " R"]:
    """Of one mask whose window begins at (x, y); only the window is looked at."""
    height, width = size
    columns = np.zeros((crop.shape[1], crop.shape[0] + 1), dtype=np.bool_)  # a run ends with its column
    columns[:, :-1] = crop.T
    across, down = np.divmod(np.flatnonzero(np.diff(columns.ravel(), prepend=False)), columns.shape[1])
    changes = (x + across) * height + y + down
    goes_on = np.flatnonzero(changes[2::2] == changes[1:-1:2])  # in the next column, from the photo's rim
    changes = np.delete(changes, np.concatenate([2 * goes_on + 1, 2 * goes_on + 2]))
    if len(changes) and changes[-1] == height * width:
        changes = changes[:-1]
    return np.diff(changes, prepend=0, append=height * width)


def _window(counts: Int[np.ndarray, " R"], size: Size) -> tuple[Bool[np.ndarray, "H w"], int]:
    """The columns that hold pixels, and the first of them."""
    height, width = size
    ends = np.cumsum(counts)
    if not len(counts):
        return np.zeros((height, 0), dtype=np.bool_), 0
    if (counts < 0).any() or ends[-1] != height * width:
        raise ValueError(f"run lengths: expected a sum of {height * width}, found {int(ends[-1])}")
    starts, stops = ends[: 2 * (len(ends) // 2) : 2], ends[1::2]
    filled = starts < stops
    if not filled.any():
        return np.zeros((height, 0), dtype=np.bool_), 0
    starts, stops = starts[filled], stops[filled]
    first, last = int(starts[0]) // height, (int(stops[-1]) - 1) // height
    steps = np.zeros((last + 1 - first) * height + 1, dtype=np.int8)
    np.add.at(steps, starts - first * height, 1)
    np.add.at(steps, stops - first * height, -1)
    pixels = np.cumsum(steps[:-1], dtype=np.int8).astype(np.bool_)
    return pixels.reshape(-1, height).T, first
