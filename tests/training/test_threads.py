"""Trainings in threads of one process: each gives the weights that it gives alone."""

from __future__ import annotations

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Barrier

import numpy as np
import pytest
import torch

import boxmask
from boxmask.runs.recipe import Recipe
from boxmask.runs.run import Run
from boxmask.training.progress import Report
from boxmask.training.train import train

Recipes = dict[str, Recipe]
EqualFiles = Callable[[Path, Path], bool]


def train_together(data: Path, recipes: list[Recipe], folder: Path) -> list[Run]:
    """Train all recipes at the same time, one thread each."""
    barrier = Barrier(len(recipes))

    def work(number: int) -> Run:
        barrier.wait()
        return train(data, recipes[number], folder / f"together-{number}")[0]

    with ThreadPoolExecutor(len(recipes)) as pool:
        return list(pool.map(work, range(len(recipes))))


@pytest.mark.parametrize("kind", ["faster-rcnn", "mask-rcnn", "tiles", "classifier"])
def test_two_trainings_in_two_threads(
    kind: str, recipes: Recipes, demo: Path, tmp_path: Path, equal_files: EqualFiles
) -> None:
    """With sampling of anchors and RoIs, and with dropout in tiles and in the classifier."""
    recipe = recipes[kind]
    if kind == "tiles":
        recipe = replace(recipe, model_options=(*recipe.model_options, "dropout=0.5"))
    pair = [recipe, replace(recipe, seed=1)]
    alone = [train(demo, each, tmp_path / f"alone-{each.seed}")[0] for each in pair]
    together = train_together(demo, pair, tmp_path)
    for one, other in zip(alone, together, strict=True):
        assert equal_files(one.last_checkpoint, other.last_checkpoint)
    assert not equal_files(alone[0].last_checkpoint, alone[1].last_checkpoint)


@pytest.mark.parametrize("model", ["rcnn", "faster-rcnn"])
def test_two_trainings_in_stages(
    model: str, tiny: Callable[[str], Recipe], demo: Path, tmp_path: Path, equal_files: EqualFiles
) -> None:
    """R-CNN's SVMs are fitted by liblinear, whose random generator belongs to the process."""
    pair = [tiny(model), replace(tiny(model), seed=1)]
    alone = [train(demo, each, tmp_path / f"alone-{each.seed}")[0] for each in pair]
    together = train_together(demo, pair, tmp_path)
    for one, other in zip(alone, together, strict=True):
        assert equal_files(one.last_checkpoint, other.last_checkpoint)


# ---------------------------------------------------------------- the caller's generators


def states() -> tuple[object, ...]:
    name, keys, *rest = np.random.get_state()  # noqa: NPY002
    return random.getstate(), name, bytes(np.asarray(keys)), rest, bytes(torch.get_rng_state().numpy())


class StateReport(Report):
    """Records at every step whether a global random state differs from that before training."""

    def __init__(self) -> None:
        super().__init__()
        self.before, self.changed = states(), False

    def step(self, *arguments: object) -> None:  # type: ignore[override]
        super().step(*arguments)  # type: ignore[arg-type]
        self.changed |= states() != self.before


@pytest.mark.parametrize("kind", ["faster-rcnn", "mask-rcnn", "unet", "tiles", "classifier"])
@pytest.mark.parametrize("workers", [0, 1])
def test_training_never_touches_the_global_generators(
    kind: str, workers: int, recipes: Recipes, demo: Path, tmp_path: Path
) -> None:
    report = StateReport()
    train(demo, replace(recipes[kind], workers=workers), tmp_path / "run", report)
    assert not report.changed
    assert states() == report.before


@pytest.mark.parametrize("model", ["rcnn", "fast-rcnn", "faster-rcnn"])
def test_training_in_stages_never_touches_the_global_generators(
    model: str, tiny: Callable[[str], Recipe], demo: Path, tmp_path: Path
) -> None:
    report = StateReport()
    train(demo, tiny(model), tmp_path / "run", report)
    assert not report.changed
    assert states() == report.before


@pytest.mark.parametrize("kind", ["faster-rcnn", "mask-rcnn", "unet", "classifier"])
def test_evaluation_and_prediction_do_not_touch_the_global_generators(
    kind: str, runs: Callable[[str], Path], demo: Path, tmp_path: Path
) -> None:
    run, before = runs(kind), states()
    boxmask.evaluate(run, demo)
    boxmask.predict(run, demo, tmp_path / "out")
    assert states() == before
