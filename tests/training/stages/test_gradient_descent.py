from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from boxmask.runs.recipe import Recipe
from boxmask.runs.run import Run
from boxmask.tasks.detection import training as boxes
from boxmask.training.train import train
from boxmask.weights.checkpoint import read_checkpoint


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> list[float | None]:
    """The AP that each validation finds, to be set; what is left over was not asked for."""
    answers: list[float | None] = []

    def evaluate(*_: object, **__: object) -> SimpleNamespace:
        ap = answers.pop(0)
        return SimpleNamespace(to_dict=lambda: {"AP": ap, "AP50": ap, "AP75": ap, "images": 2})

    monkeypatch.setattr(boxes, "evaluate", evaluate)
    return answers


def best_step(run: Run) -> int:
    return int(read_checkpoint(run.best_checkpoint)[1].training["step"])


@pytest.mark.parametrize(
    ("aps", "step"),
    [
        ([0.1, 0.3, 0.2], 2),
        ([0.2, 0.2, 0.1], 2),  # of equals, the one that was trained longest
        ([None, None, None], 3),  # nothing to judge by
    ],
)
def test_the_best_weights_are_kept(
    demo: Path, quick: Recipe, tmp_path: Path, judged: list[float | None], aps: list[float | None], step: int
) -> None:
    judged += aps
    run, _ = train(demo, replace(quick, batch_size=6, num_validations=3), tmp_path / "run")
    assert not judged
    assert best_step(run) == step
    assert read_checkpoint(run.last_checkpoint)[1].training["step"] == 3


def test_validations_come_evenly_and_are_logged(
    demo: Path, quick: Recipe, tmp_path: Path, judged: list[float | None]
) -> None:
    judged += [0.1, 0.2, 0.3, 0.4]
    run, _ = train(demo, replace(quick, num_validations=4), tmp_path / "run")
    rows = [json.loads(line) for line in run.log_file.read_text().splitlines()]
    validations = [(row["step"], row["val"]["AP"]) for row in rows if "val" in row]
    assert validations == [(3, 0.1), (5, 0.2), (7, 0.3), (9, 0.4)]
