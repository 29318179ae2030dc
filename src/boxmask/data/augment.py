"""Changes to a training photo that leave its labels true: flips, scale jitter, light and colour.

Photos stay uint8 and keep their size, so that photos of one shape still stack without padding. All chance
comes from the generator that the caller hands in: the same generator state gives the same photo, in
whichever worker process it is made.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, UInt8
from numpy.typing import NDArray
from torch import Tensor
from torchvision import tv_tensors
from torchvision.transforms.v2 import functional as F

from boxmask.errors import UsageError
from boxmask.geometry.boxes import areas, clip
from boxmask.pipeline.images import resized_size
from boxmask.types import Target

PADDING_GREY = 127  # near zero after normalising, for every backbone whose mean is about 0.5

# Milder than SSD's photometric distortion (Liu et al. 2016, section 2.2: contrast and saturation
# 0.5..1.5, hue ±0.05): a training of minutes has no time to unlearn strong colours.
BRIGHTNESS = (0.8, 1.2)
CONTRAST = (0.7, 1.3)
SATURATION = (0.7, 1.3)
HUE = (-0.03, 0.03)  # turns of the colour circle

_LUMA = torch.tensor([0.299, 0.587, 0.114])  # ITU-R BT.601
_YIQ = torch.tensor([[0.299, 0.587, 0.114], [0.5959, -0.2746, -0.3213], [0.2115, -0.5227, 0.3112]])
_RGB = torch.linalg.inv(_YIQ)


@dataclass(frozen=True, slots=True)
class Augmentation:
    """What may happen to a training photo; called with one, it draws and applies.

    flip:          chance of a mirror image, left to right
    vertical_flip: chance of a mirror image, top to bottom; for photos from above or through a microscope
    scale:         range of the scale jitter (Ghiasi et al. 2021, arXiv 2012.07177, section 3): the photo is
                   scaled, then cropped or padded at random back to its own size
    photometric:   chance of other light and colour (brightness, contrast, saturation and hue together)
    min_visible:   an object of whose box less than this share is left in the picture becomes `ignore`

    Raises UsageError where a chance is outside 0..1 or `scale` is no range of positive numbers.
    """

    flip: float = 0.5
    vertical_flip: float = 0.0
    scale: tuple[float, float] = (0.8, 1.25)
    photometric: float = 0.5
    min_visible: float = 0.3

    def __post_init__(self) -> None:
        for name in ("flip", "vertical_flip", "photometric", "min_visible"):
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
        Boxes are clipped to the picture; objects that left it are dropped; where there are masks, the box of
        an object that was cut is the tight box of what is left of its mask.
        """
        mirror, upend, recolour = generator.random(3) < (self.flip, self.vertical_flip, self.photometric)
        scale = generator.uniform(*self.scale)
        place = generator.random(2)
        parts = _parts(recoloured(image, generator) if recolour else image, target)
        if mirror:
            parts = _each(F.horizontal_flip, parts)
        if upend:
            parts = _each(F.vertical_flip, parts)
        parts = _zoomed_in(parts, scale, place) if scale >= 1 else _zoomed_out(parts, scale, place)
        changed = parts[0].as_subclass(Tensor)
        copy = changed.clone() if changed.data_ptr() == image.data_ptr() else changed
        return copy, _labels(parts, target, self.min_visible)


