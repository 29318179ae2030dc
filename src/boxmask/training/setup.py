"""The setup of a training: the config and the network, the state before the first step, and the batches."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor

from boxmask.data.augmentation.repeat_factors import photo_repeat_factors
from boxmask.errors import UsageError
from boxmask.models.table import make_config, model_entry
from boxmask.options import model_option
from boxmask.pipeline.model import Model
from boxmask.pipeline.random_numbers import SeededRandomNumbers
from boxmask.runs.recipe import Recipe
from boxmask.runs.recipe_values import MIN_SIZE
from boxmask.runs.run import Run
from boxmask.runs.serialization import recipe_to_dict
from boxmask.tasks.table import task_of
from boxmask.training.clock import Clock
from boxmask.training.loader import Batches, TrainingDataset, load_batches
from boxmask.training.progress import Report
from boxmask.training.proposals import DatasetWithProposals, ProposalSource
from boxmask.training.sampler import BatchSampler, padded_sizes, progress_at
from boxmask.training.session import Session
from boxmask.training.signals import StopRequest
from boxmask.training.state import State
from boxmask.weights.imagenet import backbone_weights


def network_config(dataset: Any, recipe: Recipe) -> Any:
    """Return the network's config: the preset, with the data set's classes and the recipe's options.

    Raises UsageError for an option that the config does not have, and for options that contradict each other.
    """
    options = {**task_of(recipe.model).config_options(dataset, recipe), **recipe.option_values}
    if recipe.backbone:
        options["backbone"] = recipe.backbone
    config = make_config(recipe.model, recipe.preset, **options)
    if config.shorter_side < MIN_SIZE:
        raise UsageError(
            f"--model-option shorter_side (in Python: model_options): expected {MIN_SIZE} or more, found "
            f"{config.shorter_side}"
        )
    if recipe.size is None or recipe.size == "auto":
        return config
    if getattr(config, "tile", 0):
        raise UsageError(
            f"--size resizes photos, but this model reads them in tiles of {config.tile} pixels at their own "
            f"resolution. Leave --size out, or give {model_option('tile', 0)}."
        )
    longer = round(config.longer_side * recipe.size / config.shorter_side)
    return replace(config, shorter_side=recipe.size, longer_side=longer)


def new_network(
    recipe: Recipe, config: Any, weights: dict[str, Tensor] | None, device: torch.device
) -> Model:
    """Build the network as it is before the first step.

    weights: pretrained weights for the backbone; None for random ones
    """
    with SeededRandomNumbers(recipe.seed):
        network = model_entry(recipe.model).build(config, weights)
    return network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def initial_state(dataset: Any, recipe: Recipe, network: Model) -> State:
    """Return the state before the first stage."""
    clock, fingerprint = Clock(None, 0.0), dataset.fingerprint()
    return State(recipe.model, network, None, None, clock, fingerprint, recipe_to_dict(recipe))


def make_batch_sampler(session: Session, first_step: int) -> BatchSampler:
    """Return the sampler of the training photos, from `first_step` on."""
    sizes, recipe = padded_sizes(session.train, session.task, session.state.network.config), session.recipe
    factors = photo_repeat_factors(session.train.counts()) if recipe.sampling == "balanced" else None
    return BatchSampler(
        sizes, recipe.photos_per_step, recipe.seed, first_step, factors, progress_at(session.state.clock)
    )


def make_batches(session: Session, proposals: ProposalSource | None) -> Batches:
    """Return the batches of augmented photos from the current step on, with proposals if given a source."""
    recipe, task, config = session.recipe, session.task, session.state.network.config
    augmentation = task.combination(recipe, config, session.train.counts())
    cache_bytes = recipe.cache_megabytes * 10**6 // max(1, recipe.workers)
    labeled = DatasetWithProposals(session.train, proposals) if proposals else session.train
    dataset = TrainingDataset(labeled, task, config, augmentation, recipe.seed, cache_bytes)
    sampler = make_batch_sampler(session, session.state.clock.step)
    return load_batches(dataset, sampler, recipe.workers, recipe.on_bad_photos)


def make_session(
    dataset: Any,
    recipe: Recipe,
    run: Run,
    report: Report,
    accelerator: Accelerator,
    *,
    pretrained: bool = True,
) -> Session:
    """Return what the stages share, with a new network.

    pretrained: whether the network has the recipe's weights; without them, a saved state must follow
    """
    config = network_config(dataset, recipe)

    def build(pretrained: bool = True) -> Model:
        has_weights = pretrained and not recipe.has_init
        weights = backbone_weights(config.backbone, recipe.weights) if has_weights else None
        return new_network(recipe, config, weights, accelerator.device)

    return Session(
        state=initial_state(dataset, recipe, build(pretrained)),
        recipe=recipe,
        task=task_of(recipe.model),
        train=dataset.split("train"),
        val=dataset.split("val"),
        run=run,
        accelerator=accelerator,
        report=report,
        stop=StopRequest(),
        new_network=build,
    )
