"""CVAT's masks: run lengths, row by row, within the box of the mask, the first one of pixels outside."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Int

from boxmask.data.outlines import RunLengths
from boxmask.geometry import rle
from boxmask.masks import Masks, Size

_MAX_SIDE = 2**20
_MAX_PIXELS = 2**27
"""Masks of more pixels would take much memory, and photos may claim any size."""


def read_mask(text: str, window: Sequence[str], size: Size) -> RunLengths:
    """The mask over a photo of (height, width).

    text:   run lengths, "0, 5, 3, ..."
    window: left, top, width and height as written; it may reach beyond the photo

    Raises ValueError with what is wrong.
    """
    left, top, width, height = _window(window, size)
    try:
        counts = np.array(text.split(","), dtype=np.int64)
    except (ValueError, OverflowError):
        raise ValueError(f"expected run lengths as whole numbers in rle, found {text[:60]}") from None
    if (counts < 0).any() or (counts > width * height).any() or counts.sum() != width * height:
        raise ValueError(f"its run lengths add up to {counts.sum()}, its box has {width * height} pixels")
    pixels = np.repeat(np.arange(len(counts)) % 2 == 1, counts).reshape(height, width)
    return RunLengths(rle.encode(Masks.from_crops([pixels], [(left, top)], size))[0], size)


def _window(texts: Sequence[str], size: Size) -> tuple[int, int, int, int]:
    try:
        left, top, width, height = (int(float(text)) for text in texts)
    except (ValueError, OverflowError):
        raise ValueError(f"expected whole numbers left, top, width, height, found {list(texts)}") from None
    if not (0 < width <= size[1] and 0 < height <= size[0]):
        raise ValueError(f"a mask of {width} × {height} pixels in a photo of {size[1]} × {size[0]}")
    if width * height > _MAX_PIXELS:
        raise ValueError(f"a mask of {width} × {height} pixels; at most {_MAX_PIXELS:,} are read")
    if max(abs(left), abs(top)) > _MAX_SIDE:
        raise ValueError(f"a mask at {left}, {top} in a photo of {size[1]} × {size[0]} pixels")
    return left, top, width, height


def run_lengths(crop: Bool[np.ndarray, "h w"]) -> Int[np.ndarray, " R"]:
    """The run lengths of a box's pixels, row by row, those of False first."""
    changes = np.flatnonzero(np.diff(crop.ravel(), prepend=False))
    return np.diff(changes, prepend=0, append=crop.size)