def resize_photo(
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
    parts = _resized(_parts(image, target), size)
    return parts[0].as_subclass(Tensor), _labels(parts, target, min_visible=0.0)


def _parts(image: Tensor, target: Target) -> list[Tensor]:
    """The photo, its boxes and its masks as tv_tensors, so that one call moves all of them alike."""
    size = (image.shape[-2], image.shape[-1])
    # Unclamped: how much of a box is left can only be told while its whole is still known.
    boxes = tv_tensors.BoundingBoxes(target.boxes, format="XYXY", canvas_size=size, clamping_mode=None)
    masks = [] if target.masks is None else [tv_tensors.Mask(target.masks)]
    return [tv_tensors.Image(image), boxes, *masks]


def _each(kernel: Callable[..., Tensor], parts: list[Tensor], *settings: object) -> list[Tensor]:
    return [kernel(part, *settings) for part in parts]


def _resized(parts: list[Tensor], size: tuple[int, int]) -> list[Tensor]:
    photo, boxes, *masks = parts
    return [F.resize(photo, list(size)), F.resize(boxes, list(size)), *(_thinned(m, size) for m in masks)]


def _thinned(masks: Tensor, size: tuple[int, int]) -> Tensor:
    """Masks at another size by their nearest pixels, (N, H, W) -> (N, h, w).

    `F.resize` does the same to masks, three times as slowly, and its rounding pulls them up and left.
    """
    rows, columns = (_nearest(*sides) for sides in zip(masks.shape[1:], size, strict=True))
    picked = masks.as_subclass(Tensor).numpy().take(rows, axis=1).take(columns, axis=2)
    thinned: Tensor = tv_tensors.Mask(torch.from_numpy(picked))
    return thinned


def _nearest(old: int, new: int) -> NDArray[np.int64]:
    """Which of `old` pixels in a row lies under the centre of each of `new`."""
    return ((np.arange(new) + 0.5) * old / new).astype(np.int64)


def _zoomed_in(parts: list[Tensor], scale: float, place: NDArray[np.float64]) -> list[Tensor]:
    """Crop a window of 1 / scale of the sides, then bring it to the size of the whole."""
    height, width = parts[0].shape[-2:]
    window = (max(1, round(height / scale)), max(1, round(width / scale)))
    if window == (height, width):
        return parts
    top, left = (round(u * (n - m)) for u, n, m in zip(place, (height, width), window, strict=True))
    return _resized(_each(F.crop, parts, top, left, *window), (height, width))


def _zoomed_out(parts: list[Tensor], scale: float, place: NDArray[np.float64]) -> list[Tensor]:
    """Shrink the photo, then pad it with grey to the size that it had."""
    height, width = parts[0].shape[-2:]
    inner = (max(1, round(height * scale)), max(1, round(width * scale)))
    top, left = (round(u * (n - m)) for u, n, m in zip(place, (height, width), inner, strict=True))
    edges = [left, top, width - inner[1] - left, height - inner[0] - top]
    image, *labels = _resized(parts, inner)
    return [F.pad(image, edges, PADDING_GREY), *_each(F.pad, labels, edges)]


def _labels(parts: list[Tensor], target: Target, min_visible: float) -> Target:
    """Clip the moved boxes, drop what left the picture, ignore what nearly did."""
    whole = parts[1].as_subclass(Tensor)
    boxes = clip(whole, (parts[0].shape[-2], parts[0].shape[-1]))
    ignore = target.ignore | (areas(boxes) < min_visible * areas(whole))
    masks = parts[2].as_subclass(Tensor) if len(parts) > 2 else None
    if masks is not None:
        cut = (boxes != whole).any(dim=1)
        boxes[cut] = _tight_boxes(masks[cut])
    keep = (boxes[:, 2:] > boxes[:, :2]).all(dim=1)
    return Target(boxes[keep], target.labels[keep], ignore[keep], None if masks is None else masks[keep])


def _tight_boxes(masks: Tensor) -> Float[Tensor, "N 4"]:
    """The smallest box around each mask, (N, H, W) -> (N, 4); no width and height where it is empty."""
    marks = masks.to(torch.uint8)
    (left, right), (top, bottom) = _span(marks.amax(dim=1)), _span(marks.amax(dim=2))
    return torch.stack([left, top, right, bottom], dim=1).float()


def _span(marks: Tensor) -> tuple[Tensor, Tensor]:
    """First and one past the last marked place of each row, (N, L) -> two of (N,)."""
    places = torch.arange(1, marks.shape[1] + 1) * marks
    return marks.argmax(dim=1), places.amax(dim=1)  # argmax is the first of equals


def recoloured(image: Tensor, generator: np.random.Generator) -> Tensor:
    """Another light: brightness, contrast, saturation and hue as one affine map of the colours.

    With brightness b, contrast c about the mean grey m, saturation S and hue H, a colour x becomes
    c b H S x + (1 - c) b m; S and H leave greys alone, so that m passes through them unchanged.
    """
    b, c, s, turn = (generator.uniform(*span) for span in (BRIGHTNESS, CONTRAST, SATURATION, HUE))
    mean_grey = _LUMA @ image[:, ::8, ::8].float().mean(dim=(1, 2))
    matrix = c * b * (_hue_matrix(turn) @ _saturation_matrix(s))
    offset = ((1 - c) * b * mean_grey + 0.5).expand(3, 1)  # + 0.5 rounds, as uint8 cuts off
    colours = torch.addmm(offset, matrix, image.reshape(3, -1).float())
    # By way of int32, as torch's own float to uint8 is six times as slow on a CPU.
    return colours.clamp_(0, 255).to(torch.int32).to(torch.uint8).view(image.shape)


def _saturation_matrix(saturation: float) -> Float[Tensor, "3 3"]:
    return saturation * torch.eye(3) + (1 - saturation) * _LUMA.expand(3, 3)


def _hue_matrix(turn: float) -> Float[Tensor, "3 3"]:
    """Turn the plane of colour differences of the YIQ space about the axis of greys."""
    cos, sin = math.cos(2 * math.pi * turn), math.sin(2 * math.pi * turn)
    rotation = torch.tensor([[1, 0, 0], [0, cos, -sin], [0, sin, cos]])
    matrix: Tensor = _RGB @ rotation @ _YIQ
    return matrix
