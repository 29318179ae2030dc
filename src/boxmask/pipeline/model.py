"""The interface of every network that is trained here, and a row of the tables that list them."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeVar

from torch import Tensor, nn


class FeatureNetwork(Protocol):
    """A backbone: pixels (B, 3, H, W) -> maps (B, C, H / stride, W / stride), fine to coarse.

    channels:  of each map
    mean, std: (3,), of the photos that the network was pretrained on, in 0..1
    """

    channels: list[int]
    mean: Tensor
    std: Tensor

    def __call__(self, pixels: Tensor) -> list[Tensor]:
        """Compute the maps."""

    def freeze(self, stages: int) -> None:
        """Freeze the first `stages` stages; 0 trains everything. Raises UsageError for a missing stage."""


class Model(nn.Module, ABC):
    """The interface that training, checkpoints and export rely on.

    Detectors, segmenters and classifiers add `predict`, each with its own kind of result. Return types never
    depend on `self.training`. `forward` is the raw network.

    config: the paper's frozen config, which JSON can hold; all configs have class_names, backbone,
            shorter_side, longer_side and multiple_of
    """

    config: Any
    backbone: FeatureNetwork

    @property
    def class_names(self) -> tuple[str, ...]:
        """The names of the K classes, in the order of the labels."""
        names: tuple[str, ...] = self.config.class_names
        return names

    @abstractmethod
    def loss(self, images: list[Tensor], targets: list[Any]) -> dict[str, Tensor]:
        """Images (3, H, W) and their labels -> scalars named <stage>_<what>."""

    def freeze(self, stages: int) -> None:
        """Freeze the first `stages` stages of the backbone in training; 0 trains everything.

        Raises UsageError if the backbone has no such stage.
        """
        self.backbone.freeze(stages)


ModelT = TypeVar("ModelT", bound=Model)


def with_config(model: ModelT, **changes: object) -> ModelT:
    """The same network with other values in its config. The weights are shared, not copied.

    changes: values that are read in prediction alone, such as shorter_side; layers stay as they are
    """
    view = copy.copy(model)
    view.config = replace(model.config, **changes)
    view._modules = {
        name: with_config(part, **changes) if isinstance(part, Model) else part
        for name, part in model._modules.items()
    }
    return view


@dataclass(frozen=True)
class ModelEntry:
    """A row of a table of models.

    config:  class of the frozen config
    build:   makes the network from a config and the weights of its backbone, or None for random weights
    presets: config values by name of the preset
    """

    config: type[Any]
    build: Callable[[Any, dict[str, Tensor] | None], Model]
    presets: dict[str, dict[str, object]]
