"""The changes of `augment.py` for photos that have a class and no boxes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8
from torch import Tensor

from boxmask.data.augmentation.detection import DetectionAugmentation, resize_detection_photo
from boxmask.types import ClassificationTarget, Target


@dataclass(frozen=True, slots=True)
class ClassificationAugmentation:
    """What may happen to a training photo; called with one, it draws and applies.

    flip:          chance of a mirror image, left to right
    vertical_flip: chance of a mirror image, top to bottom
    scale:         range of the scale jitter: above 1, a random part of the photo with 1 / scale of its sides
                   is brought to its size; below, the photo is made smaller on a gray ground. Much milder
                   than the crops of networks for ImageNet (Szegedy et al. 2015, arXiv:1409.4842, section 6:
                   8 % to 100 % of the area): a small photo set cannot do without what shows the class.
    color_jitter:   chance of other light and color

    Raises UsageError where a chance is outside 0..1 or `scale` is no range of positive numbers.
    """

    flip: float = 0.5
    vertical_flip: float = 0.0
    scale: tuple[float, float] = (0.8, 1.25)
    color_jitter: float = 0.5

    def __post_init__(self) -> None:
        self.of_photos()

    def of_photos(self) -> DetectionAugmentation:
        """The same for photos with boxes; it checks its own numbers."""
        return DetectionAugmentation(self.flip, self.vertical_flip, self.scale, self.color_jitter)

    def __call__(
        self, image: UInt8[Tensor, "3 H W"], target: ClassificationTarget, generator: np.random.Generator
    ) -> tuple[UInt8[Tensor, "3 H W"], ClassificationTarget]:
        """A changed copy of the photo, of the same size, and its class."""
        return self.of_photos()(image, Target.of([], []), generator)[0], target


def resize_classification_photo(
    image: UInt8[Tensor, "3 H W"], target: ClassificationTarget, shorter: int, longer: int
) -> tuple[UInt8[Tensor, "3 h w"], ClassificationTarget]:
    """Fit a photo into the square of a classifier: as `resize_detection_photo`, for photos with a class."""
    return resize_detection_photo(image, Target.of([], []), shorter, longer)[0], target
