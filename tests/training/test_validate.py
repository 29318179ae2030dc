"""Which weights validation saves, for any metrics of the task."""

from __future__ import annotations

import json
from pathlib import Path
from types import MethodType, SimpleNamespace
from typing import Any

import pytest
from torch import nn

from boxmask.runs.recipe import Recipe
from boxmask.runs.run import Run
from boxmask.training import clock as clock_module
from boxmask.training.checkpoints import Checkpoints
from boxmask.training.clock import Clock
from boxmask.training.progress import Report
from boxmask.training.report_end import report_end
from boxmask.training.session import Session
from boxmask.training.signals import StopRequest, StopRequested
from boxmask.training.state import State
from boxmask.training.validate import give_time_left, plan, validate, validation_is_due
from boxmask.training.validation_plan import Validations


@pytest.fixture(autouse=True)
def _without_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw no predictions: the photos here are none. test_predictions.py tests them."""
    monkeypatch.setattr("boxmask.training.validate.write_predictions", lambda session, progress: None)


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
        starts_trained=False,
        validations=Validations(planned=4, photos=photos),
        seconds=90.0,
        metrics={},
        result=nn.Linear(1, 1),
        clock=Clock(None, 0.0),
    )
    state.saved, state.save_best = saved, lambda run: saved.append(state.clock.step)
    state.save_to_resume = lambda run: run.resume_file.touch()
    report, run = RecordingReport(), Run(log.parent)
    report.log = log
    training = SimpleNamespace(
        state=state,
        report=report,
        task=task,
        val=range(photos),
        recipe=Recipe(num_validations=4, epochs=8),
        run=run,
        stop=StopRequest(),
        checkpoints=Checkpoints(state, run, report),
    )
    training.timed_validation = MethodType(Session.timed_validation, training)
    training.seconds_left = MethodType(Session.seconds_left, training)
    return training


def validate_times(training: Any, times: int) -> None:
    for number in range(1, times + 1):
        training.state.clock.step = number
        validate(training, number / times)


def test_the_best_minimum_scores_are_kept_but_not_logged(tmp_path: Path) -> None:
    per_class = {"cat": {"best_min_score": 0.4}, "dog": {"best_min_score": None}}
    task = FixedEvaluations({"mask_AP": 0.2, "per_class": per_class})
    training = session(task, tmp_path / "log.jsonl")
    validate_times(training, 1)
    assert training.state.metrics == {"mask_AP": 0.2, "images": 2, "min_scores": {"cat": 0.4}}
    assert "min_scores" not in (tmp_path / "log.jsonl").read_text()


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


# ---------------------------------------------------------------- within the minutes


class TimedPhotos:
    """Validation photos of which each takes `seconds` on a clock that the test turns."""

    metrics = ("AP",)

    def __init__(self, wall: list[float], seconds: float) -> None:
        self.wall, self.seconds = wall, seconds
        self.calls: list[tuple[int, ...]] = []  # the photos of each evaluation

    def validate(self, model: nn.Module, photos: Any, recipe: Recipe, progress: Any) -> dict[str, Any]:
        self.wall[0] += self.seconds * len(photos)
        self.calls.append(tuple(photos))
        progress(len(photos), len(photos))
        return {"images": len(photos), "AP": 0.5}


class Photos(tuple[int, ...]):
    def subset(self, photos: Any) -> Photos:
        return Photos(self[photo] for photo in photos)


@pytest.fixture
def wall(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time that clocks read, as a list of one number to set."""
    now = [1000.0]
    monkeypatch.setattr(clock_module.time, "monotonic", lambda: now[0])
    return now


def timed_session(wall: list[float], tmp_path: Path, photos: int, seconds: float, **choices: Any) -> Any:
    """A training of one minute. Each validation photo takes `seconds`."""
    training = session(TimedPhotos(wall, seconds), tmp_path / "log.jsonl")  # type: ignore[arg-type]
    training.val = Photos(range(photos))
    training.recipe = Recipe(max_minutes=1.0, **choices)
    training.state = State("m", nn.Linear(1, 1), None, None, Clock(None, 1.0), "", {})  # type: ignore[arg-type]
    training.checkpoints = SimpleNamespace(best_metric=-1.0, save_best=lambda metric: None)
    return training


def train_to_the_end(training: Any, wall: list[float]) -> list[float]:
    """Steps of a tenth of a second; returns the training seconds of each validation."""
    state, validated = training.state, list[float]()
    plan(training, between=True)
    state.clock = Clock(None, training.seconds_left() / 60)
    while state.clock.progress < 1:
        if validation_is_due(training):
            validated.append(state.seconds)
            validate(training, state.clock.progress)
            give_time_left(training)
        wall[0] += 0.1
        state.clock.step += 1
    validated.append(state.seconds)
    validate(training, 1.0)
    return validated


@pytest.mark.parametrize("seconds", [0.001, 0.02, 0.04, 0.3, 1.0, 5.0])
def test_a_training_ends_within_its_minutes(wall: list[float], tmp_path: Path, seconds: float) -> None:
    training = timed_session(wall, tmp_path, 100, seconds)
    began = wall[0]
    train_to_the_end(training, wall)
    assert 55 < wall[0] - began < 65
    assert training.state.validations.seconds <= max(6.5, 2 * seconds)
    assert training.state.clock.progress == 1  # the learning rate has fallen to zero


