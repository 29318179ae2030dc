"""Copy-paste: objects of one photo are pasted onto another.

Ghiasi et al. 2021, "Simple Copy-Paste", arXiv:2012.07177, section 3: a random subset of the objects of one
augmented photo is pasted onto another augmented photo, wherever they are. Objects below lose what is
covered: their masks and boxes are updated, and those that are hidden are removed. The paper pastes pixels of
masks, with or without blending at the rim.

An object of which only the box is known is pasted with its box, and a soft rim around it. Dwibedi et al.
2017, "Cut, Paste and Learn", arXiv:1708.01642, blend rims so that a detector does not learn to find them.
Whatever else lies in the box comes along, with its label.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, UInt8
from numpy.typing import NDArray

from boxmask.data.augmentation.combination import LabeledImage
from boxmask.data.augmentation.pasted_region import PastedRegion, visible_objects
from boxmask.data.augmentation.scene import join_targets, shift_target, visible_target
from boxmask.masks import Size
from boxmask.types import Target

MAX_COVERED = 0.5
"""Objects are pasted as long as their boxes cover at most this share of the photo together."""


@dataclass(frozen=True, slots=True)
class CopyPaste:
    """Pastes objects of one augmented photo onto another.

    probabilities: of an object to be pasted, by its class
    min_visible:   objects below with less than this share left are `ignore`; see `visible_objects`
    """

    probabilities: tuple[float, ...]
    min_visible: float = 0.3

    def __call__(
        self, photo: LabeledImage, source: LabeledImage, generator: np.random.Generator
    ) -> LabeledImage:
        """The photo with objects of `source`, which may have another size, and the labels of both.

        The photo is changed in place. Crowd regions and difficult objects are not pasted by themselves.
        """
        image, target = photo
        size = (int(image.shape[-2]), int(image.shape[-1]))
        pixels, labels = _at_random_place(source, size, generator)
        chosen = self._choose(labels, size, generator)
        if not len(chosen):
            return photo
        region = PastedRegion.of_objects(labels, chosen, size)
        region.paste(pixels, image)
        below = visible_objects(target, ~region.covered, self.min_visible)
        above = visible_objects(labels, region.covered, self.min_visible)
        return image, join_targets([below, above], size)

    def _choose(self, source: Target, size: Size, generator: np.random.Generator) -> NDArray[np.int64]:
        """The objects to paste, as indices: a random subset with at least one, unless all are too large."""
        probabilities = np.asarray(self.probabilities)[source.labels.numpy()]
        draws = generator.random(len(probabilities))
        candidates = np.flatnonzero(~source.ignore.numpy())
        order = candidates[np.argsort(draws[candidates] / probabilities[candidates], kind="stable")]
        shares = _areas(source)[order] / (size[0] * size[1])
        order = order[shares <= MAX_COVERED]
        is_chosen = draws[order] < probabilities[order]
        is_chosen[:1] = True
        order = order[is_chosen]
        return np.asarray(order[np.cumsum(_areas(source)[order]) <= MAX_COVERED * size[0] * size[1]])


def _areas(target: Target) -> Float[np.ndarray, " N"]:
    """The areas of the boxes, (N, 4) -> (N,)."""
    sides: NDArray[np.float32] = (target.boxes[:, 2:] - target.boxes[:, :2]).numpy()
    return sides[:, 0] * sides[:, 1]


def _at_random_place(
    source: LabeledImage, size: Size, generator: np.random.Generator
) -> tuple[UInt8[torch.Tensor, "3 H W"], Target]:
    """The photo on a canvas of (height, width), cropped where it is larger; black where it is smaller."""
    image, target = source
    position = generator.random(2)
    if image.shape[-2:] == size:
        return image, target
    height, width = int(image.shape[-2]), int(image.shape[-1])
    top, left = (round(u * (n - m)) for u, n, m in zip(position, size, (height, width), strict=True))
    canvas = image.new_zeros((3, *size))
    y, x, bottom, right = max(0, top), max(0, left), min(size[0], top + height), min(size[1], left + width)
    canvas[:, y:bottom, x:right] = image[:, y - top : bottom - top, x - left : right - left]
    moved = shift_target(target, left, top, size)
    return canvas, visible_target(target, moved.boxes, moved.masks, size)
