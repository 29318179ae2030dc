"""Augmentation with several photos: mosaics, and objects pasted from one photo onto another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from jaxtyping import Float
from torch import Tensor

LabeledImage: TypeAlias = tuple[Tensor, Any]
"""A photo, uint8 (3, H, W), and its target."""

MOSAIC_END = 0.85
"""The fraction of the training after which there are no mosaics."""


@dataclass(frozen=True, slots=True)
class Combination:
    """Random changes to a training photo, for which other photos may be used.

    single:     changes one photo
    mosaic:     makes one photo of four; None: never
    copy_paste: pastes objects of the second photo onto the first; None: never
    mosaic_probability, copy_paste_probability: of each; a mosaic may get pasted objects, too
    repeat_factors: photos are drawn in proportion to them; None: all with the same probability
    """

    single: Callable[[Tensor, Any, np.random.Generator], LabeledImage]
    mosaic: Callable[[list[LabeledImage], np.random.Generator], LabeledImage] | None = None
    copy_paste: Callable[[LabeledImage, LabeledImage, np.random.Generator], LabeledImage] | None = None
    mosaic_probability: float = 0.0
    copy_paste_probability: float = 0.0
    repeat_factors: Float[np.ndarray, " P"] | None = None

    def __call__(
        self,
        image: Tensor,
        target: Any,
        generator: np.random.Generator,
        another: Callable[[], LabeledImage],
        progress: float,
    ) -> LabeledImage:
        """An augmented copy of the photo and its target.

        another:  draws a photo of the data set, with `generator`
        progress: the fraction of the training that is done
        """
        chances = (self.mosaic_probability, self.copy_paste_probability)
        if self.mosaic is None and self.copy_paste is None:
            return self.single(image, target, generator)
        is_mosaic, is_pasted = generator.random(2) < chances
        if self.mosaic is not None and is_mosaic and progress < MOSAIC_END:
            combined = self.mosaic([(image, target), *(another() for _ in range(3))], generator)
        else:
            combined = self.single(image, target, generator)
        if self.copy_paste is not None and is_pasted:
            source = self.single(*another(), generator)
            combined = self.copy_paste(combined, source, generator)
        return combined

    def draw(self, num_photos: int, generator: np.random.Generator) -> int:
        """A random photo of `num_photos` to combine with another."""
        if self.repeat_factors is None:
            return int(generator.integers(num_photos))
        return int(generator.choice(num_photos, p=self.repeat_factors / self.repeat_factors.sum()))
