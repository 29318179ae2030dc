"""The interface of every detector, which training, evaluation, prediction and export rely on."""

from __future__ import annotations

from abc import abstractmethod

from torch import Tensor

from boxmask.photos.read import accepts_photos
from boxmask.pipeline.model import Model
from boxmask.types import Detections, Target


class Detector(Model):
    """A model that finds boxes.

    `proposals`, if given, hold the boxes (P, 4) xyxy of each photo in its own pixels. Two-stage detectors
    use them instead of their own proposals; one-stage detectors ignore them. Detectors that use Selective
    Search have its settings in `config.search`.
    """

    @accepts_photos
    @abstractmethod
    def predict(self, images: list[Tensor], proposals: list[Tensor] | None = None) -> list[Detections]:
        """Photos (paths, PIL images, arrays or tensors) -> the objects in each, in its own pixels.

        One photo gives one result, a list gives a list. The result of a photo does not depend on the others.
        Arrays and tensors are RGB. OpenCV reads BGR: pass `image[..., ::-1]`.
        """

    @abstractmethod
    def loss(
        self, images: list[Tensor], targets: list[Target], proposals: list[Tensor] | None = None
    ) -> dict[str, Tensor]:
        """Images (3, H, W) and their labels, in pixels of the images -> scalars named <stage>_<what>."""
