"""Augmentation of photos with label maps: flips, scale jitter, tiles and color jitter.

Photos stay uint8. All randomness comes from the caller's generator. Labels are never mixed: each new pixel
takes the label of the old pixel under its center. Only the visible part of a photo is scaled, so a tile of a
large photo takes no longer than one of a small photo.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor
from torchvision.transforms.v2 import functional as F

from boxmask.data.augmentation.colors import jitter_color
from boxmask.data.augmentation.scene import PADDING_GRAY
from boxmask.data.augmentation.side_crop import SideCrop
from boxmask.errors import UsageError
from boxmask.masks import Size, nearest_indices
from boxmask.pipeline.images import resized_size
from boxmask.types import IGNORED, SegmentationTarget


@dataclass(frozen=True, slots=True)
class SegmentationAugmentation:
    """Random changes to a photo and its label map. Calling it with them samples and applies the changes.

    flip:          probability of a horizontal flip
    vertical_flip: probability of a vertical flip; for photos from above or through a microscope
    scale:         range of the scale jitter: the photo is scaled, then cropped or padded at random. 0.5 to 2
                   is the range of DeepLabv3 (Chen et al. 2017, arXiv:1706.05587, section 4.1).
    color_jitter:  probability of other brightness, contrast, saturation and hue, all together
    tile:          side in pixels of the square that is cropped after scaling; 0 for the whole photo at its
                   original size

    Raises UsageError for probabilities outside 0..1, for a `scale` that is no range of positive numbers, and
    for a negative `tile`.
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
        """An augmented copy of the photo, of its size or that of the tile, and its label map.

        Padding is gray and IGNORED. It is a copy even if nothing changes, because the caller may keep the
        photo in a cache.
        """
        hflip, vflip, recolor = generator.random(3) < (self.flip, self.vertical_flip, self.color_jitter)
        scale, position = generator.uniform(*self.scale), generator.random(2)
        size = (image.shape[-2], image.shape[-1])
        result = (self.tile, self.tile) if self.tile else size
        rows, columns = (
            SideCrop.from_scale(side, wanted, scale, u)
            for side, wanted, u in zip(size, result, position, strict=True)
        )
        photo, labels = crop_and_resize(image, target.labels, rows, columns)
        photo = jitter_color(photo, generator) if recolor else photo
        photo, labels = pad_photo(photo, labels, rows, columns, result)
        axes = [axis for axis, flipped in ((-1, hflip), (-2, vflip)) if flipped]
        photo, labels = (part.flip(axes) if axes else part for part in (photo, labels))
        return _copy_if_shared(photo, image), SegmentationTarget(_copy_if_shared(labels, target.labels))


def resize_segmentation_photo(
    image: UInt8[Tensor, "3 H W"], target: SegmentationTarget, shorter: int, longer: int
) -> tuple[UInt8[Tensor, "3 h w"], SegmentationTarget]:
    """Resize a photo and its labels: the short side to `shorter`, but the long side to `longer` at most.

    The size is that of `resized_size`, which the segmenter uses too. The photo is antialiased; each new pixel
    takes the label of the old pixel under its center. Raises UsageError unless 1 <= shorter <= longer.
    """
    if not 1 <= shorter <= longer:
        raise UsageError(f"size: shorter side {shorter}, longer side {longer}; give 1 <= shorter <= longer")
    size = resized_size((image.shape[-2], image.shape[-1]), shorter, longer)
    photo, labels = _resize(image, target.labels, size)
    return photo, SegmentationTarget(labels)


def crop_and_resize(
    image: Tensor, labels: Tensor, rows: SideCrop, columns: SideCrop
) -> tuple[Tensor, Tensor]:
    """The visible part of a photo and its labels, at its new size."""
    part = (..., slice(rows.begin, rows.end), slice(columns.begin, columns.end))
    return _resize(image[part], labels[part], (rows.inner, columns.inner))


def _resize(image: Tensor, labels: Tensor, size: Size) -> tuple[Tensor, Tensor]:
    if size == image.shape[-2:]:
        return image, labels
    rows, columns = (nearest_indices(*sides) for sides in zip(labels.shape, size, strict=True))
    picked = torch.from_numpy(labels.numpy().take(rows, axis=0).take(columns, axis=1))
    if size == (1, 1):  # torch's integer kernel mistakes the layout of a single pixel and raises
        return F.resize(image.float(), [1, 1]).round().to(torch.uint8), picked
    return F.resize(image, list(size)), picked


def pad_photo(
    image: Tensor, labels: Tensor, rows: SideCrop, columns: SideCrop, size: Size
) -> tuple[Tensor, Tensor]:
    """Pad a photo and its labels to (height, width)."""
    if size == image.shape[-2:]:
        return image, labels
    after = (size[1] - columns.inner - columns.before, size[0] - rows.inner - rows.before)
    edges = [columns.before, rows.before, *after]
    return F.pad(image, edges, PADDING_GRAY), F.pad(labels[None], edges, IGNORED)[0]


def _copy_if_shared(result: Tensor, original: Tensor) -> Tensor:
    """The result, copied if it shares memory with the original."""
    is_shared = result.untyped_storage().data_ptr() == original.untyped_storage().data_ptr()
    return result.clone() if is_shared else result
