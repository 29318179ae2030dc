"""Augmentation of photos that have a class and no boxes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8
from torch import Tensor

from boxmask.data.augmentation.detection import DetectionAugmentation, resize_detection_photo
from boxmask.types import ClassificationTarget, Target


@dataclass(frozen=True, slots=True)
class ClassificationAugmentation:
    """Random changes to a training photo. Calling it with a photo samples and applies them.

    flip:          probability of a horizontal flip
    vertical_flip: probability of a vertical flip
    scale:         range of the scale jitter. Above 1, a random part of the photo with 1 / scale of its sides
                   is enlarged to the full size; below 1, the photo is shrunk and padded with gray. The range
                   is much milder than for ImageNet (Szegedy et al. 2015, arXiv:1409.4842, section 6: 8 % to
                   100 % of the area), because crops of a small data set may miss what shows the class.
    color_jitter:  probability of other brightness, contrast, saturation and hue

    Raises UsageError for probabilities outside 0..1 and for a `scale` that is no range of positive numbers.
    """

    flip: float = 0.5
    vertical_flip: float = 0.0
    scale: tuple[float, float] = (0.8, 1.25)
    color_jitter: float = 0.5

    def __post_init__(self) -> None:
        self._for_boxes()

    def _for_boxes(self) -> DetectionAugmentation:
        """The same for photos with boxes, which checks the values."""
        return DetectionAugmentation(self.flip, self.vertical_flip, self.scale, self.color_jitter)

    def __call__(
        self, image: UInt8[Tensor, "3 H W"], target: ClassificationTarget, generator: np.random.Generator
    ) -> tuple[UInt8[Tensor, "3 H W"], ClassificationTarget]:
        """An augmented copy of the photo, of the same size, and its class."""
        return self._for_boxes()(image, Target.of([], []), generator)[0], target


def resize_classification_photo(
    image: UInt8[Tensor, "3 H W"], target: ClassificationTarget, shorter: int, longer: int
) -> tuple[UInt8[Tensor, "3 h w"], ClassificationTarget]:
    """Resize a photo as `resize_detection_photo` does, for photos with a class."""
    return resize_detection_photo(image, Target.of([], []), shorter, longer)[0], target
