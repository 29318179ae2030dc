"""Augmentation of photos with boxes and masks: flips, scale jitter and color jitter.

Photos stay uint8 and keep their size, so that photos of one shape still form a batch without padding. All
randomness comes from the caller's generator: the same generator state gives the same photo in every worker
process.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float, UInt8
from numpy.typing import NDArray
from torch import Tensor
from torchvision import tv_tensors
from torchvision.transforms.v2 import functional as F

from boxmask.errors import UsageError
from boxmask.geometry.boxes import areas, clip
from boxmask.masks import Masks, Size
from boxmask.pipeline.images import resized_size
from boxmask.types import Target

PADDING_GRAY = 127  # near zero after normalizing, for every backbone whose mean is about 0.5

# Milder than SSD's photometric distortion (Liu et al. 2016, section 2.2: contrast and saturation
# 0.5..1.5, hue ±0.05), which short trainings do not benefit from.
BRIGHTNESS = (0.8, 1.2)
CONTRAST = (0.7, 1.3)
SATURATION = (0.7, 1.3)
HUE = (-0.03, 0.03)  # turns of the color circle

_LUMA = torch.tensor([0.299, 0.587, 0.114])  # ITU-R BT.601
_YIQ = torch.tensor([[0.299, 0.587, 0.114], [0.5959, -0.2746, -0.3213], [0.2115, -0.5227, 0.3112]])
_RGB = torch.linalg.inv(_YIQ)


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
        scene = _scene(jitter_color(image, generator) if recolor else image, target)
        if hflip:
            scene = scene.hflip()
        if vflip:
            scene = scene.vflip()
        scene = _zoom_in(scene, scale, position) if scale >= 1 else _zoom_out(scene, scale, position)
        augmented = scene.image
        copy = augmented.clone() if augmented.data_ptr() == image.data_ptr() else augmented
        return copy, _target(scene, target, self.min_visible)


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
    scene = _scene(image, target).resize(size)
    return scene.image, _target(scene, target, min_visible=0.0)


def visible_target(target: Target, boxes: Float[Tensor, "N 4"], masks: Masks | None, size: Size) -> Target:
    """The objects of `target` that are visible in an image of (height, width).

    boxes: their boxes in the image, possibly beyond its edges
    masks: their masks in the image

    Boxes are clipped. A cropped object with a known mask gets the smallest box around the rest of its mask.
    Objects outside the image are dropped.
    """
    clipped = clip(boxes, size)
    if masks is not None and target.masks is not None:
        cropped = (clipped != boxes).any(dim=1) & torch.from_numpy(target.masks.known)
        clipped[cropped] = torch.from_numpy(masks[cropped].boxes())
    keep = (clipped[:, 2:] > clipped[:, :2]).all(dim=1)
    kept_masks = None if masks is None else masks[keep]
    return Target(clipped[keep], target.labels[keep], target.ignore[keep], kept_masks)


@dataclass(frozen=True, slots=True)
class _Scene:
    """A photo with its boxes and masks, which change together.

    boxes: tv_tensors, unclipped, so that the visible share of each box can be computed
    """

    image: UInt8[Tensor, "3 H W"]
    boxes: Tensor
    masks: Masks | None

    @property
    def size(self) -> Size:
        return int(self.image.shape[-2]), int(self.image.shape[-1])

    def hflip(self) -> _Scene:
        masks = None if self.masks is None else self.masks.hflip()
        return _Scene(F.horizontal_flip(self.image), F.horizontal_flip(self.boxes), masks)

    def vflip(self) -> _Scene:
        masks = None if self.masks is None else self.masks.vflip()
        return _Scene(F.vertical_flip(self.image), F.vertical_flip(self.boxes), masks)

    def resize(self, size: Size) -> _Scene:
        masks = None if self.masks is None else self.masks.resize(size)
        return _Scene(F.resize(self.image, list(size)), F.resize(self.boxes, list(size)), masks)

    def crop(self, left: int, top: int, size: Size) -> _Scene:
        masks = None if self.masks is None else self.masks.shift_and_crop(-left, -top, size)
        return _Scene(F.crop(self.image, top, left, *size), F.crop(self.boxes, top, left, *size), masks)

    def pad(self, left: int, top: int, size: Size) -> _Scene:
        """Padded with gray to (height, width)."""
        height, width = self.size
        edges = [left, top, size[1] - width - left, size[0] - height - top]
        masks = None if self.masks is None else self.masks.shift_and_crop(left, top, size)
        return _Scene(F.pad(self.image, edges, PADDING_GRAY), F.pad(self.boxes, edges), masks)


def _scene(image: Tensor, target: Target) -> _Scene:
    size = (image.shape[-2], image.shape[-1])
    boxes = tv_tensors.BoundingBoxes(target.boxes, format="XYXY", canvas_size=size, clamping_mode=None)
    return _Scene(image, boxes, target.masks)


def _zoom_in(scene: _Scene, scale: float, position: NDArray[np.float64]) -> _Scene:
    """Crop a window of 1 / scale of the sides and enlarge it to the full size."""
    height, width = scene.size
    window = (max(1, round(height / scale)), max(1, round(width / scale)))
    if window == (height, width):
        return scene
    top, left = (round(u * (n - m)) for u, n, m in zip(position, (height, width), window, strict=True))
    return scene.crop(left, top, window).resize((height, width))


def _zoom_out(scene: _Scene, scale: float, position: NDArray[np.float64]) -> _Scene:
    """Shrink the photo and pad it with gray to its original size."""
    height, width = scene.size
    inner = (max(1, round(height * scale)), max(1, round(width * scale)))
    top, left = (round(u * (n - m)) for u, n, m in zip(position, (height, width), inner, strict=True))
    return scene.resize(inner).pad(left, top, (height, width))


def _target(scene: _Scene, target: Target, min_visible: float) -> Target:
    """The visible objects; those that are mostly hidden are ignored."""
    boxes = scene.boxes.as_subclass(Tensor)
    hidden = areas(clip(boxes, scene.size)) < min_visible * areas(boxes)
    return visible_target(replace(target, ignore=target.ignore | hidden), boxes, scene.masks, scene.size)


def jitter_color(image: UInt8[Tensor, "3 H W"], generator: np.random.Generator) -> UInt8[Tensor, "3 H W"]:
    """Random brightness, contrast, saturation and hue, as one affine map of the colors.

    With brightness b, contrast c about the mean gray m, saturation S and hue H, a color x becomes
    c b H S x + (1 - c) b m. S and H keep grays, so m passes through them unchanged.
    """
    b, c, s, turn = (generator.uniform(*span) for span in (BRIGHTNESS, CONTRAST, SATURATION, HUE))
    mean_gray = _LUMA @ image[:, ::8, ::8].float().mean(dim=(1, 2))
    matrix = c * b * (_hue_matrix(turn) @ _saturation_matrix(s))
    offset = ((1 - c) * b * mean_gray + 0.5).expand(3, 1)  # + 0.5, because uint8 truncates
    colors = torch.addmm(offset, matrix, image.reshape(3, -1).float())
    # Via int32: on a CPU, torch converts float to uint8 six times more slowly.
    return colors.clamp_(0, 255).to(torch.int32).to(torch.uint8).view(image.shape)


def _saturation_matrix(saturation: float) -> Float[Tensor, "3 3"]:
    return saturation * torch.eye(3) + (1 - saturation) * _LUMA.expand(3, 3)


def _hue_matrix(turn: float) -> Float[Tensor, "3 3"]:
    """Rotate the color differences of the YIQ space about the gray axis."""
    cos, sin = math.cos(2 * math.pi * turn), math.sin(2 * math.pi * turn)
    rotation = torch.tensor([[1, 0, 0], [0, cos, -sin], [0, sin, cos]])
    matrix: Tensor = _RGB @ rotation @ _YIQ
    return matrix
