from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor

from boxmask.runs.recipe import Recipe
from boxmask.runs.run import Run
from boxmask.tasks.detection import task as detection_task
from boxmask.training.loader import TrainingBatch
from boxmask.training.session import Session
from boxmask.training.stages.gradient_descent import Trainable, model_loss
from boxmask.training.train import train
from boxmask.weights.checkpoint import read_checkpoint


@pytest.fixture
def evaluations(monkeypatch: pytest.MonkeyPatch) -> list[float | None]:
    """The AP of each validation, to be set. Each validation removes one."""
    answers: list[float | None] = []

    def evaluate(*_: object, **__: object) -> SimpleNamespace:
        ap = answers.pop(0)
        return SimpleNamespace(to_dict=lambda: {"AP": ap, "AP50": ap, "AP75": ap, "images": 2})

    monkeypatch.setattr(detection_task, "evaluate_detector", evaluate)
    return answers


def best_step(run: Run) -> int:
    return int(read_checkpoint(run.best_checkpoint)[1].training["step"])


@pytest.mark.parametrize(
    ("aps", "step"),
    [
        ([0.1, 0.3, 0.2], 2),
        ([0.2, 0.2, 0.1], 2),  # of equals, the latest
        ([None, None, None], 3),  # no metric
    ],
)
def test_the_best_weights_are_saved(
    demo: Path,
    quick: Recipe,
    tmp_path: Path,
    evaluations: list[float | None],
    aps: list[float | None],
    step: int,
) -> None:
    evaluations += aps
    run, _ = train(demo, replace(quick, batch_size=6, num_validations=3), tmp_path / "run")
    assert not evaluations
    assert best_step(run) == step
    assert read_checkpoint(run.last_checkpoint)[1].training["step"] == 3


def test_validations_are_evenly_spaced_and_logged(
    demo: Path, quick: Recipe, tmp_path: Path, evaluations: list[float | None]
) -> None:
    evaluations += [0.1, 0.2, 0.3, 0.4]
    run, _ = train(demo, replace(quick, num_validations=4), tmp_path / "run")
    rows = [json.loads(line) for line in run.log_file.read_text().splitlines()]
    validations = [(row["step"], row["val"]["AP"]) for row in rows if "val" in row]
    assert validations == [(3, 0.1), (5, 0.2), (7, 0.3), (9, 0.4)]


def test_empty_proposals_reach_the_loss() -> None:
    """A crop may lose all proposals of a photo. The network must not propose its own instead."""
    calls: list[dict[str, object]] = []

    class RecordingLoss(torch.nn.Module):
        def loss(self, images: object, targets: object, **options: object) -> dict[str, Tensor]:
            calls.append(options)
            return {}

    none = [torch.zeros(0, 4)]
    Trainable(RecordingLoss())(TrainingBatch([], [], none, [0]))  # type: ignore[arg-type]
    Trainable(RecordingLoss())(TrainingBatch([], [], None, [0]))  # type: ignore[arg-type]
    assert calls == [{"proposals": none}, {}]


def test_the_loss_is_a_function_of_network_and_batch() -> None:
    """Alternating training minimizes the RPN's losses instead of the network's own."""
    network, batch = torch.nn.Linear(1, 1), TrainingBatch([], [], None, [])
    calls: list[tuple[object, object]] = []
    trainable = Trainable(network, lambda *args: (calls.append(args), {"a": torch.ones(1)})[1])  # type: ignore[arg-type]
    assert trainable(batch) == {"a": torch.ones(1)}
    assert calls == [(network, batch)]
    assert Trainable(network).loss is model_loss  # type: ignore[arg-type]


def test_patience_ends_a_training_that_no_longer_improves(
    demo: Path, quick: Recipe, tmp_path: Path, evaluations: list[float | None]
) -> None:
    """The fourth validation is the second without a rise; five steps and a last validation are left out."""
    evaluations += [0.1, 0.3, 0.3, 0.2, 0.9]
    recipe = replace(quick, num_validations=9, patience=2)
    run, finished = train(demo, recipe, tmp_path / "run")
    assert finished
    assert run.finished
    assert evaluations == [0.9]
    assert best_step(run) == 3
    assert read_checkpoint(run.last_checkpoint)[1].training["step"] == 4
    assert read_checkpoint(run.last_checkpoint)[1].metrics["AP"] == 0.2


def test_weights_that_may_be_good_are_validated_before_the_first_step(
    demo: Path,
    quick: Recipe,
    tmp_path: Path,
    evaluations: list[float | None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    evaluations += [0.9, 0.3, 0.4]
    prepare = Session.__post_init__
    monkeypatch.setattr(
        Session, "__post_init__", lambda self: (prepare(self), setattr(self.state, "starts_trained", True))
    )
    run, _ = train(demo, replace(quick, num_validations=2), tmp_path / "run")
    assert not evaluations
    assert best_step(run) == 0
    rows = [json.loads(line) for line in run.log_file.read_text().splitlines()]
    assert [row["step"] for row in rows if "val" in row] == [0, 5, 9]
