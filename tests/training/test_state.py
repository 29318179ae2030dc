from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from boxmask.errors import CheckpointError
from boxmask.models.table import make_config, model_entry
from boxmask.runs.recipe import Recipe
from boxmask.runs.run import Run
from boxmask.training.clock import Clock
from boxmask.training.optimizer import make_average, make_optimizer
from boxmask.training.state import SavedState, State
from boxmask.types import Target
from boxmask.weights.checkpoint import load_detector, read_checkpoint, save_checkpoint

PHOTO = torch.arange(3 * 64 * 64, dtype=torch.uint8).reshape(3, 64, 64)
TARGET = Target.of([[8, 8, 40, 40]], [0])


def new_state(recipe: Recipe, seed: int = 0) -> State:
    torch.manual_seed(seed)
    config = make_config("faster-rcnn", "default", class_names=("cat",), backbone="test_resnet")
    detector = model_entry("faster-rcnn").build(replace(config, shorter_side=64, longer_side=64), None)
    detector = detector.to(memory_format=torch.channels_last)
    average = make_average(detector, recipe.ema_decay) if recipe.ema_decay else None
    optimizer = make_optimizer(detector, recipe)
    return State("faster-rcnn", detector, average, optimizer, Clock(10, 0.0), "0123", {"seed": recipe.seed})


def step(state: State) -> None:
    torch.manual_seed(state.clock.step)
    losses = state.network.loss([PHOTO], [TARGET])
    state.optimizer.zero_grad()
    torch.stack(list(losses.values())).sum().backward()
    state.optimizer.step()
    if state.average is not None:
        state.average.update_parameters(state.network)
    state.clock.step += 1


@pytest.mark.parametrize("recipe", [Recipe(), Recipe(ema_decay=0.0), Recipe(optimizer="sgd")])
def test_a_restored_state_trains_to_the_same_weights(recipe: Recipe, tmp_path: Path) -> None:
    first, second = new_state(recipe), new_state(recipe, seed=1)
    for _ in range(3):
        step(first)
    first.best, first.num_validated = 0.25, 2
    first.save(Run(tmp_path))
    second.load(SavedState.read(Run(tmp_path)))
    assert (second.clock.step, second.best, second.num_validated) == (3, 0.25, 2)
    assert second.clock.seconds >= first.clock.seconds_before
    for _ in range(2):
        step(first)
        step(second)
    ours, theirs = first.result.state_dict(), second.result.state_dict()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_moments_have_the_memory_layout_of_their_parameters(tmp_path: Path) -> None:
    """Otherwise fused AdamW would apply the moments of one element to another."""
    first, second = new_state(Recipe()), new_state(Recipe())
    step(first)
    first.save(Run(tmp_path))
    second.load(SavedState.read(Run(tmp_path)))
    strides = {
        (parameter.stride(), values["exp_avg"].stride())
        for parameter, values in second.optimizer.state.items()
    }
    assert all(ours == theirs for ours, theirs in strides)
    assert any(len(ours) == 4 and ours[1] == 1 for ours, _ in strides)  # channels last


def test_the_checkpoint_holds_the_average_and_the_progress(tmp_path: Path) -> None:
    state = new_state(Recipe(ema_decay=0.5))
    for _ in range(2):
        step(state)
    state.save(Run(tmp_path))
    loaded = load_detector(tmp_path).state_dict()
    assert state.average is not None
    averaged = state.average.module.state_dict()
    assert all(torch.equal(loaded[name], averaged[name]) for name in loaded)
    metadata = state.metadata()
    assert metadata.training["step"] == 2
    assert metadata.training["recipe"] == {"seed": 0}
    assert metadata.config["class_names"] == ("cat",)
    assert metadata.versions["torch"]


def test_a_state_of_other_data_is_refused(tmp_path: Path) -> None:
    state = new_state(Recipe())
    state.save(Run(tmp_path))
    state.fingerprint = "4567"
    with pytest.raises(CheckpointError, match=r"the data has changed .*0123, now 4567"):
        state.load(SavedState.read(Run(tmp_path)))


def test_a_checkpoint_in_place_of_the_state_is_refused(tmp_path: Path) -> None:
    state, run = new_state(Recipe()), Run(tmp_path)
    state.save(run)
    run.last_checkpoint.replace(run.resume_file)
    with pytest.raises(CheckpointError, match=r"resume\.safetensors: this file does not hold the state"):
        state.load(SavedState.read(run))


@pytest.mark.parametrize("damage", [b"", b"garbage", None])
def test_a_damaged_file_is_named(tmp_path: Path, damage: bytes | None) -> None:
    state, run = new_state(Recipe()), Run(tmp_path)
    state.save(run)
    run.resume_file.write_bytes(run.resume_file.read_bytes()[:-1000] if damage is None else damage)
    with pytest.raises(CheckpointError, match=r"resume\.safetensors"):
        state.load(SavedState.read(run))


@pytest.mark.parametrize("value", [None, "3", [], float("nan"), float("inf"), 10**400])
def test_counters_that_are_no_numbers_are_named(tmp_path: Path, value: object) -> None:
    state, run = new_state(Recipe()), Run(tmp_path)
    state.save(run)
    tensors, metadata = read_checkpoint(run.resume_file)
    metadata.metrics["minutes"] = value
    save_checkpoint(run.resume_file, {"a": next(iter(tensors.values()))}, metadata)
    with pytest.raises(CheckpointError, match=r"resume\.safetensors: expected a number for minutes, found"):
        SavedState.read(run)
