"""SSD's augmentation: photos made small on a wide ground, and cropped so that objects stay in sight.

Liu et al. 2016 (arXiv:1512.02325), section 2.2 ("Data augmentation") and 3.6 (the expansion). The result has
the size of the photo given, so that a patch of another shape is squeezed, as SSD squeezes whole photos.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor
from torchvision.transforms.v2 import functional as F

from boxmask.data.augmentation.detection import PADDING_GRAY, DetectionAugmentation, seen
from boxmask.errors import UsageError
from boxmask.geometry.boxes import iou
from boxmask.masks import Masks, Size
from boxmask.types import Target

OVERLAPS = (0.1, 0.3, 0.5, 0.7, 0.9)  # section 2.2
ANY_PATCH = 0.0
WHOLE = math.inf
SHAPES = (0.5, 2.0)  # width / height of a patch, in parts of the photo's own; section 2.2
TRIALS = 50  # for a patch of the overlap drawn; the authors' code

Window = tuple[int, int, int, int]  # x1, y1, x2, y2 in pixels of the photo, possibly beyond its edges


@dataclass(frozen=True, slots=True)
class SSDAugmentation:
    """What may happen to a training photo; called with one, it draws and applies.

    flip:        chance of a mirror image; section 2.2
    color_jitter: chance of other light and color
    expand:      chance that the photo is laid on a larger gray ground (the authors' code)
    largest:     how many times as wide and as high that ground may be; section 3.6: 16 times the area
    smallest:    the least side of a patch, in parts of the ground's; section 2.2: 0.1, the authors' code: 0.3

    Raises UsageError where a chance is outside 0..1, `largest` below 1 or `smallest` outside 0..1.
    """

    flip: float = 0.5
    color_jitter: float = 0.5
    expand: float = 0.5
    largest: float = 4.0
    smallest: float = 0.1

    def __post_init__(self) -> None:
        if not 0.0 <= self.expand <= 1.0 or not 0.0 < self.smallest <= 1.0:
            found = f"expand is {self.expand}, smallest is {self.smallest}"
            raise UsageError(f"augmentation: {found}; give numbers from 0 to 1")
        if not 1.0 <= self.largest < math.inf:
            raise UsageError(f"augmentation: largest is {self.largest}; give 1 or more")
        self.rest()

    def rest(self) -> DetectionAugmentation:
        """What follows the crop; it checks its own numbers."""
        return DetectionAugmentation(self.flip, 0.0, (1.0, 1.0), self.color_jitter, min_visible=0.0)

    def __call__(
        self, image: UInt8[Tensor, "3 H W"], target: Target, generator: np.random.Generator
    ) -> tuple[UInt8[Tensor, "3 H W"], Target]:
        """A changed copy of the photo, of the same size, and the labels that are true of it.

        Objects whose center is in the picture stay, with boxes as `augment.seen` has them; the others are
        dropped.
        """
        size = (int(image.shape[-2]), int(image.shape[-1]))
        ground = self.ground(size, generator)
        window = self.patch(ground, target, generator)
        if window != (0, 0, size[1], size[0]):
            image, target = _shown(image, window), _labels(target, window, size)
        return self.rest()(image, target, generator)

    def ground(self, size: tuple[int, int], generator: np.random.Generator) -> Window:
        """The ground on which the photo lies, or the photo itself."""
        height, width = size
        wanted, factor = generator.random() < self.expand, generator.uniform(1, self.largest)
        if not wanted:
            return 0, 0, width, height
        left, top = (
            int(u * (factor - 1) * n) for u, n in zip(generator.random(2), (width, height), strict=True)
        )
        return -left, -top, round(width * factor) - left, round(height * factor) - top

    def patch(self, ground: Window, target: Target, generator: np.random.Generator) -> Window:
        """All of the ground, or a part in which some object has its center, and the overlap drawn."""
        least = generator.choice([WHOLE, *OVERLAPS, ANY_PATCH])
        if least == WHOLE or not len(target.boxes):
            return ground
        for _ in range(TRIALS):
            window = self.part(ground, generator)
            overlap = iou(target.boxes, torch.tensor([window], dtype=torch.float32))[:, 0]
            if (inside(target.boxes, window) & (overlap >= least)).any():
                return window
        return ground

    def part(self, ground: Window, generator: np.random.Generator) -> Window:
        """A random part of the ground, at least a pixel wide and high."""
        x1, y1, x2, y2 = ground
        side = generator.uniform(self.smallest, 1)
        shape = generator.uniform(max(SHAPES[0], side**2), min(SHAPES[1], 1 / side**2))
        width = max(1, round((x2 - x1) * side * math.sqrt(shape)))
        height = max(1, round((y2 - y1) * side / math.sqrt(shape)))
        left = x1 + round(generator.random() * (x2 - x1 - width))
        top = y1 + round(generator.random() * (y2 - y1 - height))
        return left, top, left + width, top + height


def inside(boxes: Float[Tensor, "N 4"], window: Window) -> Tensor:
    """Whether the center of each box lies in the window, (N, 4) -> (N,)."""
    centers = (boxes[:, :2] + boxes[:, 2:]) / 2
    low, high = centers.new_tensor(window[:2]), centers.new_tensor(window[2:])
    return ((centers > low) & (centers < high)).all(dim=1)


def _shown(image: Tensor, window: Window) -> Tensor:
    """What the window shows, (3, H, W) -> the same size; gray beyond the photo."""
    height, width = image.shape[-2:]
    picture = torch.full_like(image, PADDING_GRAY)
    (x1, x2, left, right), (y1, y2, top, bottom) = _places(window, (height, width))
    if x2 > x1 and y2 > y1:
        part = F.resize(image[:, y1:y2, x1:x2], [bottom - top, right - left])
        picture[:, top:bottom, left:right] = part
    return picture


def _places(window: Window, size: tuple[int, int]) -> list[tuple[int, int, int, int]]:
    """Across and downwards: which of the photo's pixels are shown, and which of the picture's they fill."""
    places = []
    for begin, end, side in ((window[0], window[2], size[1]), (window[1], window[3], size[0])):
        first, last = max(0, begin), min(side, end)
        scale = side / (end - begin)
        start = min(side - 1, round((first - begin) * scale))
        places.append((first, last, start, min(side, max(start + 1, round((last - begin) * scale)))))
    return places


def _labels(target: Target, window: Window, size: Size) -> Target:
    """The objects whose center the window shows, in pixels of the picture."""
    corner = target.boxes.new_tensor(window[:2] * 2)
    scale = target.boxes.new_tensor(
        [size[1] / (window[2] - window[0]), size[0] / (window[3] - window[1])] * 2
    )
    keep = inside(target.boxes, window)
    masks = None if target.masks is None else target.masks[keep]
    shown = Target(target.boxes[keep], target.labels[keep], target.ignore[keep], masks)
    return seen(shown, (shown.boxes - corner) * scale, _shown_masks(masks, window, size), size)


def _shown_masks(masks: Masks | None, window: Window, size: Size) -> Masks | None:
    """In pixels of the picture, by the nearest; nothing beyond the photo."""
    if masks is None:
        return None
    x1, y1, x2, y2 = window
    return masks.shift_and_crop(-x1, -y1, (y2 - y1, x2 - x1)).resize(size)
