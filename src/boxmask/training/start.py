"""The start of a training: the network and everything around it, as they are before the first step."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from boxmask.data.dataset import Dataset
from boxmask.detectors.table import entry, make_config
from boxmask.training.feed import Steps, canvases
from boxmask.training.optimiser import average_of, make_optimiser
from boxmask.training.recipe import Recipe
from boxmask.training.run import recipe_json
from boxmask.training.schedule import Clock
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


def steps_of(dataset: Dataset, recipe: Recipe, config: Any, first: int) -> Steps:
    """Which training photos make up each step, from step `first` on."""
    shapes = canvases(dataset.split("train"), size_of(config), config.multiple_of)
    return Steps(shapes, recipe.batch_size, recipe.seed, first)


def start(
    dataset: Dataset, recipe: Recipe, config: Any, weights: dict[str, Tensor] | None, device: torch.device
) -> State:
    """The state before the first step; `weights` are the backbone's, or None for random ones."""
    torch.manual_seed(recipe.seed)
    detector = entry(recipe.model).build(config, weights)
    detector = detector.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    detector.freeze(0 if recipe.weights == "none" else recipe.frozen_stages)  # random numbers must learn
    per_epoch = steps_of(dataset, recipe, config, 0).per_epoch
    return State(
        model=recipe.model,
        detector=detector,
        average=average_of(detector, recipe.ema) if recipe.ema else None,
        optimiser=make_optimiser(detector, recipe),
        clock=Clock(recipe.epochs * per_epoch if recipe.epochs else None, recipe.minutes or 0.0),
        fingerprint=dataset.fingerprint(),
        recipe=recipe_json(recipe, dataset.root, "")["recipe"],
    )
