"""What every detector is: what training, evaluation, prediction and export rely on, and nothing else."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Protocol

from torch import Tensor, nn

from boxmask.pipeline.photos import accepts_photos
from boxmask.types import Detections, Target


class DetectorConfig(Protocol):
    """The frozen numbers of a detector; every field is plain JSON, so that a checkpoint can hold it."""

    @property
    def class_names(self) -> tuple[str, ...]:
        """The K classes, in the order of the labels."""
        ...

    @property
    def backbone(self) -> str:
        """timm's name of the backbone."""
        ...

    @property
    def shorter_side(self) -> int:
        """Pixels of a resized photo's short side."""
        ...

    @property
    def longer_side(self) -> int:
        """At most so many pixels on the long side."""
        ...


class Detector(nn.Module, ABC):
    """An interface, without behaviour to inherit.

    Return types never depend on `self.training`. `forward` is the raw network.
    """

    config: Any  # the paper's own frozen config, which satisfies DetectorConfig

    @accepts_photos
    @abstractmethod
    def predict(self, images: list[Tensor]) -> list[Detections]:
        """Photos (paths, PIL images, arrays or tensors) -> what is in each, in its own pixels."""

    @abstractmethod
    def loss(self, images: list[Tensor], targets: list[Target]) -> dict[str, Tensor]:
        """Images (3, H, W) and their labels, in pixels of the images -> scalars named <stage>_<what>."""

    @abstractmethod
    def freeze(self, stages: int) -> None:
        """Keep the backbone's first `stages` stages as they are in training."""
