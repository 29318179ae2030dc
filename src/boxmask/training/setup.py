"""The initial_state of a training: the network and everything around it, as they are before the first step."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from boxmask.errors import UsageError
from boxmask.models.table import entry, make_config
from boxmask.pipeline.model import Model
from boxmask.runs.recipe import Recipe
from boxmask.runs.run import recipe_json
from boxmask.tasks.table import task_of
from boxmask.training.clock import Clock
from boxmask.training.loader import (
    BatchSampler,
    DatasetWithProposals,
    TrainingBatch,
    TrainingDataset,
    batches,
    padded_sizes,
)
from boxmask.training.session import BoxesOf, Session
from boxmask.training.state import State


def config_of(labeled: Any, recipe: Recipe) -> Any:
    """The network's numbers: the preset's, for the classes of the data, with what the recipe replaces.

    Raises UsageError for numbers that the network does not have, or that do not go together.
    """
    numbers = {**task_of(recipe.model).config_options(labeled, recipe), **recipe.option_values}
    if recipe.backbone:
        numbers["backbone"] = recipe.backbone
    config = make_config(recipe.model, recipe.preset, **numbers)
    if recipe.size is None:
        return config
    if getattr(config, "tile", 0):
        raise UsageError(
            f"--size scales photos, and here they keep their resolution in tiles of {config.tile} pixels; "
            "leave it out, or give --model-option tile=0"
        )
    longer = round(config.longer_side * recipe.size / config.shorter_side)
    return replace(config, shorter_side=recipe.size, longer_side=longer)


def batch_sampler_of(session: Session, first: int) -> BatchSampler:
    """Which training photos make up each step, from step `first` on."""
    shapes = padded_sizes(session.train, session.task, session.state.network.config)
    return BatchSampler(shapes, session.recipe.batch_size, session.recipe.seed, first)


def batches_of(session: Session, proposals: BoxesOf | None) -> Iterator[TrainingBatch]:
    """Batches of augmented photos from the present step on, with `proposals` in each photo if any."""
    recipe, task, config = session.recipe, session.task, session.state.network.config
    augmentation = task.augmentation(recipe, config)
    cache = recipe.cache_megabytes * 10**6 // max(1, recipe.workers)
    train = DatasetWithProposals(session.train, proposals) if proposals else session.train
    photos = TrainingDataset(train, task, config, augmentation, recipe.seed, cache)
    return batches(photos, batch_sampler_of(session, session.state.clock.step), recipe.workers)


def fresh_network(
    recipe: Recipe, config: Any, weights: dict[str, Tensor] | None, device: torch.device
) -> Model:
    """The network before the first step; `weights` are the backbone's, or None for random ones."""
    torch.manual_seed(recipe.seed)
    network = entry(recipe.model).build(config, weights)
    return network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def initial_state(dataset: Any, recipe: Recipe, network: Model) -> State:
    """The state before the first stage."""
    choices = recipe_json(recipe, dataset.root, "")["recipe"]
    return State(recipe.model, network, None, None, Clock(None, 0.0), dataset.fingerprint(), choices)
