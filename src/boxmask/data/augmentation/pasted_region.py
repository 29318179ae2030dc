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
OPAQUE = 128  # opacity of a pixel that is covered fully
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
        opacity = np.zeros(size, dtype=np.int16)
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
        difference = source.numpy()[:, *window].astype(np.int16)
        difference -= below
        difference *= opacity  # at most 255 * 128, which fits 16 bits
        difference += OPAQUE // 2
        difference >>= 7
        below += difference.astype(np.uint8)  # modulo 256, as is the sum


def _add_mask(
    opacity: NDArray[np.int16], covered: NDArray[np.bool_], crop: Bool[np.ndarray, "h w"], x: int, y: int
) -> None:
    """Add a mask whose crop lies at (x, y); its rim is softened by the mean of 3 x 3 pixels."""
    height, width = crop.shape
    covered[y : y + height, x : x + width] |= crop
    padded = np.pad(crop, 2).astype(np.int16)
    rows = padded[:-2] + padded[1:-1] + padded[2:]
    mean = (rows[:, :-2] + rows[:, 1:-1] + rows[:, 2:]) * OPAQUE // 9
    _raise_to(opacity, mean, x - 1, y - 1)


def _add_box(opacity: NDArray[np.int16], covered: NDArray[np.bool_], box: Float[np.ndarray, " 4"]) -> None:
    """Add a box with a rim around it, where the opacity falls linearly to zero."""
    rim = float(np.clip(RIM * (box[2:] - box[:2]).min(), *RIM_LIMITS))
    (left, across), (top, down) = (_ramp(box[i], box[i + 2], rim) for i in (0, 1))
    soft = (OPAQUE * down[:, None] * across[None]).astype(np.int16)
    _raise_to(opacity, soft, left, top)
    y1, y2, x1, x2 = _overlap(covered.shape, soft.shape, left, top)
    covered[y1:y2, x1:x2] |= (soft >= OPAQUE // 2)[y1 - top : y2 - top, x1 - left : x2 - left]


def _ramp(begin: float, end: float, rim: float) -> tuple[int, Float[np.ndarray, " n"]]:
    """The first pixel of a side with its rims, and the opacity of the pixels from there on, 0..1."""
    first, last = int(np.floor(begin - rim)), int(np.ceil(end + rim))
    centers = np.arange(first, last) + 0.5
    return first, np.clip(np.minimum(centers - (begin - rim), (end + rim) - centers) / rim, 0, 1)


def _raise_to(opacity: NDArray[np.int16], values: Int[np.ndarray, "h w"], x: int, y: int) -> None:
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
    whole = _pixels_of(target, (int(visible.shape[0]), int(visible.shape[1])))
    rest = whole.intersect(visible)
    shares = rest.areas() / np.maximum(1, whole.areas())
    keep, hidden = (torch.from_numpy(flags) for flags in (shares >= MIN_LEFT, shares < min_visible))
    boxes = torch.from_numpy(_shrink_boxes(target.boxes.numpy(), whole.windows, rest.windows))
    masks = None if target.masks is None else target.masks.intersect(visible)[keep]
    return Target(boxes[keep], target.labels[keep], (target.ignore | hidden)[keep], masks)


def _pixels_of(target: Target, size: Size) -> Masks:
    """The masks of the objects; for objects with an unknown mask, the pixels of their box."""
    windows = _pixel_windows(target.boxes.numpy(), size)
    if target.masks is None:
        sides = windows[:, 2:] - windows[:, :2]
        return Masks(size, windows, np.ones(int(sides.prod(axis=1).sum()), dtype=np.bool_))
    crops = target.masks.crops()
    for index in np.flatnonzero(~target.masks.known).tolist():
        x1, y1, x2, y2 = windows[index].tolist()
        crops[index] = np.ones((y2 - y1, x2 - x1), dtype=np.bool_)
    windows = np.where(target.masks.known[:, None], target.masks.windows, windows)
    return Masks.from_crops(crops, [(x, y) for x, y in windows[:, :2].tolist()], size)


def _pixel_windows(boxes: Float[np.ndarray, "N 4"], size: Size) -> Int[np.ndarray, "N 4"]:
    """The pixels whose centers are in each box, at least one: x1, y1, x2, y2 with x2 and y2 exclusive."""
    limits = np.array([size[1], size[0]])
    low = np.minimum(np.ceil(boxes[:, :2] - 0.5), limits - 1)
    high = np.clip(np.ceil(boxes[:, 2:] - 0.5), low + 1, limits)
    return np.concatenate([low, high], axis=1).astype(np.int64)


def _shrink_boxes(
    boxes: Float[np.ndarray, "N 4"], before: Int[np.ndarray, "N 4"], after: Int[np.ndarray, "N 4"]
) -> Float[np.ndarray, "N 4"]:
    """The boxes (N, 4) of objects whose pixels filled the windows `before` and fill the windows `after`.

    Sides that lost no pixels stay as they are.
    """
    shrunk = np.where(after == before, boxes, after).astype(np.float32)
    is_valid = (shrunk[:, 2:] > shrunk[:, :2]).all(axis=1, keepdims=True)
    return np.where(is_valid, shrunk, after).astype(np.float32)
