"""Changes to a training photo that leave its labels true: flips, scale jitter, light and color.

Photos stay uint8 and keep their size, so that photos of one shape still stack without padding. All chance
comes from the generator that the caller hands in: the same generator state gives the same photo, in
whichever worker process it is made.
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
# 0.5..1.5, hue ±0.05): a training of minutes has no time to unlearn strong colors.
BRIGHTNESS = (0.8, 1.2)
CONTRAST = (0.7, 1.3)
SATURATION = (0.7, 1.3)
HUE = (-0.03, 0.03)  # turns of the color circle

_LUMA = torch.tensor([0.299, 0.587, 0.114])  # ITU-R BT.601
_YIQ = torch.tensor([[0.299, 0.587, 0.114], [0.5959, -0.2746, -0.3213], [0.2115, -0.5227, 0.3112]])
_RGB = torch.linalg.inv(_YIQ)


@dataclass(frozen=True, slots=True)
class DetectionAugmentation:
    """What may happen to a training photo; called with one, it draws and applies.

    flip:          chance of a mirror image, left to right
    vertical_flip: chance of a mirror image, top to bottom; for photos from above or through a microscope
    scale:         range of the scale jitter (Ghiasi et al. 2021, arXiv 2012.07177, section 3): the photo is
                   scaled, then cropped or padded at random back to its own size
    color_jitter:   chance of other light and color (brightness, contrast, saturation and hue together)
    min_visible:   an object of whose box less than this share is left in the picture becomes `ignore`

    Raises UsageError where a chance is outside 0..1 or `scale` is no range of positive numbers.
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
        """A changed copy of the photo, of the same size, and the labels that are true of it.

        A copy even where nothing was changed, as the caller may keep the photo while the result moves on.
        For objects that were cut or left the picture, see `seen`.
        """
        mirror, upend, recolor = generator.random(3) < (self.flip, self.vertical_flip, self.color_jitter)
        scale = generator.uniform(*self.scale)
        place = generator.random(2)
        scene = _scene(recolored(image, generator) if recolor else image, target)
        if mirror:
            scene = scene.hflip()
        if upend:
            scene = scene.vflip()
        scene = _zoomed_in(scene, scale, place) if scale >= 1 else _zoomed_out(scene, scale, place)
        changed = scene.image
        copy = changed.clone() if changed.data_ptr() == image.data_ptr() else changed
        return copy, _labels(scene, target, self.min_visible)


def resize_detection_photo(
    image: UInt8[Tensor, "3 H W"], target: Target, shorter: int, longer: int
) -> tuple[UInt8[Tensor, "3 h w"], Target]:
    """Scale a photo and its labels so that the short side is `shorter`, or the long side `longer` if less.

    The size is that of `resized_size`, as the detector would have it. Antialiased, in uint8. Raises
    UsageError for sides that are not 1 <= shorter <= longer.
    """
    if not 1 <= shorter <= longer:
        raise UsageError(f"size: shorter side {shorter}, longer side {longer}; give 1 <= shorter <= longer")
    size = resized_size((image.shape[-2], image.shape[-1]), shorter, longer)
    if size == image.shape[-2:]:
        return image, target
    scene = _scene(image, target).resized(size)
    return scene.image, _labels(scene, target, min_visible=0.0)


def seen(target: Target, boxes: Float[Tensor, "N 4"], masks: Masks | None, size: Size) -> Target:
    """What is true of a picture of (height, width) to which the objects of `target` were moved.

    boxes: where they are now, possibly beyond the picture
    masks: of the same objects, in the picture

    Boxes are clipped; but that of an object that was cut, and whose outline was known, is the smallest around
    what is left of its mask. Objects of which nothing is left are dropped.
    """
    inside = clip(boxes, size)
    if masks is not None and target.masks is not None:
        cut = (inside != boxes).any(dim=1) & torch.from_numpy(target.masks.known)
        inside[cut] = torch.from_numpy(masks[cut].boxes())
    keep = (inside[:, 2:] > inside[:, :2]).all(dim=1)
    kept = None if masks is None else masks[keep]
    return Target(inside[keep], target.labels[keep], target.ignore[keep], kept)


