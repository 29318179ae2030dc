"""The stage `image`: photos in, one batch out: resized, normalized and padded."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from boxmask.geometry.boxes import constant, rescale
from boxmask.types import Target

Size = tuple[int, int]  # (height, width)


@dataclass(frozen=True, slots=True)
class Batch:
    """B photos as one tensor.

    pixels:         (B, 3, H, W) normalized, zero-padded at the right and the bottom, channels last
    sizes:          (height, width) of each resized photo inside the padding
    original_sizes: (height, width) of each photo before it was resized
    """

    pixels: Float[Tensor, "B 3 H W"]
    sizes: list[Size]
    original_sizes: list[Size]

    def rescale(self, targets: list[Target]) -> list[Target]:
        """Targets with boxes in pixels of the resized photos; masks stay in pixels of the original photos."""
        counts = [len(target.boxes) for target in targets]
        sizes = zip(self.original_sizes, self.sizes, strict=True)
        scales = torch.cat([rescale(torch.ones(1, 4), *pair) for pair in sizes])
        scales = scales.repeat_interleave(torch.tensor(counts), 0)
        boxes, labels, ignore = (
            torch.cat([getattr(target, name) for target in targets]) for name in ("boxes", "labels", "ignore")
        )
        boxes = boxes * scales.to(boxes.device, non_blocking=True)
        fields = [x.to(self.pixels.device, non_blocking=True).split(counts) for x in (boxes, labels, ignore)]
        return [target.moved(*rows) for target, *rows in zip(targets, *fields, strict=True)]

    def rescale_boxes(self, per_image: list[Tensor]) -> list[Float[Tensor, "P 4"]]:
        """Boxes in pixels of the original photos -> in pixels of the resized photos."""
        sizes = zip(self.original_sizes, self.sizes, strict=True)
        return [
            rescale(boxes.to(self.pixels.device, non_blocking=True), *pair)
            for boxes, pair in zip(per_image, sizes, strict=True)
        ]


@dataclass(frozen=True, slots=True, eq=False)  # tensors do not compare to one truth value
class Preparation:
    """How the stage `image` prepares photos for a network.

    shorter_side, longer_side: limits of the resized photo; a shorter_side of 0 keeps its size
    mean, std:   per channel, of the photos that the backbone was pretrained on, in 0..1
    multiple_of: the padded height and width are multiples of it
    """

    shorter_side: int
    longer_side: int
    mean: tuple[float, ...] | Tensor
    std: tuple[float, ...] | Tensor
    multiple_of: int = 32
    antialias: bool = True
    device: torch.device | str = "cpu"

    @staticmethod
    def from_config(config: Any, mean: Tensor, std: Tensor) -> Preparation:
        """From the config of a model, and the mean and std (3,) of its backbone."""
        sides = (config.shorter_side, config.longer_side)
        return Preparation(*sides, mean, std, config.multiple_of, config.antialias, mean.device)


def prepare(images: list[Tensor], preparation: Preparation) -> Batch:
    """RGB photos (3, H, W) of any sizes, uint8 or float in 0..1 -> one batch on `preparation.device`."""
    resized = [_resize(image.to(preparation.device), preparation) for image in images]
    sizes = [spatial_size(image) for image in resized]
    height, width = (
        -(-max(sides) // preparation.multiple_of) * preparation.multiple_of
        for sides in zip(*sizes, strict=True)
    )
    mean = torch.as_tensor(preparation.mean, device=resized[0].device)
    std = torch.as_tensor(preparation.std, device=mean.device)
    units = constant([255.0 if image.dtype == torch.uint8 else 1.0 for image in resized], mean)
    shifts, scales = ((units[:, None] * value)[:, :, None, None] for value in (mean, std))
    shape = (len(resized), 3, height, width)
    pixels = torch.empty(shape, device=mean.device, memory_format=torch.channels_last).zero_()
    for slot, image, (h, w), shift, scale in zip(pixels, resized, sizes, shifts, scales, strict=True):
        slot[:, :h, :w] = (image.float() - shift) / scale
    return Batch(pixels, sizes, [spatial_size(image) for image in images])


def _resize(image: Tensor, preparation: Preparation) -> Tensor:
    if not preparation.shorter_side:
        return image
    size = resized_size(spatial_size(image), preparation.shorter_side, preparation.longer_side)
    if max(abs(size[0] - image.shape[1]), abs(size[1] - image.shape[2])) <= 1:
        return image  # resized before: rounding down twice may ask for one pixel more or less
    if image.dtype == torch.uint8 and image.device.type != "cpu":
        image = image / 255  # GPUs do not resize integers
    return F.interpolate(image[None], size=size, mode="bilinear", antialias=preparation.antialias)[0]


def resized_size(size: Size, shorter: int, longer: int) -> Size:
    """The size at which the shorter side is `shorter`, or the longer side `longer` if it would exceed it.

    No side falls below one pixel.
    """
    scale = min(shorter / min(size), longer / max(size))
    return max(1, math.floor(size[0] * scale)), max(1, math.floor(size[1] * scale))


def spatial_size(x: Tensor) -> Size:
    """(height, width) of maps (B, C, H, W) or of an image (C, H, W)."""
    height, width = x.shape[-2:]  # no int(): an export would make constants of them
    return height, width
