"""Changes to a training photo and to the classes of its pixels: flips, scale jitter, tiles, light and color.

Photos stay uint8; all chance comes from the generator that the caller hands in. Labels are never mixed: each
new pixel takes the label of the old one under its center. Only what is kept of a photo is scaled, so a tile
of a large photo costs no more than one of a small photo.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor
from torchvision.transforms.v2 import functional as F

from boxmask.data.augmentation.detection import PADDING_GRAY, recolored
from boxmask.errors import UsageError
from boxmask.masks import Size, nearest_indices
from boxmask.pipeline.images import resized_size
from boxmask.types import IGNORED, SegmentationTarget


@dataclass(frozen=True, slots=True)
class Window:
    """What is seen of one side of a photo.

    begin, end: the photo's pixels that are kept
    inner:      how many pixels they become
    before:     pixels of padding before them
    """

    begin: int
    end: int
    inner: int
    before: int

    @staticmethod
    def of(side: int, result: int, scale: float, place: float) -> Window:
        """For `result` pixels of a photo's `side`, enlarged by `scale`, at `place`, 0 (low) to 1 (high)."""
        kept = max(1, round(result / scale))
        if kept <= side:
            begin = round(place * (side - kept))
            return Window(begin, begin + kept, result, 0)
        inner = min(result, max(1, round(side * scale)))
        return Window(0, side, inner, round(place * (result - inner)))


@dataclass(frozen=True, slots=True)
class SegmentationAugmentation:
    """What may happen to a training photo whose pixels are labeled; called with one, it draws and applies.

    flip:          chance of a mirror image, left to right
    vertical_flip: chance of a mirror image, top to bottom; for photos from above or through a microscope
    scale:         range of the scale jitter: the photo is scaled, then cropped or padded at random; 0.5 to 2
                   is DeepLabv3's (Chen et al. 2017, arXiv:1706.05587, section 4.1)
    color_jitter:   chance of other light and color (brightness, contrast, saturation and hue together)
    tile:          the side of the square that is cut out, in pixels after scaling; 0: all of the photo, at
                   its own size

    Raises UsageError where a chance is outside 0..1, `scale` is no range of positive numbers or `tile` is
    below 0.
    """

    flip: float = 0.5
    vertical_flip: float = 0.0
    scale: tuple[float, float] = (0.5, 2.0)
    color_jitter: float = 0.5
    tile: int = 0

    def __post_init__(self) -> None:
        for name in ("flip", "vertical_flip", "color_jitter"):
            share = getattr(self, name)
            if not 0.0 <= share <= 1.0:
                raise UsageError(f"augmentation: {name} is {share}; give a number from 0 to 1")
        if not 0.0 < self.scale[0] <= self.scale[1] < math.inf:
            raise UsageError(f"augmentation: scale is {self.scale}; give (low, high) with 0 < low <= high")
        if self.tile < 0:
            raise UsageError(f"augmentation: tile is {self.tile}; give a side in pixels, or 0 for all")

    def __call__(
        self, image: UInt8[Tensor, "3 H W"], target: SegmentationTarget, generator: np.random.Generator
    ) -> tuple[UInt8[Tensor, "3 h w"], SegmentationTarget]:
        """A changed copy of the photo, of the same size or of the tile's, and the labels that are true of it.

        What lies beyond the photo is gray and IGNORED. A copy even where nothing was changed, as the caller
        may keep the photo while the result moves on.
        """
        mirror, upend, recolor = generator.random(3) < (self.flip, self.vertical_flip, self.color_jitter)
        scale, place = generator.uniform(*self.scale), generator.random(2)
        size = (image.shape[-2], image.shape[-1])
        result = (self.tile, self.tile) if self.tile else size
        rows, columns = (
            Window.of(side, wanted, scale, u) for side, wanted, u in zip(size, result, place, strict=True)
        )
        photo, labels = _seen(image, target.labels, rows, columns)
        photo = recolored(photo, generator) if recolor else photo
        photo, labels = _padded(photo, labels, rows, columns, result)
        axes = [axis for axis, turned in ((-1, mirror), (-2, upend)) if turned]
        photo, labels = (part.flip(axes) if axes else part for part in (photo, labels))
        return _owned(photo, image), SegmentationTarget(_owned(labels, target.labels))


def resize_segmentation_photo(
    image: UInt8[Tensor, "3 H W"], target: SegmentationTarget, shorter: int, longer: int
) -> tuple[UInt8[Tensor, "3 h w"], SegmentationTarget]:
    """Scale a photo and its labels so that the short side is `shorter`, or the long side `longer` if less.

    The size is that of `resized_size`, as the segmenter would have it; the photo antialiased, the labels by
    the pixel under each new one's center. Raises UsageError for sides that are not 1 <= shorter <= longer.
    """
    if not 1 <= shorter <= longer:
        raise UsageError(f"size: shorter side {shorter}, longer side {longer}; give 1 <= shorter <= longer")
    size = resized_size((image.shape[-2], image.shape[-1]), shorter, longer)
    photo, labels = _resized(image, target.labels, size)
    return photo, SegmentationTarget(labels)


def _seen(image: Tensor, labels: Tensor, rows: Window, columns: Window) -> tuple[Tensor, Tensor]:
    """What is kept of a photo and its labels, at the size that it gets."""
    part = (..., slice(rows.begin, rows.end), slice(columns.begin, columns.end))
    return _resized(image[part], labels[part], (rows.inner, columns.inner))


def _resized(image: Tensor, labels: Tensor, size: Size) -> tuple[Tensor, Tensor]:
    if size == image.shape[-2:]:
        return image, labels
    rows, columns = (nearest_indices(*sides) for sides in zip(labels.shape, size, strict=True))
    picked = torch.from_numpy(labels.numpy().take(rows, axis=0).take(columns, axis=1))
    if size == (1, 1):  # torch's whole-number kernel mistakes the layout of a single pixel, and stops
        return F.resize(image.float(), [1, 1]).round().to(torch.uint8), picked
    return F.resize(image, list(size)), picked


def _padded(
    image: Tensor, labels: Tensor, rows: Window, columns: Window, size: Size
) -> tuple[Tensor, Tensor]:
    """On a ground of the size wanted, where they do not fill it."""
    if size == image.shape[-2:]:
        return image, labels
    after = (size[1] - columns.inner - columns.before, size[0] - rows.inner - rows.before)
    edges = [columns.before, rows.before, *after]
    return F.pad(image, edges, PADDING_GRAY), F.pad(labels[None], edges, IGNORED)[0]


def _owned(changed: Tensor, given: Tensor) -> Tensor:
    """A tensor that shares no memory with what was given."""
    shared = changed.untyped_storage().data_ptr() == given.untyped_storage().data_ptr()
    return changed.clone() if shared else changed