@dataclass(frozen=True, slots=True)
class _Scene:
    """A photo with its labels, moved alike.

    boxes: tv_tensors, unclipped: how much of a box is left can only be told while its whole is still known
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

    def resized(self, size: Size) -> _Scene:
        masks = None if self.masks is None else self.masks.resize(size)
        return _Scene(F.resize(self.image, list(size)), F.resize(self.boxes, list(size)), masks)

    def cropped(self, left: int, top: int, size: Size) -> _Scene:
        masks = None if self.masks is None else self.masks.shift_and_crop(-left, -top, size)
        return _Scene(F.crop(self.image, top, left, *size), F.crop(self.boxes, top, left, *size), masks)

    def padded(self, left: int, top: int, size: Size) -> _Scene:
        """Laid on a gray ground."""
        height, width = self.size
        edges = [left, top, size[1] - width - left, size[0] - height - top]
        masks = None if self.masks is None else self.masks.shift_and_crop(left, top, size)
        return _Scene(F.pad(self.image, edges, PADDING_GRAY), F.pad(self.boxes, edges), masks)


def _scene(image: Tensor, target: Target) -> _Scene:
    size = (image.shape[-2], image.shape[-1])
    boxes = tv_tensors.BoundingBoxes(target.boxes, format="XYXY", canvas_size=size, clamping_mode=None)
    return _Scene(image, boxes, target.masks)


def _zoomed_in(scene: _Scene, scale: float, place: NDArray[np.float64]) -> _Scene:
    """Crop a window of 1 / scale of the sides, then bring it to the size of the whole."""
    height, width = scene.size
    window = (max(1, round(height / scale)), max(1, round(width / scale)))
    if window == (height, width):
        return scene
    top, left = (round(u * (n - m)) for u, n, m in zip(place, (height, width), window, strict=True))
    return scene.cropped(left, top, window).resized((height, width))


def _zoomed_out(scene: _Scene, scale: float, place: NDArray[np.float64]) -> _Scene:
    """Shrink the photo, then pad it with gray to the size that it had."""
    height, width = scene.size
    inner = (max(1, round(height * scale)), max(1, round(width * scale)))
    top, left = (round(u * (n - m)) for u, n, m in zip(place, (height, width), inner, strict=True))
    return scene.resized(inner).padded(left, top, (height, width))


def _labels(scene: _Scene, target: Target, min_visible: float) -> Target:
    """Of the moved photo; what is nearly out of sight is ignored."""
    whole = scene.boxes.as_subclass(Tensor)
    hidden = areas(clip(whole, scene.size)) < min_visible * areas(whole)
    return seen(replace(target, ignore=target.ignore | hidden), whole, scene.masks, scene.size)


def recolored(image: Tensor, generator: np.random.Generator) -> Tensor:
    """Another light: brightness, contrast, saturation and hue as one affine map of the colors.

    With brightness b, contrast c about the mean gray m, saturation S and hue H, a color x becomes
    c b H S x + (1 - c) b m; S and H leave grays alone, so that m passes through them unchanged.
    """
    b, c, s, turn = (generator.uniform(*span) for span in (BRIGHTNESS, CONTRAST, SATURATION, HUE))
    mean_gray = _LUMA @ image[:, ::8, ::8].float().mean(dim=(1, 2))
    matrix = c * b * (_hue_matrix(turn) @ _saturation_matrix(s))
    offset = ((1 - c) * b * mean_gray + 0.5).expand(3, 1)  # + 0.5 rounds, as uint8 cuts off
    colors = torch.addmm(offset, matrix, image.reshape(3, -1).float())
    # By way of int32, as torch's own float to uint8 is six times as slow on a CPU.
    return colors.clamp_(0, 255).to(torch.int32).to(torch.uint8).view(image.shape)


def _saturation_matrix(saturation: float) -> Float[Tensor, "3 3"]:
    return saturation * torch.eye(3) + (1 - saturation) * _LUMA.expand(3, 3)


def _hue_matrix(turn: float) -> Float[Tensor, "3 3"]:
    """Turn the plane of color differences of the YIQ space about the axis of grays."""
    cos, sin = math.cos(2 * math.pi * turn), math.sin(2 * math.pi * turn)
    rotation = torch.tensor([[1, 0, 0], [0, cos, -sin], [0, sin, cos]])
    matrix: Tensor = _RGB @ rotation @ _YIQ
    return matrix
