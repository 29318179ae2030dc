"""Warnings about trainings that are too short to use each photo once."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from boxmask.runs.recipe import Recipe
from boxmask.training import clock as clock_module
from boxmask.training.clock import Clock
from boxmask.training.passes import report_passes, speed_is_known, warn_of_few_passes


def session(clock: Clock, items: int, images_per_second: float = 0.0, photos: int | None = None) -> Any:
    messages: list[str] = []
    report = SimpleNamespace(
        message=messages.append, messages=messages, images_per_second=lambda: images_per_second
    )
    state, recipe = SimpleNamespace(clock=clock), Recipe(max_minutes=2)
    task = SimpleNamespace(photos=lambda dataset: dataset if photos is None else range(photos))
    return SimpleNamespace(state=state, report=report, recipe=recipe, task=task, train=range(items))


def test_a_training_that_will_be_too_short_is_warned_of() -> None:
    training = session(Clock(None, 1.8, step=6, steps_per_pass=225), 900, images_per_second=4.0)
    warn_of_few_passes(training)
    assert training.report.messages == [
        "warning: at 4 images per second, the time is enough for 0.48 passes over 900 photos. 3 passes take "
        "about 13 minutes: raise --max-minutes (in Python: max_minutes), or lower --size."
    ]


def test_a_high_speed_is_written_in_full() -> None:
    training = session(Clock(None, 1.8, step=6, steps_per_pass=2500), 30_000, images_per_second=234.0)
    warn_of_few_passes(training)
    assert training.report.messages[0].startswith("warning: at 234 images per second, ")


@pytest.mark.parametrize(
    ("clock", "speed"), [(Clock(None, 1.8), 9.0), (Clock(None, 1.8), 0.0), (Clock(50, 0.0), 0.1)]
)
def test_enough_passes_an_unknown_speed_and_epochs_give_no_warning(clock: Clock, speed: float) -> None:
    training = session(clock, 900, speed)
    warn_of_few_passes(training)
    assert training.report.messages == []


def test_the_passes_are_reported_at_the_end() -> None:
    training = session(Clock(None, 1.8, step=17, steps_per_pass=5), 20)
    report_passes(training)
    assert training.report.messages == ["17 steps, 3.4 passes over 20 photos"]


def test_a_classifier_of_cropped_objects_counts_objects() -> None:
    training = session(Clock(None, 1.8, step=90, steps_per_pass=225), 900, images_per_second=4.0, photos=60)
    warn_of_few_passes(training)
    report_passes(training)
    warning, passes, end = training.report.messages
    assert "passes over 900 objects" in warning
    assert passes == "90 steps, 0.4 passes over 900 objects"
    assert end.startswith("warning: the training has used only 40% of the objects.")


def test_less_than_a_pass_is_a_warning_at_the_end() -> None:
    training = session(Clock(None, 1.8, step=90, steps_per_pass=225), 900)
    report_passes(training)
    assert training.report.messages == [
        "90 steps, 0.4 passes over 900 photos",
        "warning: the training has used only 40% of the photos. 3 passes take about 15 minutes: raise "
        "--max-minutes (in Python: max_minutes), or lower --size.",
    ]


@pytest.mark.parametrize(
    ("step", "seconds", "is_known"), [(4, 30.0, False), (5, 30.0, True), (5, 4.0, False), (5, 11.0, True)]
)
def test_the_speed_is_known_after_some_steps(
    monkeypatch: pytest.MonkeyPatch, step: int, seconds: float, is_known: bool
) -> None:
    now = [100.0]
    monkeypatch.setattr(clock_module.time, "monotonic", lambda: now[0])
    clock = Clock(None, 2.0, step=step)
    now[0] += seconds
    assert speed_is_known(session(clock, 20)) == is_known
