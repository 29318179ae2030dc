"""SSD's augmentation: expansion on a larger gray canvas, and crops in which objects stay visible.

Liu et al. 2016 (arXiv:1512.02325), sections 2.2 ("Data augmentation") and 3.6 (expansion). The result has the
size of the photo: a patch of another shape is squeezed, as SSD squeezes whole photos.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, UInt8
from torch import Tensor
from torchvision.transforms.v2 import functional as F

from boxmask.data.augmentation.detection import DetectionAugmentation
from boxmask.data.augmentation.scene import PADDING_GRAY, visible_target
from boxmask.errors import UsageError
from boxmask.geometry.boxes import iou
from boxmask.masks import Masks, Size
from boxmask.types import Target

MIN_OVERLAPS = (0.1, 0.3, 0.5, 0.7, 0.9)  # section 2.2
ANY_PATCH = 0.0
NO_CROP = math.inf
ASPECT_RATIOS = (0.5, 2.0)  # of a patch, relative to that of the photo; section 2.2
MAX_TRIALS = 50  # to find a patch with the sampled overlap; the authors' code

Window = tuple[int, int, int, int]  # x1, y1, x2, y2 in pixels of the photo, possibly beyond its edges


@dataclass(frozen=True, slots=True)
class SSDAugmentation:
    """Random changes to a training photo. Calling it with a photo samples and applies them.

    flip:         probability of a horizontal flip; section 2.2
    color_jitter: probability of other brightness, contrast, saturation and hue
    expand:       probability of expansion (the authors' code)
    max_expand:   largest side of the canvas, relative to the photo; section 3.6: 16 times the area
    min_patch:    smallest side of a patch, relative to the canvas; section 2.2: 0.1, the authors' code: 0.3

    Raises UsageError for probabilities outside 0..1, `max_expand` below 1 and `min_patch` outside 0..1.
    """

    flip: float = 0.5
    color_jitter: float = 0.5
    expand: float = 0.5
    max_expand: float = 4.0
    min_patch: float = 0.1

    def __post_init__(self) -> None:
        if not 0.0 <= self.expand <= 1.0 or not 0.0 < self.min_patch <= 1.0:
            found = f"expand is {self.expand}, min_patch is {self.min_patch}"
            raise UsageError(f"augmentation: {found}; give numbers from 0 to 1")
        if not 1.0 <= self.max_expand < math.inf:
            raise UsageError(f"augmentation: max_expand is {self.max_expand}; give 1 or more")
        self._after_crop()

    def _after_crop(self) -> DetectionAugmentation:
        """The changes after the crop, which check their values."""
        return DetectionAugmentation(self.flip, 0.0, (1.0, 1.0), self.color_jitter, min_visible=0.0)

    def __call__(
        self, image: UInt8[Tensor, "3 H W"], target: Target, generator: np.random.Generator
    ) -> tuple[UInt8[Tensor, "3 H W"], Target]:
        """An augmented copy of the photo, of the same size, and its labels.

        Objects whose center is in the patch stay, with boxes as in `visible_target`. The others are dropped.
        """
        size = (int(image.shape[-2]), int(image.shape[-1]))
        canvas = self.sample_canvas(size, generator)
        patch = self.sample_patch(canvas, target, generator)
        if patch != (0, 0, size[1], size[0]):
            image, target = _crop_and_resize(image, patch), _crop_target(target, patch, size)
        return self._after_crop()(image, target, generator)

    def sample_canvas(self, size: tuple[int, int], generator: np.random.Generator) -> Window:
        """The canvas around the photo, or the photo itself without expansion."""
        height, width = size
        is_expanded, factor = generator.random() < self.expand, generator.uniform(1, self.max_expand)
        if not is_expanded:
            return 0, 0, width, height
        left, top = (
            int(u * (factor - 1) * n) for u, n in zip(generator.random(2), (width, height), strict=True)
        )
        return -left, -top, round(width * factor) - left, round(height * factor) - top

    def sample_patch(self, canvas: Window, target: Target, generator: np.random.Generator) -> Window:
        """The whole canvas, or a part that holds the center of an object and overlaps it enough."""
        min_overlap = generator.choice([NO_CROP, *MIN_OVERLAPS, ANY_PATCH])
        if min_overlap == NO_CROP or not len(target.boxes):
            return canvas
        for _ in range(MAX_TRIALS):
            patch = self._random_part(canvas, generator)
            overlap = iou(target.boxes, torch.tensor([patch], dtype=torch.float32))[:, 0]
            if (has_center_in(target.boxes, patch) & (overlap >= min_overlap)).any():
                return patch
        return canvas

    def _random_part(self, canvas: Window, generator: np.random.Generator) -> Window:
        """A random part of the canvas, at least one pixel wide and high."""
        x1, y1, x2, y2 = canvas
        side = generator.uniform(self.min_patch, 1)
        ratio = generator.uniform(max(ASPECT_RATIOS[0], side**2), min(ASPECT_RATIOS[1], 1 / side**2))
        width = max(1, round((x2 - x1) * side * math.sqrt(ratio)))
        height = max(1, round((y2 - y1) * side / math.sqrt(ratio)))
        left = x1 + round(generator.random() * (x2 - x1 - width))
        top = y1 + round(generator.random() * (y2 - y1 - height))
        return left, top, left + width, top + height


def has_center_in(boxes: Float[Tensor, "N 4"], window: Window) -> Bool[Tensor, " N"]:
    """Whether the center of each box lies in the window, (N, 4) -> (N,)."""
    centers = (boxes[:, :2] + boxes[:, 2:]) / 2
    low, high = centers.new_tensor(window[:2]), centers.new_tensor(window[2:])
    return ((centers > low) & (centers < high)).all(dim=1)


def _crop_and_resize(image: UInt8[Tensor, "3 H W"], window: Window) -> UInt8[Tensor, "3 H W"]:
    """The window at the size of the photo, (3, H, W) -> (3, H, W); gray beyond the photo."""
    height, width = image.shape[-2:]
    result = torch.full_like(image, PADDING_GRAY)
    (x1, x2, left, right), (y1, y2, top, bottom) = _visible_spans(window, (height, width))
    if x2 > x1 and y2 > y1:
        part = F.resize(image[:, y1:y2, x1:x2], [bottom - top, right - left])
        result[:, top:bottom, left:right] = part
    return result


def _visible_spans(window: Window, size: tuple[int, int]) -> list[tuple[int, int, int, int]]:
    """For x and for y: begin and end of the visible pixels, in the photo and in the result."""
    spans = []
    for begin, end, side in ((window[0], window[2], size[1]), (window[1], window[3], size[0])):
        first, last = max(0, begin), min(side, end)
        scale = side / (end - begin)
        start = min(side - 1, round((first - begin) * scale))
        spans.append((first, last, start, min(side, max(start + 1, round((last - begin) * scale)))))
    return spans


def _crop_target(target: Target, window: Window, size: Size) -> Target:
    """The objects whose center is in the window, in pixels of the result."""
    corner = target.boxes.new_tensor(window[:2] * 2)
    scale = target.boxes.new_tensor(
        [size[1] / (window[2] - window[0]), size[0] / (window[3] - window[1])] * 2
    )
    keep = has_center_in(target.boxes, window)
    masks = None if target.masks is None else target.masks[keep]
    kept = Target(target.boxes[keep], target.labels[keep], target.ignore[keep], masks)
    return visible_target(kept, (kept.boxes - corner) * scale, _crop_masks(masks, window, size), size)


def _crop_masks(masks: Masks | None, window: Window, size: Size) -> Masks | None:
    """The masks in the window, in pixels of the result, by nearest neighbor; empty beyond the photo."""
    if masks is None:
        return None
    x1, y1, x2, y2 = window
    return masks.shift_and_crop(-x1, -y1, (y2 - y1, x2 - x1)).resize(size)