def test_validations_that_fit_are_on_all_photos(wall: list[float], tmp_path: Path) -> None:
    training = timed_session(wall, tmp_path, 100, 0.01)
    validated = train_to_the_end(training, wall)
    assert [len(photos) for photos in training.task.calls] == [1, 8, 100, 100, 100]
    assert validated == pytest.approx([18.9, 37.9, 56.9], abs=0.3)
    assert not any("tenth" in message for message in training.report.messages)


def test_validations_that_do_not_fit_come_less_often(wall: list[float], tmp_path: Path) -> None:
    training = timed_session(wall, tmp_path, 100, 0.04)
    train_to_the_end(training, wall)
    assert [len(photos) for photos in training.task.calls if len(photos) > 8] == [100]
    assert training.report.messages[0].startswith("note: the model is validated once, at the end, on all 100")


def test_a_sample_is_the_same_all_through(wall: list[float], tmp_path: Path) -> None:
    training = timed_session(wall, tmp_path, 1000, 0.015, num_validations=3)
    train_to_the_end(training, wall)
    first, *others = [photos for photos in training.task.calls if len(photos) > 8]
    assert others == [first, first]
    assert len(first) == 103
    assert training.report.messages[1].endswith("(103 of 1000 photos, for lack of time)")


def test_slower_photos_than_measured_still_end_in_time(wall: list[float], tmp_path: Path) -> None:
    training = timed_session(wall, tmp_path, 100, 0.015)
    began = wall[0]
    plan(training, between=True)
    assert training.state.validations.planned == 3
    training.task.seconds = 0.05
    train_to_the_end(training, wall)
    assert wall[0] - began < 65


def test_the_photos_of_a_single_validation_follow_from_the_last_speed(
    wall: list[float], tmp_path: Path
) -> None:
    training = timed_session(wall, tmp_path, 500, 0.2)
    plan(training, between=True)
    assert (training.state.validations.planned, training.state.validations.photos) == (1, 17)
    training.task.seconds = 0.02  # a trained detector is quicker
    wall[0] += 55
    validate(training, 1.0)
    assert training.state.metrics["images"] == 180


def test_a_method_without_validations_between_measures_none_before(wall: list[float], tmp_path: Path) -> None:
    training = timed_session(wall, tmp_path, 100, 3.0)
    plan(training, between=False)
    assert training.task.calls == []
    assert training.seconds_left() == pytest.approx(60 - 4.8)
    wall[0] += 55
    validate(training, 1.0)
    assert training.task.calls == [(training.task.calls[0][0],)]  # one photo, which is not repeated


def test_a_validation_at_the_start_is_on_the_photos_of_the_one_at_the_end(
    wall: list[float], tmp_path: Path
) -> None:
    """As in an R-CNN that starts from another: nothing is evaluated between the two."""
    training = timed_session(wall, tmp_path, 100, 0.1)
    training.state.starts_trained = True
    plan(training, between=False)
    assert (training.state.validations.planned, training.state.validations.photos) == (1, 19)
    validate(training, 0.0)
    training.state.clock.minutes = 0.4  # of the first stage
    wall[0] += 50
    validate(training, 1.0)
    start, end = training.task.calls[-2:]
    assert start == end
    assert len(start) == 19
    assert training.state.clock.minutes == 0.4


def test_with_epochs_validations_are_as_many_as_asked_for(wall: list[float], tmp_path: Path) -> None:
    training = timed_session(wall, tmp_path, 100, 3.0)
    training.recipe = Recipe(epochs=3, num_validations=7)
    plan(training, between=True)
    assert training.task.calls == []
    assert (training.state.validations.planned, training.state.validations.photos) == (7, 100)


def test_a_model_that_learned_nothing_is_noted(tmp_path: Path) -> None:
    training = session(FixedEvaluations({"AP": 0.004}), tmp_path / "log.jsonl")
    validate(training, 1.0)
    report_end(training)
    assert training.report.messages[-1].startswith("note: the model has learned next to nothing (AP 0.004).")
    assert "Look for label errors" in training.report.messages[-1]


def test_a_model_that_has_not_seen_all_photos_learned_nothing_for_lack_of_time(tmp_path: Path) -> None:
    training = session(FixedEvaluations({"AP": 0.004}), tmp_path / "log.jsonl")
    training.state.clock = Clock(None, 0.5, step=4, steps_per_pass=10)
    validate(training, 1.0)
    report_end(training)
    assert training.report.messages[-1].endswith(
        "(AP 0.004). The training was too short: raise --max-minutes (in Python: max_minutes)."
    )


def test_without_validation_photos_patience_is_noted_once(wall: list[float], tmp_path: Path) -> None:
    training = timed_session(wall, tmp_path, 0, 0.1, patience=2)
    plan(training, between=True)
    assert training.report.messages == ["note: --patience has no effect without validation photos"]
    assert training.state.validations.planned  # so that no later stage plans again
    assert training.seconds_left() == pytest.approx(60, abs=1)


@pytest.mark.parametrize(("seconds", "is_early"), [(30.0, True), (60.0, False)])
def test_only_an_early_end_is_reported_as_one(
    wall: list[float], tmp_path: Path, seconds: float, is_early: bool
) -> None:
    """The last of all validations may exhaust the patience as well."""
    training = timed_session(wall, tmp_path, 100, 0.01, patience=1)
    training.state.validations = Validations(highest=0.5, stale=1)
    wall[0] += seconds
    report_end(training)
    early = "training ended early: the metric has not risen for 1 validation"
    assert training.report.messages == ([early] if is_early else [])
