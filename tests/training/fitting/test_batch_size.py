"""--batch-size auto: the search by what steps take, and its place in a training."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from boxmask.errors import UsageError
from boxmask.runs.recipe import Recipe
from boxmask.runs.run import Run
from boxmask.training.fitting.batch_size import BatchSizeSearch, scaled_rate
from boxmask.training.fitting.probe import Measurement
from boxmask.training.train import train

GIGABYTE = 10**9


def search(
    seconds: Callable[[int], float], memory: Callable[[int], float], largest: int = 64, budget: float = 600.0
) -> BatchSizeSearch:
    """A search on a machine with 8 GB, where a step of n photos takes seconds(n) and memory(n) gigabytes."""

    def measure(count: int) -> Measurement | None:
        return Measurement(seconds(count) / count, int(memory(count) * GIGABYTE)) if memory(count) else None

    return BatchSizeSearch(measure, 8 * GIGABYTE, lambda _: largest, budget)


@pytest.mark.parametrize(
    ("machine", "expected", "reason"),
    [
        (search(lambda n: 0.1 * n, lambda n: 0.1), 4, " at 10.0 images/s; 8 are no faster (10.0)"),
        (search(lambda n: 1 + 0.01 * n, lambda n: 0.13 * n), 32, "; 64 may not fit the memory"),
        (search(lambda n: 1.0, lambda n: 0.1), 64, "; more would leave too few steps"),
        (search(lambda n: 1.0, lambda n: 0.1, largest=20), 16, "; more would leave too few steps"),
        (search(lambda n: n**0.5, lambda n: 0.1, budget=10.0), 8, "; trying 16 would take too long"),
        (search(lambda n: 1.0, lambda n: 0.1 if n < 32 else 0), 16, "; 32 do not fit the memory"),
        (search(lambda n: 1.0, lambda n: 3.0 * n), 2, ": 4 do not fit the memory"),
        (search(lambda n: 1.0, lambda n: 0.1 if n < 2 else 0), 1, ": 2 do not fit the memory"),
        (search(lambda n: 1.0, lambda n: 0), 1, ": even one does not fit the memory"),
    ],
)
def test_the_batch_size_follows_speed_memory_and_steps(
    machine: BatchSizeSearch, expected: int, reason: str
) -> None:
    assert machine.run() == expected
    assert machine.reason.endswith(reason)


def test_the_learning_rate_follows_the_optimizer() -> None:
    assert scaled_rate(Recipe(optimizer="adamw"), 16) == pytest.approx(2 * 8e-4)
    assert scaled_rate(Recipe(optimizer="sgd"), 16) == pytest.approx(4 * 8e-4)
    assert scaled_rate(Recipe(), 4) == 8e-4


def test_the_default_rate_stays_open_while_the_batch_size_is() -> None:
    assert Recipe(batch_size="auto").with_method_defaults().learning_rate is None
    assert Recipe(batch_size="auto", learning_rate=1e-3).with_method_defaults().learning_rate == 1e-3
    assert Recipe(batch_size=8).with_method_defaults().learning_rate == 8e-4


@pytest.mark.parametrize("rate", [None, 1e-3])
def test_the_number_and_the_rate_are_in_the_recipe_of_the_run(
    demo: Path,
    recipes: dict[str, Recipe],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    rate: float | None,
) -> None:
    monkeypatch.setattr("boxmask.training.fitting.batch_size.limits.MIN_TRAINING_STEPS", 1)
    recipe = replace(recipes["classifier"], batch_size="auto", learning_rate=rate)
    run, _ = train(demo, recipe, tmp_path / "run")
    written = json.loads(run.recipe_file.read_text())["recipe"]
    assert written["batch_size"] in (4, 8, 16, 32, 64)
    assert written["learning_rate"] == (rate or scaled_rate(recipe, written["batch_size"]))
    printed = capsys.readouterr().err
    assert f"batch size: {written['batch_size']} photos per step at " in printed
    assert ("learning rate" in printed) == (rate is None)
    assert Run(run.path).recipe.photos_per_step == written["batch_size"]


def test_methods_with_outside_proposals_need_a_number(demo: Path, quick: Recipe, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"--batch-size auto .* does not work for fast-rcnn"):
        train(demo, replace(quick, model="fast-rcnn", batch_size="auto"), tmp_path / "run")
    assert not list(tmp_path.iterdir())
