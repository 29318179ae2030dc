"""The stage `image`: photos in, one batch out: resized, normalized and padded."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from boxmask.geometry.boxes import rescale
from boxmask.types import Target

Size = tuple[int, int]  # (height, width)


@dataclass(frozen=True, slots=True)
class Batch:
    """B photos as one tensor.

    pixels:         (B, 3, H, W) normalized, zero-padded at the right and the bottom, channels last
    sizes:          (height, width) of each resized photo inside the padding
    original_sizes: (height, width) of each photo as it was given
    """

    pixels: Float[Tensor, "B 3 H W"]
    sizes: list[Size]
    original_sizes: list[Size]

    def rescale(self, targets: list[Target]) -> list[Target]:
        """The same labels with boxes in pixels of the resized photos; masks stay in those of the photos."""
        moved = self.rescale_boxes([target.boxes for target in targets])
        return [
            replace(target.to(self.pixels.device), boxes=boxes)
            for target, boxes in zip(targets, moved, strict=True)
        ]

    def rescale_boxes(self, per_image: list[Tensor]) -> list[Float[Tensor, "P 4"]]:
        """Boxes in the photos' own pixels -> in pixels of the resized photos."""
        sizes = zip(self.original_sizes, self.sizes, strict=True)
        return [
            rescale(boxes.to(self.pixels.device), *pair) for boxes, pair in zip(per_image, sizes, strict=True)
        ]


@dataclass(frozen=True, slots=True)
class Preparation:
    """How photos are brought to a network: the numbers of the stage `image`.

    shorter_side: to which photos are resized; 0 leaves them as they are
    """

    shorter_side: int
    longer_side: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    multiple_of: int = 32
    antialias: bool = True
    device: torch.device | str = "cpu"

    @staticmethod
    def of(config: Any, mean: Tensor, std: Tensor) -> Preparation:
        """By a detector's numbers, and the mean and spread, (3,), of what its backbone was pretrained on."""
        sides = (config.shorter_side, config.longer_side)
        spread = (tuple(mean.tolist()), tuple(std.tolist()))
        return Preparation(*sides, *spread, config.multiple_of, config.antialias, mean.device)


def resized_size(size: Size, shorter: int, longer: int) -> Size:
    """The size at which the short side is `shorter`, unless the long side would exceed `longer`.

    Never below one pixel, however long and thin the photo.
    """
    scale = min(shorter / min(size), longer / max(size))
    return max(1, math.floor(size[0] * scale)), max(1, math.floor(size[1] * scale))


def grid_of(x: Tensor) -> Size:
    """(height, width) of maps (B, C, H, W)."""
    return int(x.shape[-2]), int(x.shape[-1])


def prepare(images: list[Tensor], how: Preparation) -> Batch:
    """Photos (3, H, W), RGB, uint8 or float in 0..1, any sizes -> one batch on the device of `how`."""
    resized = [_resize(image.to(how.device), how) for image in images]
    sizes = [(int(image.shape[1]), int(image.shape[2])) for image in resized]
    height = _round_up(max(h for h, _ in sizes), how.multiple_of)
    width = _round_up(max(w for _, w in sizes), how.multiple_of)
    pixels = torch.zeros((len(resized), 3, height, width), device=resized[0].device)
    pixels = pixels.contiguous(memory_format=torch.channels_last)
    for slot, image, (h, w) in zip(pixels, resized, sizes, strict=True):
        slot[:, :h, :w] = _normalize(image, how)
    return Batch(pixels, sizes, [(int(image.shape[1]), int(image.shape[2])) for image in images])


def _round_up(side: int, multiple: int) -> int:
    return -(-side // multiple) * multiple


def _resize(image: Tensor, how: Preparation) -> Tensor:
    if not how.shorter_side:
        return image
    size = resized_size((image.shape[1], image.shape[2]), how.shorter_side, how.longer_side)
    if max(abs(size[0] - image.shape[1]), abs(size[1] - image.shape[2])) <= 1:
        return image  # resized before: rounding down twice may ask for one pixel more or less
    if image.dtype == torch.uint8 and image.device.type != "cpu":
        image = image / 255  # GPUs do not resize whole numbers
    return F.interpolate(image[None], size=size, mode="bilinear", antialias=how.antialias)[0]


def _normalize(image: Tensor, how: Preparation) -> Tensor:
    """uint8 0..255 or float 0..1 -> (x - mean) / std, computed in float32."""
    unit = 255.0 if image.dtype == torch.uint8 else 1.0
    mean = torch.tensor(how.mean, device=image.device)[:, None, None] * unit
    std = torch.tensor(how.std, device=image.device)[:, None, None] * unit
    return (image.float() - mean) / std
