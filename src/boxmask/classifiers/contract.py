"""The interface of every classifier: what training, evaluation and prediction rely on."""

from __future__ import annotations

from abc import abstractmethod

from torch import Tensor

from boxmask.photos.read import accepts_photos
from boxmask.pipeline.model import Model
from boxmask.types import Classification, ClassificationTarget


class Classifier(Model):
    """An interface, without behavior to inherit."""

    @accepts_photos
    @abstractmethod
    def predict(self, images: list[Tensor]) -> list[Classification]:
        """Photos (paths, PIL images, arrays or tensors) -> the class scores of each.

        One photo gives one result, a list gives a list. The result of a photo does not depend on the others.
        Arrays and tensors are RGB. OpenCV reads BGR: pass `image[..., ::-1]`.
        """

    @abstractmethod
    def loss(self, images: list[Tensor], targets: list[ClassificationTarget]) -> dict[str, Tensor]:
        """Images (3, H, W) of any sizes and their classes -> scalars by name."""
