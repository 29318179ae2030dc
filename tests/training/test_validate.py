"""Which weights validation saves, for any metrics of the task."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from torch import nn

from boxmask.runs.recipe import Recipe
from boxmask.runs.run import Run
from boxmask.training.checkpoints import Checkpoints
from boxmask.training.progress import Report
from boxmask.training.signals import StopRequest, StopRequested
from boxmask.training.validate import validate


class RecordingReport(Report):
    def __init__(self) -> None:
        super().__init__()
        self.messages: list[str] = []

    def message(self, text: str) -> None:
        self.messages.append(text)


class FixedEvaluations:
    """A task that returns the given evaluations one after the other."""

    metrics = ("mask_AP", "AP")

    def __init__(self, *evaluations: dict[str, Any]) -> None:
        self.left = list(evaluations)

    def validate(self, model: nn.Module, labeled: Any, recipe: Recipe, progress: Any) -> dict[str, Any]:
        assert not model.training
        progress(1, 2)
        return {"images": 2, "other": 0.9, **self.left.pop(0)}


def session(task: FixedEvaluations, log: Path, photos: int = 2) -> Any:
    saved: list[int] = []
    state = SimpleNamespace(
        stage=0,
        best=-1.0,
        num_validated=0,
        seconds=90.0,
        metrics={},
        result=nn.Linear(1, 1),
        clock=SimpleNamespace(step=0),
    )
    state.saved, state.save_best = saved, lambda run: saved.append(state.clock.step)
    state.save_to_resume = lambda run: run.resume_file.touch()
    report, run = RecordingReport(), Run(log.parent)
    report.log = log
    return SimpleNamespace(
        state=state,
        report=report,
        task=task,
        val=range(photos),
        recipe=Recipe(num_validations=4),
        run=run,
        stop=StopRequest(),
        checkpoints=Checkpoints(state, run, report),
    )


def validate_times(training: Any, times: int) -> None:
    for number in range(1, times + 1):
        training.state.clock.step = number
        validate(training, number / times)


def test_the_first_metric_decides_and_of_equals_the_later(tmp_path: Path) -> None:
    masks = (0.2, 0.1, 0.2, 0.3, 0.29)
    task = FixedEvaluations(*({"mask_AP": figure, "AP": 1 - figure} for figure in masks))
    training = session(task, tmp_path / "log.jsonl")
    validate_times(training, 5)
    assert training.state.saved == [1, 3, 4]
    assert training.state.best == 0.3
    assert training.state.metrics == {"mask_AP": 0.29, "AP": 0.71, "images": 2}
    assert training.report.messages[0] == " 20 %  validation: mask_AP 0.200, AP 0.800"


def test_the_next_metric_decides_if_the_first_is_missing(tmp_path: Path) -> None:
    training = session(FixedEvaluations({"mask_AP": None, "AP": 0.5}, {"AP": 0.4}), tmp_path / "log.jsonl")
    validate_times(training, 2)
    assert training.state.saved == [1]
    assert training.report.messages[1] == "100 %  validation: AP 0.400"


def test_without_any_metric_the_latest_weights_are_saved(tmp_path: Path) -> None:
    training = session(FixedEvaluations({"mask_AP": None}, {"mask_AP": None}), tmp_path / "log.jsonl")
    validate_times(training, 2)
    assert training.state.saved == [1, 2]
    assert training.state.metrics == {"images": 2}


def test_without_validation_photos_the_latest_weights_are_saved(tmp_path: Path) -> None:
    training = session(FixedEvaluations(), tmp_path / "log.jsonl", photos=0)
    validate_times(training, 2)
    assert training.state.saved == [1, 2]
    assert training.report.messages == []
    assert not (tmp_path / "log.jsonl").exists()


@pytest.mark.parametrize(("progress", "done"), [(0.24, 0), (0.25, 1), (0.8, 3), (1.0, 4)])
def test_validations_are_counted_and_logged(tmp_path: Path, progress: float, done: int) -> None:
    training = session(FixedEvaluations({"AP": 0.5}), tmp_path / "log.jsonl")
    validate(training, progress)
    assert training.state.num_validated == done
    row = json.loads((tmp_path / "log.jsonl").read_text())
    assert (row["step"], row["minutes"], row["val"]) == (0, 1.5, {"AP": 0.5, "images": 2})


def test_a_validation_that_is_stopped_does_not_count(tmp_path: Path) -> None:
    training = session(FixedEvaluations({"AP": 0.5}), tmp_path / "log.jsonl")
    training.stop.handle_signal(2, None)
    with pytest.raises(StopRequested):
        validate(training, 0.5)
    assert (training.state.num_validated, training.state.metrics, training.state.saved) == (0, {}, [])
    assert not (tmp_path / "log.jsonl").exists()


def test_a_run_has_a_state_before_it_has_weights(tmp_path: Path) -> None:
    """Weights without a state are those of a complete training."""
    training = session(FixedEvaluations({"AP": 0.5}), tmp_path / "log.jsonl")
    validate(training, 0.5)
    assert training.run.resume_file.is_file()
