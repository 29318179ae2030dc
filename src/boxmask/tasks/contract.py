"""A task: a kind of labels. What training does with them, whatever the network."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import numpy as np
from torch import Tensor

from boxmask.pipeline.images import Size
from boxmask.pipeline.model import Model
from boxmask.runs.recipe import Recipe

Augment: TypeAlias = Callable[[Tensor, Any, np.random.Generator], tuple[Tensor, Any]]
"""A training photo, uint8 (3, H, W), and what its labels say -> both, changed alike."""

Progress: TypeAlias = Callable[[int, int], None]


class Task(Protocol):
    """`labeled` is a set as `read` gives it: a Dataset, SegmentationDataset or ClassificationDataset."""

    @property
    def figures(self) -> tuple[str, ...]:
        """What an evaluation gives that is to be shown, by name; the first decides which weights are best."""

    def read(self, data: Path, recipe: Recipe) -> Any:
        """The labeled photos with their splits, checked; LabelError or PhotoError for what is wrong."""

    def photos(self, labeled: Any) -> Any:
        """The photos of the set, whose splits are written down."""

    def config_options(self, labeled: Any, recipe: Recipe) -> dict[str, Any]:
        """What the set and the recipe say of the network's config."""

    def input_size(self, size: Size, config: Any) -> Size:
        """(height, width) that a photo of this size takes up in the network, but for padding."""

    def sample(self, labeled: Any, item: int, config: Any) -> tuple[Tensor, Any]:
        """A photo and what its labels say, at the size at which it is kept in memory."""

    def augmentation(self, recipe: Recipe, config: Any) -> Augment:
        """What may happen to a sample each time that it is shown."""

    def evaluate(self, model: Model, labeled: Any, recipe: Recipe, progress: Progress) -> dict[str, Any]:
        """The figures of the model, by name."""
