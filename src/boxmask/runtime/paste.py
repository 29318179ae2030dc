"""Masks from the scores of the mask branch, with numpy alone; see `boxmask.kernels.masks.paste_masks`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from boxmask.masks import Masks, Size

if TYPE_CHECKING:
    from jaxtyping import Bool, Float

HALF = np.float32(0.5)


def paste_masks(
    scores: Float[np.ndarray, "N M M"], boxes: Float[np.ndarray, "N 4"], size: Size, threshold: float
) -> Masks:
    """Resize the scores (0..1) of N objects to their boxes, in pixels of a photo of `size`.

    A pixel belongs to the mask if its score is above the threshold. Only the pixels of a box are computed.
    Raises ValueError for scores of other shapes.
    """
    if scores.shape != (len(boxes), *scores.shape[1:2] * 2) or not np.isfinite(boxes).all():
        raise ValueError(f"mask_scores: expected ({len(boxes)}, M, M), found {scores.shape}")
    framed = np.pad(scores, ((0, 0), (1, 1), (1, 1)))
    half = (boxes[:, 2:] - boxes[:, :2]) * HALF * np.float32(framed.shape[1] / max(1, scores.shape[1]))
    middle = (boxes[:, 2:] + boxes[:, :2]) * HALF
    first, last = (middle - half).astype(np.int64), (middle + half).astype(np.int64)
    crops, corners = [], []
    for score, (left, top), (right, bottom) in zip(framed, first.tolist(), last.tolist(), strict=True):
        across = _weights(left, right, size[1], len(score))
        down = _weights(top, bottom, size[0], len(score))
        inside: Bool[np.ndarray, "h w"] = down @ (score @ across.T) > np.float32(threshold)
        crops.append(inside)
        corners.append((max(left, 0), max(top, 0)))
    return Masks.from_crops(crops, corners, size)


def _weights(first: int, last: int, side: int, cells: int) -> Float[np.ndarray, "n S"]:
    """The weight of each of S cells in each pixel from `first` to `last` that lies inside the photo."""
    length = max(last - first + 1, 1)
    pixels = np.arange(max(first, 0), max(min(first + length, side), 0)) - first
    at = np.float32(cells / length) * (pixels.astype(np.float32) + HALF) - HALF
    at = np.clip(at, 0, cells - 1)[:, None]
    distance: Float[np.ndarray, "n S"] = np.abs(at - np.arange(cells, dtype=np.float32))
    return np.maximum(np.float32(0), np.float32(1) - distance)
