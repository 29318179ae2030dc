"""The start of a training: the network and everything around it, as they are before the first step."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from boxmask.data.augment import Augmentation
from boxmask.data.dataset import Dataset
from boxmask.detectors.contract import Detector
from boxmask.models.table import entry, make_config
from boxmask.training.feed import Photos, Steps, TrainingBatch, batches, canvases
from boxmask.training.recipe import Recipe
from boxmask.training.run import recipe_json
from boxmask.training.schedule import Clock
from boxmask.training.session import BoxesOf, Session
from boxmask.training.state import State


def config_of(dataset: Dataset, recipe: Recipe) -> Any:
    """The detector's numbers: the preset's, for the classes of the data, with what the recipe replaces."""
    numbers: dict[str, Any] = {"class_names": dataset.class_names}
    if recipe.backbone:
        numbers["backbone"] = recipe.backbone
    config = make_config(recipe.model, recipe.preset, **numbers)
    if recipe.size is None:
        return config
    longer = round(config.longer_side * recipe.size / config.shorter_side)
    return replace(config, shorter_side=recipe.size, longer_side=longer)


def size_of(config: Any) -> tuple[int, int]:
    """The short and the long side that photos are resized to."""
    return config.shorter_side, config.longer_side


def steps_of(train: Dataset, recipe: Recipe, config: Any, first: int) -> Steps:
    """Which training photos make up each step, from step `first` on."""
    shapes = canvases(train, size_of(config), config.multiple_of)
    return Steps(shapes, recipe.batch_size, recipe.seed, first)


def feed_of(session: Session, proposals: BoxesOf | None) -> Iterator[TrainingBatch]:
    """Batches of augmented photos from the present step on, with `proposals` in each photo if any."""
    recipe, config, train = session.recipe, session.state.detector.config, session.train
    augmentation = Augmentation(recipe.flip, recipe.vertical_flip, recipe.scale, recipe.photometric)
    cache = recipe.cache_megabytes * 10**6 // max(1, recipe.workers)
    photos = Photos(train, size_of(config), augmentation, recipe.seed, cache, proposals)
    return batches(photos, steps_of(train, recipe, config, session.state.clock.step), recipe.workers)


def fresh_detector(
    recipe: Recipe, config: Any, weights: dict[str, Tensor] | None, device: torch.device
) -> Detector:
    """The detector before the first step; `weights` are the backbone's, or None for random ones."""
    torch.manual_seed(recipe.seed)
    detector = entry(recipe.model).build(config, weights)
    return detector.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def start(dataset: Dataset, recipe: Recipe, detector: Detector) -> State:
    """The state before the first stage."""
    choices = recipe_json(recipe, dataset.root, "")["recipe"]
    return State(recipe.model, detector, None, None, Clock(None, 0.0), dataset.fingerprint(), choices)
