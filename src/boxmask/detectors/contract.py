"""What every detector is: what training, evaluation, prediction and export rely on, and nothing else."""

from __future__ import annotations

from abc import abstractmethod

from torch import Tensor

from boxmask.photos.read import accepts_photos
from boxmask.pipeline.model import Model
from boxmask.types import Detections, Target


class Detector(Model):
    """An interface, without behavior to inherit.

    Where `proposals` are given, P boxes xyxy for each photo in its own pixels, a detector that looks at
    proposals looks at these instead of finding its own; those that wait for Selective Search say in
    `config.search` how it searches.
    """

    @accepts_photos
    @abstractmethod
    def predict(self, images: list[Tensor], proposals: list[Tensor] | None = None) -> list[Detections]:
        """Photos (paths, PIL images, arrays or tensors) -> what is in each, in its own pixels."""

    @abstractmethod
    def loss(
        self, images: list[Tensor], targets: list[Target], proposals: list[Tensor] | None = None
    ) -> dict[str, Tensor]:
        """Images (3, H, W) and their labels, in pixels of the images -> scalars named <stage>_<what>."""
