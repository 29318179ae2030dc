"""What every network that is trained here is: what training, checkpoints and export rely on."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn


class Model(nn.Module, ABC):
    """An interface, without behavior to inherit.

    Detectors, segmenters and classifiers add `predict`, each with its own kind of result. Return types never
    depend on `self.training`. `forward` is the raw network.
    """

    # the paper's own frozen config, of plain JSON; all have class_names, backbone, shorter_side, longer_side
    # and multiple_of
    config: Any

    @abstractmethod
    def loss(self, images: list[Tensor], targets: list[Any]) -> dict[str, Tensor]:
        """Images (3, H, W) and what their labels say -> scalars named <stage>_<what>."""

    @abstractmethod
    def freeze(self, stages: int) -> None:
        """Keep the backbone's first `stages` stages as they are in training."""


@dataclass(frozen=True)
class Entry:
    """A row of a table of models: the frozen config, the presets of it, and the module that it builds."""

    config: type[Any]
    build: Callable[[Any, dict[str, Tensor] | None], Model]
    presets: dict[str, dict[str, object]]
