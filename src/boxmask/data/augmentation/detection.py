"""Augmentation of photos with boxes and masks: flips, scale jitter and color jitter.

Photos stay uint8 and keep their size, so that photos of one shape still form a batch without padding. All
randomness comes from the caller's generator: the same generator state gives the same photo in every worker
process.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8
from numpy.typing import NDArray
from torch import Tensor

from boxmask.data.augmentation.colors import jitter_color
from boxmask.data.augmentation.scene import Scene
from boxmask.errors import UsageError
from boxmask.pipeline.images import resized_size
from boxmask.types import Target


@dataclass(frozen=True, slots=True)
class DetectionAugmentation:
    """Random changes to a training photo. Calling it with a photo samples and applies them.

    flip:          probability of a horizontal flip
    vertical_flip: probability of a vertical flip; for photos from above or through a microscope
    scale:         range of the scale jitter (Ghiasi et al. 2021, arXiv:2012.07177, section 3): the photo is
                   scaled, then cropped or padded at random to its original size
    color_jitter:  probability of other brightness, contrast, saturation and hue, all together
    min_visible:   objects with less than this share of their box left in the image become `ignore`

    Raises UsageError for probabilities outside 0..1 and for a `scale` that is no range of positive numbers.
    """

    flip: float = 0.5
    vertical_flip: float = 0.0
    scale: tuple[float, float] = (0.8, 1.25)
    color_jitter: float = 0.5
    min_visible: float = 0.3

    def __post_init__(self) -> None:
        for name in ("flip", "vertical_flip", "color_jitter", "min_visible"):
            share = getattr(self, name)
            if not 0.0 <= share <= 1.0:
                raise UsageError(f"augmentation: {name} is {share}; give a number from 0 to 1")
        if not 0.0 < self.scale[0] <= self.scale[1] < math.inf:
            raise UsageError(f"augmentation: scale is {self.scale}; give (low, high) with 0 < low <= high")

    def __call__(
        self, image: UInt8[Tensor, "3 H W"], target: Target, generator: np.random.Generator
    ) -> tuple[UInt8[Tensor, "3 H W"], Target]:
        """An augmented copy of the photo, of the same size, and its labels.

        It is a copy even if nothing changes, because the caller may keep the photo in a cache. For objects at
        or beyond the edges, see `visible_target`.
        """
        hflip, vflip, recolor = generator.random(3) < (self.flip, self.vertical_flip, self.color_jitter)
        scale = generator.uniform(*self.scale)
        position = generator.random(2)
        scene = Scene.of(jitter_color(image, generator) if recolor else image, target)
        if hflip:
            scene = scene.hflip()
        if vflip:
            scene = scene.vflip()
        scene = _zoom_in(scene, scale, position) if scale >= 1 else _zoom_out(scene, scale, position)
        augmented = scene.image
        copy = augmented.clone() if augmented.data_ptr() == image.data_ptr() else augmented
        return copy, scene.visible_target(target, self.min_visible)


def resize_detection_photo(
    image: UInt8[Tensor, "3 H W"], target: Target, shorter: int, longer: int
) -> tuple[UInt8[Tensor, "3 h w"], Target]:
    """Resize a photo and its labels: the short side to `shorter`, but the long side to `longer` at most.

    The size is that of `resized_size`, which the detector uses too. Antialiased, in uint8. Raises UsageError
    unless 1 <= shorter <= longer.
    """
    if not 1 <= shorter <= longer:
        raise UsageError(f"size: shorter side {shorter}, longer side {longer}; give 1 <= shorter <= longer")
    size = resized_size((image.shape[-2], image.shape[-1]), shorter, longer)
    if size == image.shape[-2:]:
        return image, target
    scene = Scene.of(image, target).resize(size)
    return scene.image, scene.visible_target(target, min_visible=0.0)


def _zoom_in(scene: Scene, scale: float, position: NDArray[np.float64]) -> Scene:
    """Crop a window of 1 / scale of the sides and enlarge it to the full size."""
    height, width = scene.size
    window = (max(1, round(height / scale)), max(1, round(width / scale)))
    if window == (height, width):
        return scene
    top, left = (round(u * (n - m)) for u, n, m in zip(position, (height, width), window, strict=True))
    return scene.crop(left, top, window).resize((height, width))


def _zoom_out(scene: Scene, scale: float, position: NDArray[np.float64]) -> Scene:
    """Shrink the photo and pad it with gray to its original size."""
    height, width = scene.size
    inner = (max(1, round(height * scale)), max(1, round(width * scale)))
    top, left = (round(u * (n - m)) for u, n, m in zip(position, (height, width), inner, strict=True))
    return scene.resize(inner).pad(left, top, (height, width))
