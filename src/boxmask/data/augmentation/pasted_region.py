"""The part of a photo that pasted objects cover, and what stays visible of objects above and below."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int, UInt8
from numpy.typing import NDArray
from torch import Tensor

from boxmask.masks import Masks, Size
from boxmask.types import Target

RIM = 0.1  # width of the soft rim around a box, as a share of its shorter side
RIM_LIMITS = (2.0, 16.0)  # pixels
OPAQUE = 256  # opacity of a pixel that is covered fully
MIN_LEFT = 0.1  # an object with less than this share left is removed


@dataclass(frozen=True, slots=True)
class PastedRegion:
    """The pixels of the photo that pasted objects cover.

    opacity: 0..OPAQUE; pixels at the rims are mixed
    covered: whether a pixel shows the pasted objects, rather than what is below
    """

    opacity: Int[np.ndarray, "H W"]
    covered: Bool[np.ndarray, "H W"]

    @staticmethod
    def of_objects(target: Target, chosen: Int[np.ndarray, " M"], size: Size) -> PastedRegion:
        """The region of the objects with the given indices, in a photo of (height, width)."""
        opacity = np.zeros(size, dtype=np.int32)
        covered = np.zeros(size, dtype=np.bool_)
        crops = None if target.masks is None else target.masks.crops()
        for index in chosen.tolist():
            if crops is not None and target.masks is not None and crops[index].size:
                x1, y1, _, _ = target.masks.windows[index].tolist()
                _add_mask(opacity, covered, crops[index], x1, y1)
            else:
                _add_box(opacity, covered, target.boxes[index].numpy().astype(np.float64))
        return PastedRegion(opacity, covered)

    def paste(self, source: UInt8[Tensor, "3 H W"], image: UInt8[Tensor, "3 H W"]) -> None:
        """Copy the region from one image into another of the same size, in place."""
        rows, columns = (np.flatnonzero(self.opacity.any(axis=axis)) for axis in (1, 0))
        if not len(rows):
            return
        window = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
        below, opacity = image.numpy()[:, *window], self.opacity[window]
        above = source.numpy()[:, *window].astype(np.int32)
        below[...] = below + (((above - below) * opacity + OPAQUE // 2) >> 8)


def _add_mask(
    opacity: NDArray[np.int32], covered: NDArray[np.bool_], crop: Bool[np.ndarray, "h w"], x: int, y: int
) -> None:
    """Add a mask whose crop lies at (x, y); its rim is softened by the mean of 3 x 3 pixels."""
    height, width = crop.shape
    covered[y : y + height, x : x + width] |= crop
    padded = np.pad(crop, 2).astype(np.int32)
    rows = padded[:-2] + padded[1:-1] + padded[2:]
    mean = (rows[:, :-2] + rows[:, 1:-1] + rows[:, 2:]) * OPAQUE // 9
    _raise_to(opacity, mean, x - 1, y - 1)


def _add_box(opacity: NDArray[np.int32], covered: NDArray[np.bool_], box: Float[np.ndarray, " 4"]) -> None:
    """Add a box with a rim around it, where the opacity falls linearly to zero."""
    rim = float(np.clip(RIM * (box[2:] - box[:2]).min(), *RIM_LIMITS))
    (left, across), (top, down) = (_ramp(box[i], box[i + 2], rim) for i in (0, 1))
    soft = (OPAQUE * down[:, None] * across[None]).astype(np.int32)
    _raise_to(opacity, soft, left, top)
    y1, y2, x1, x2 = _overlap(covered.shape, soft.shape, left, top)
    covered[y1:y2, x1:x2] |= (soft >= OPAQUE // 2)[y1 - top : y2 - top, x1 - left : x2 - left]


def _ramp(begin: float, end: float, rim: float) -> tuple[int, Float[np.ndarray, " n"]]:
    """The first pixel of a side with its rims, and the opacity of the pixels from there on, 0..1."""
    first, last = int(np.floor(begin - rim)), int(np.ceil(end + rim))
    centers = np.arange(first, last) + 0.5
    return first, np.clip(np.minimum(centers - (begin - rim), (end + rim) - centers) / rim, 0, 1)


def _raise_to(opacity: NDArray[np.int32], values: Int[np.ndarray, "h w"], x: int, y: int) -> None:
    """Raise the opacity to the values at (x, y) where they are larger; those outside are dropped."""
    y1, y2, x1, x2 = _overlap(opacity.shape, values.shape, x, y)
    part = opacity[y1:y2, x1:x2]
    np.maximum(part, values[y1 - y : y2 - y, x1 - x : x2 - x], out=part)


def _overlap(size: tuple[int, ...], part: tuple[int, ...], x: int, y: int) -> tuple[int, int, int, int]:
    """The rows y1..y2 and columns x1..x2 of an image that a part at (x, y) overlaps."""
    y1, x1 = max(0, y), max(0, x)
    return y1, max(y1, min(size[0], y + part[0])), x1, max(x1, min(size[1], x + part[1]))


# ---------------------------------------------------------------- objects


def visible_objects(target: Target, visible: Bool[np.ndarray, "H W"], min_visible: float) -> Target:
    """The objects of `target` in an image of which only a part is visible.

    An object consists of the pixels of its mask, or of its box if no mask is known. If some are hidden, its
    mask and its box are those of the rest. With less than `min_visible` of its pixels left, it becomes
    `ignore`; with less than MIN_LEFT, it is removed.
    """
    boxes = target.boxes.clone()
    keep, is_hidden = np.ones(len(boxes), dtype=np.bool_), np.zeros(len(boxes), dtype=np.bool_)
    crops = [] if target.masks is None else target.masks.crops()
    corners = [] if target.masks is None else target.masks.windows[:, :2].tolist()
    for index in _touched(target, visible).tolist():
        has_mask = bool(crops) and crops[index].size > 0
        if has_mask:
            (x, y), pixels = corners[index], crops[index]
        else:
            x, y, pixels = _pixels_of_box(boxes[index].tolist(), visible.shape)
        rest = pixels & visible[y : y + pixels.shape[0], x : x + pixels.shape[1]]
        share = float(rest.sum()) / max(1.0, float(pixels.sum()))
        keep[index] = share >= MIN_LEFT
        is_hidden[index] = share < min_visible
        if has_mask:
            crops[index] = rest
        if keep[index]:
            boxes[index] = _smaller_box(boxes[index], rest, x, y)
    masks = None if target.masks is None else Masks.from_crops(crops, corners, target.masks.size)
    kept, ignore = torch.from_numpy(keep), target.ignore | torch.from_numpy(is_hidden)
    return Target(boxes[kept], target.labels[kept], ignore[kept], None if masks is None else masks[kept])


def _touched(target: Target, visible: Bool[np.ndarray, "H W"]) -> NDArray[np.int64]:
    """The indices of the objects around which a pixel is hidden, from sums over the pixels up to each."""
    sums = np.zeros((visible.shape[0] + 1, visible.shape[1] + 1), dtype=np.int32)
    np.cumsum(np.cumsum(~visible, axis=0, dtype=np.int32), axis=1, out=sums[1:, 1:])
    boxes = target.boxes.numpy()
    if target.masks is not None:
        boxes = np.where(target.masks.known[:, None], target.masks.windows, boxes)
    x1, y1 = np.floor(boxes[:, :2]).astype(np.int64).T
    x2, y2 = np.ceil(boxes[:, 2:]).astype(np.int64).T
    return np.flatnonzero(sums[y2, x2] - sums[y1, x2] - sums[y2, x1] + sums[y1, x1])


def _pixels_of_box(box: list[float], size: tuple[int, ...]) -> tuple[int, int, NDArray[np.bool_]]:
    """The pixels whose center is in the box, at least one, with their upper left corner."""
    x1, y1, x2, y2 = box
    left, top = (min(int(np.ceil(low - 0.5)), side - 1) for low, side in ((x1, size[1]), (y1, size[0])))
    right, bottom = (max(int(np.ceil(high - 0.5)), low + 1) for high, low in ((x2, left), (y2, top)))
    return left, top, np.ones((bottom - top, right - left), dtype=np.bool_)


def _smaller_box(box: Tensor, rest: Bool[np.ndarray, "h w"], x: int, y: int) -> Tensor:
    """The part of a box (4,) around the pixels that are left; sides that lost no pixels stay as they are."""
    rows, columns = np.flatnonzero(rest.any(axis=1)), np.flatnonzero(rest.any(axis=0))
    x1, y1, x2, y2 = box.tolist()
    if columns[0] > 0:
        x1 = max(x1, float(x + columns[0]))
    if rows[0] > 0:
        y1 = max(y1, float(y + rows[0]))
    if columns[-1] + 1 < rest.shape[1]:
        x2 = min(x2, float(x + columns[-1] + 1))
    if rows[-1] + 1 < rest.shape[0]:
        y2 = min(y2, float(y + rows[-1] + 1))
    return box.new_tensor([x1, y1, x2, y2])
