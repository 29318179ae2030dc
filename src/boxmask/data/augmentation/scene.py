"""A photo with its boxes and masks, which change together."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, UInt8
from torch import Tensor
from torchvision import tv_tensors
from torchvision.transforms.v2 import functional as F

from boxmask.geometry.boxes import areas, clip
from boxmask.masks import Masks, Size
from boxmask.types import Target

LARGE_JITTER = (0.1, 2.0)
"""Large-scale jitter: Ghiasi et al. 2021, arXiv:2012.07177, section 3."""

PADDING_GRAY = 127  # near zero after normalizing, for every backbone whose mean is about 0.5


@dataclass(frozen=True, slots=True)
class Scene:
    """A photo with its boxes and masks, which change together.

    boxes: tv_tensors, unclipped, so that the visible share of each box can be computed
    """

    image: UInt8[Tensor, "3 H W"]
    boxes: Tensor
    masks: Masks | None

    @staticmethod
    def of(image: UInt8[Tensor, "3 H W"], target: Target) -> Scene:
        """A photo with its labels."""
        size = (image.shape[-2], image.shape[-1])
        boxes = tv_tensors.BoundingBoxes(target.boxes, format="XYXY", canvas_size=size, clamping_mode=None)
        return Scene(image, boxes, target.masks)

    @property
    def size(self) -> Size:
        """(height, width) of the image."""
        return int(self.image.shape[-2]), int(self.image.shape[-1])

    def hflip(self) -> Scene:
        """Mirrored left to right."""
        masks = None if self.masks is None else self.masks.hflip()
        return Scene(F.horizontal_flip(self.image), F.horizontal_flip(self.boxes), masks)

    def vflip(self) -> Scene:
        """Mirrored top to bottom."""
        masks = None if self.masks is None else self.masks.vflip()
        return Scene(F.vertical_flip(self.image), F.vertical_flip(self.boxes), masks)

    def resize(self, size: Size) -> Scene:
        """Resized to (height, width)."""
        masks = None if self.masks is None else self.masks.resize(size)
        return Scene(F.resize(self.image, list(size)), F.resize(self.boxes, list(size)), masks)

    def crop(self, left: int, top: int, size: Size) -> Scene:
        """The part of (height, width) whose upper left corner is at (left, top)."""
        masks = None if self.masks is None else self.masks.shift_and_crop(-left, -top, size)
        return Scene(F.crop(self.image, top, left, *size), F.crop(self.boxes, top, left, *size), masks)

    def pad(self, left: int, top: int, size: Size) -> Scene:
        """Padded with gray to (height, width); the upper left corner moves to (left, top)."""
        height, width = self.size
        edges = [left, top, size[1] - width - left, size[0] - height - top]
        masks = None if self.masks is None else self.masks.shift_and_crop(left, top, size)
        return Scene(F.pad(self.image, edges, PADDING_GRAY), F.pad(self.boxes, edges), masks)

    def visible_target(self, target: Target, min_visible: float) -> Target:
        """The visible objects of `target`, whose boxes and masks became those of the scene.

        Objects with less than `min_visible` of their box in the image become `ignore`.
        """
        boxes = self.boxes.as_subclass(Tensor)
        hidden = areas(clip(boxes, self.size)) < min_visible * areas(boxes)
        return visible_target(replace(target, ignore=target.ignore | hidden), boxes, self.masks, self.size)


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


def shift_target(target: Target, left: int, top: int, size: Size) -> Target:
    """The labels with the upper left corner of their photo at (left, top) of an image of (height, width).

    A cropped object may be a sliver that only numbers near zero can express. It is dropped.
    """
    boxes = target.boxes + target.boxes.new_tensor([left, top] * 2)
    keep = (boxes[:, 2:] > boxes[:, :2]).all(dim=1)
    masks = None if target.masks is None else target.masks.shift_and_crop(left, top, size)[keep]
    return Target(boxes[keep], target.labels[keep], target.ignore[keep], masks)


def join_targets(targets: list[Target], size: Size) -> Target:
    """All objects of one image of (height, width) as one target."""
    known = [target.masks for target in targets if target.masks is not None]
    return Target(
        torch.cat([target.boxes for target in targets]),
        torch.cat([target.labels for target in targets]),
        torch.cat([target.ignore for target in targets]),
        Masks.concatenate(known, size) if len(known) == len(targets) else None,
    )
