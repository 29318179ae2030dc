"""Mosaic: one training photo made of parts of four.

Bochkovskiy et al. 2020, "YOLOv4", arXiv:2004.10934, section 3.3: four photos meet at a random point, so that
a network sees objects in other surroundings and at other scales. As in the authors' code, the point lies in
the middle 60 % of both sides. Each photo is scaled by 0.5 to 1.5 (YOLOv5's range) and shows a random part; a
photo that is smaller than its quadrant touches the others, with gray beyond it.

Mosaics are less like real photos. Ge et al. 2021, "YOLOX", arXiv:2107.08430, section 2.1, therefore train the
last 15 of 300 epochs without. A training of minutes has few epochs and ends without them for longer: the last
15 %.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor

from boxmask.data.augmentation.colors import jitter_color
from boxmask.data.augmentation.combination import LabeledImage
from boxmask.data.augmentation.detection import DetectionAugmentation
from boxmask.data.augmentation.scene import Scene, join_targets, shift_target
from boxmask.data.augmentation.segmentation import SegmentationAugmentation, crop_and_resize, pad_photo
from boxmask.data.augmentation.side_crop import SideCrop
from boxmask.masks import Size
from boxmask.types import SegmentationTarget, Target

MEETING_POINT = (0.2, 0.8)  # of the height and the width
SCALE = (0.5, 1.5)


@dataclass(frozen=True, slots=True)
class Quadrant:
    """A rectangle of the mosaic, which one photo fills.

    left, top:  its upper left corner in the mosaic
    size:       (height, width)
    is_first:   for rows and for columns: whether the meeting point is at their end
    """

    left: int
    top: int
    size: Size
    is_first: tuple[bool, bool]

    def place(self, photo: Size, generator: np.random.Generator) -> tuple[SideCrop, SideCrop]:
        """The visible rows and columns of a photo, scaled at random."""
        scale, random_position = generator.uniform(*SCALE), generator.random(2)
        sides = zip(photo, self.size, random_position, self.is_first, strict=True)
        rows, columns = (
            SideCrop.from_scale(side, result, scale, u if side * scale >= result else float(is_first))
            for side, result, u, is_first in sides
        )
        return rows, columns


def sample_quadrants(size: Size, generator: np.random.Generator) -> list[Quadrant]:
    """The four quadrants of a mosaic of (height, width); fewer if it is only one pixel high or wide."""
    y, x = (
        round(share * side) for share, side in zip(generator.uniform(*MEETING_POINT, 2), size, strict=True)
    )
    height, width = size
    rows, columns = ((0, y, True), (y, height, False)), ((0, x, True), (x, width, False))
    return [
        Quadrant(left, top, (bottom - top, right - left), (is_upper, is_left))
        for top, bottom, is_upper in rows
        for left, right, is_left in columns
        if bottom > top and right > left
    ]


@dataclass(frozen=True, slots=True)
class DetectionMosaic:
    """A mosaic of photos with boxes and masks. Calling it with four photos samples and makes one.

    single: the augmentation of single photos, of which the flips, the color jitter and `min_visible` are used
    """

    single: DetectionAugmentation

    def __call__(self, photos: list[LabeledImage], generator: np.random.Generator) -> LabeledImage:
        """A mosaic of the size of the first photo, and its labels."""
        image = torch.empty_like(photos[0][0])
        size = (int(image.shape[-2]), int(image.shape[-1]))
        targets = []
        for (photo, target), quadrant in zip(photos, sample_quadrants(size, generator), strict=False):
            part, labels = self._fill(photo, target, quadrant, generator)
            paste(image, part, quadrant)
            targets.append(shift_target(labels, quadrant.left, quadrant.top, size))
        return image, join_targets(targets, size)

    def _fill(
        self, image: Tensor, target: Target, quadrant: Quadrant, generator: np.random.Generator
    ) -> tuple[Tensor, Target]:
        """The part of a photo that fills the quadrant, and its labels."""
        single, scene = self.single, Scene.of(image, target)
        chances = (single.flip, single.vertical_flip, single.color_jitter)
        hflip, vflip, recolor = generator.random(3) < chances
        rows, columns = quadrant.place(scene.size, generator)
        kept = (rows.end - rows.begin, columns.end - columns.begin)
        scene = scene.crop(columns.begin, rows.begin, kept).resize((rows.inner, columns.inner))
        if recolor:
            scene = replace(scene, image=jitter_color(scene.image, generator))
        scene = scene.hflip() if hflip else scene
        scene = scene.vflip() if vflip else scene
        scene = scene.pad(columns.before, rows.before, quadrant.size)
        return scene.image, scene.visible_target(target, single.min_visible)


@dataclass(frozen=True, slots=True)
class SegmentationMosaic:
    """A mosaic of photos with label maps. Calling it with four photos samples and makes one.

    single: the augmentation of single photos, of which the flips, the color jitter and the tile are used
    """

    single: SegmentationAugmentation

    def __call__(self, photos: list[LabeledImage], generator: np.random.Generator) -> LabeledImage:
        """A mosaic of the size of the tile or of the first photo, and its label map."""
        single, (first, target) = self.single, photos[0]
        size = (single.tile, single.tile) if single.tile else (int(first.shape[-2]), int(first.shape[-1]))
        image, labels = first.new_empty((3, *size)), target.labels.new_empty(size)
        for (photo, of_photo), quadrant in zip(photos, sample_quadrants(size, generator), strict=False):
            pixels, classes = self._fill(photo, of_photo.labels, quadrant, generator)
            paste(image, pixels, quadrant)
            paste(labels, classes, quadrant)
        return image, SegmentationTarget(labels)

    def _fill(
        self, image: Tensor, labels: Tensor, quadrant: Quadrant, generator: np.random.Generator
    ) -> tuple[Tensor, Tensor]:
        """The part of a photo that fills the quadrant, and its labels."""
        single = self.single
        chances = (single.flip, single.vertical_flip, single.color_jitter)
        hflip, vflip, recolor = generator.random(3) < chances
        rows, columns = quadrant.place((int(image.shape[-2]), int(image.shape[-1])), generator)
        part, classes = crop_and_resize(image, labels, rows, columns)
        part = jitter_color(part, generator) if recolor else part
        axes = [axis for axis, flipped in ((-1, hflip), (-2, vflip)) if flipped]
        if axes:
            part, classes = part.flip(axes), classes.flip(axes)
        return pad_photo(part, classes, rows, columns, quadrant.size)


def paste(canvas: UInt8[Tensor, "*C H W"], part: UInt8[Tensor, "*C h w"], quadrant: Quadrant) -> None:
    """Write the part into its quadrant of the canvas."""
    height, width = quadrant.size
    canvas[..., quadrant.top : quadrant.top + height, quadrant.left : quadrant.left + width] = part
