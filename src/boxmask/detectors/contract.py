"""What every detector is: what training, evaluation, prediction and export rely on, and nothing else."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from torch import Tensor, nn

from boxmask.pipeline.photos import accepts_photos
from boxmask.types import Detections, Target


class Detector(nn.Module, ABC):
    """An interface, without behaviour to inherit.

    Return types never depend on `self.training`. `forward` is the raw network.
    Where `proposals` are given, P boxes xyxy for each photo in its own pixels, a detector that looks at
    proposals looks at these instead of finding its own.
    """

    # the paper's own frozen config, of plain JSON; all have class_names, backbone, shorter_side, longer_side
    # and multiple_of; those that wait for Selective Search have `search`
    config: Any

    @accepts_photos
    @abstractmethod
    def predict(self, images: list[Tensor], proposals: list[Tensor] | None = None) -> list[Detections]:
        """Photos (paths, PIL images, arrays or tensors) -> what is in each, in its own pixels."""

    @abstractmethod
    def loss(
        self, images: list[Tensor], targets: list[Target], proposals: list[Tensor] | None = None
    ) -> dict[str, Tensor]:
        """Images (3, H, W) and their labels, in pixels of the images -> scalars named <stage>_<what>."""

    @abstractmethod
    def freeze(self, stages: int) -> None:
        """Keep the backbone's first `stages` stages as they are in training."""
