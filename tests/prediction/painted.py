"""Photos of painted rectangles, and a detector that sees exactly them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import ndimage

from boxmask.masks import Masks
from boxmask.photos.read import accepts_photos
from boxmask.types import Detections

Box = tuple[int, int, int, int]


def painted(size: tuple[int, int], boxes: list[Box]) -> np.ndarray:
    """A black photo of (height, width) with rectangles in other colors: the score of each is its red."""
    photo = np.zeros((*size, 3), dtype=np.uint8)
    for number, (x1, y1, x2, y2) in enumerate(boxes):
        photo[y1:y2, x1:x2] = 255 - number
    return photo


@dataclass(frozen=True)
class PaintConfig:
    class_names: tuple[str, ...] = ("rectangle",)
    detections_per_image: int = 100
    shorter_side: int = 64


class PaintDetector:
    """Finds each rectangle, or the part of it that it is shown, with its mask.

    max_side: larger photos look empty to it
    """

    def __init__(self, max_side: int = 10_000, *, masks: bool = True) -> None:
        self.config = PaintConfig()
        self.max_side, self.masks = max_side, masks
        self.sizes: list[tuple[int, int]] = []

    @accepts_photos
    def predict(self, images: list[Any], proposals: Any = None) -> list[Detections]:
        return [self._detect(image[0].numpy()) for image in images]

    def _detect(self, red: np.ndarray) -> Detections:
        self.sizes.append(red.shape)
        values = np.unique(red[red > 0])[::-1] if max(red.shape) <= self.max_side else np.zeros(0)
        dense = np.zeros((len(values), *red.shape), dtype=np.bool_)
        for mask, value in zip(dense, values, strict=True):
            mask[...] = red == value
            assert ndimage.label(mask)[1] == 1
        masks, n = Masks.from_dense(dense), len(values)
        scores, labels = values.astype(np.float32) / 255, np.zeros(n, dtype=np.int64)
        found = (masks.boxes(), scores, labels, self.config.class_names, red.shape)
        return Detections(*found, masks if self.masks else None)
