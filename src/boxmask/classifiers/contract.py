"""What every classifier is: what training, evaluation and prediction rely on, and nothing else."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from torch import Tensor, nn

from boxmask.pipeline.photos import accepts_photos
from boxmask.types import Classification, ClassTarget


class Classifier(nn.Module, ABC):
    """An interface, without behaviour to inherit.

    What is returned never depends on `self.training`. `forward` is the raw network.
    """

    # the frozen config, of plain JSON, with class_names, backbone, shorter_side, longer_side and multiple_of
    config: Any

    @accepts_photos
    @abstractmethod
    def predict(self, images: list[Tensor]) -> list[Classification]:
        """Photos (paths, PIL images, arrays or tensors) -> what each shows."""

    @abstractmethod
    def loss(self, images: list[Tensor], targets: list[ClassTarget]) -> dict[str, Tensor]:
        """Images (3, H, W) and their classes -> scalars by name."""

    @abstractmethod
    def freeze(self, stages: int) -> None:
        """Keep the backbone's first `stages` stages as they are in training."""
