from pathlib import Path

import pytest

from boxmask.kernels.compile_time import CompileTimer
from boxmask.runs.recipe import Recipe
from boxmask.training import clock as clock_module
from boxmask.training.clock import Clock, learning_rate
from boxmask.training.train import train


def test_the_rate_rises_linearly_in_the_warm_up() -> None:
    rates = [learning_rate(progress, 0.1) for progress in (0.025, 0.05, 0.075)]
    assert rates == pytest.approx([0.25, 0.5, 0.75])


def test_the_first_step_has_a_positive_rate() -> None:
    assert 0 < learning_rate(0.0, 0.1) <= 0.01


def test_the_rate_peaks_at_the_end_of_the_warm_up() -> None:
    assert learning_rate(0.1, 0.1) == pytest.approx(1.0)
    assert learning_rate(0.0999, 0.1) == pytest.approx(1.0, abs=2e-3)


def test_the_rate_falls_along_a_cosine_to_zero() -> None:
    rates = [learning_rate(progress, 0.2) for progress in (0.2, 0.4, 0.6, 0.8, 1.0)]
    assert rates == pytest.approx([1.0, 0.5 * (1 + 0.5**0.5), 0.5, 0.5 * (1 - 0.5**0.5), 0.0])


def test_without_warm_up_the_rate_starts_at_its_peak() -> None:
    assert learning_rate(0.0, 0.0) == 1.0


@pytest.fixture
def wall(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time that the clock reads, as a list of one number to set."""
    now = [1000.0]
    monkeypatch.setattr(clock_module.time, "monotonic", lambda: now[0])
    return now


def test_with_steps_the_clock_counts_steps(wall: list[float]) -> None:
    clock = Clock(total_steps=8, minutes=0.0)
    wall[0] += 999
    assert clock.progress == 0
    clock.step = 6
    assert clock.progress == 0.75
    clock.step = 9
    assert clock.progress == 1


def test_with_minutes_the_clock_counts_seconds(wall: list[float]) -> None:
    clock = Clock(total_steps=None, minutes=2.0)
    clock.step = 10_000
    wall[0] += 30
    assert clock.progress == 0.25
    assert clock.seconds_left == pytest.approx(90)
    wall[0] += 300
    assert clock.progress == 1


def test_a_resumed_clock_continues_its_count(wall: list[float]) -> None:
    clock = Clock(total_steps=None, minutes=2.0, seconds_before=60.0)
    assert clock.progress == 0.5
    wall[0] += 30
    assert clock.seconds == 90


def test_the_time_left_is_estimated_from_the_steps_so_far(wall: list[float]) -> None:
    clock = Clock(total_steps=10, minutes=0.0)
    assert clock.seconds_left is None
    wall[0] += 8
    clock.step = 4
    assert clock.seconds_left == pytest.approx(12)


def test_the_clock_stands_in_a_block_that_has_a_clock_of_its_own(wall: list[float]) -> None:
    clock = Clock(total_steps=None, minutes=2.0)
    wall[0] += 10
    with clock.stopped() as inner:
        wall[0] += 40
        assert inner.seconds == 40
    assert clock.seconds == 10
    wall[0] += 5
    clock.skip_pause()
    assert clock.seconds == 15


def test_compiling_kernels_does_not_count(wall: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    timer = CompileTimer()
    monkeypatch.setattr(clock_module, "compile_seconds", lambda: timer.seconds)
    clock = Clock(total_steps=None, minutes=2.0)
    wall[0] += 3
    timer.on_start(None)
    wall[0] += 5
    timer.on_start(None)  # a loop that the first one calls
    wall[0] += 2
    timer.on_end(None)
    timer.on_end(None)
    wall[0] += 1
    assert clock.seconds == 4


def test_passes_are_counted_by_steps() -> None:
    clock = Clock(total_steps=None, minutes=2.0, step=17, steps_per_pass=5)
    assert clock.passes == pytest.approx(3.4)
    assert Clock(None, 2.0).passes == 0


@pytest.fixture
def cpu(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The CPU time of the process, as a list of one number to set."""
    used = [5.0]
    monkeypatch.setattr(clock_module.time, "process_time", lambda: used[0])
    return used


@pytest.mark.parametrize(
    ("gap", "used", "counted"),
    [
        (30.0, 0.0, 30.0),  # a step that waits for photos
        (60.0, 0.0, 60.0),
        (8 * 3600.0, 0.0, 60.0),  # the machine slept, or Ctrl-Z
        (8 * 3600.0, 3.0, 63.0),
        (500.0, 495.0, 500.0),  # a validation, or a slow step
        (500.0, 2000.0, 500.0),  # with four threads
    ],
)
def test_pauses_do_not_count(
    wall: list[float], cpu: list[float], gap: float, used: float, counted: float
) -> None:
    clock = Clock(total_steps=None, minutes=600.0)
    wall[0] += 7
    clock.skip_pause()
    wall[0] += gap
    cpu[0] += used
    clock.skip_pause()
    assert clock.seconds == pytest.approx(7 + counted)
    wall[0] += 5
    clock.skip_pause()
    assert clock.seconds == pytest.approx(12 + counted)


def test_training_looks_for_pauses_after_each_step(
    demo: Path, quick: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []
    monkeypatch.setattr(Clock, "skip_pause", lambda self: calls.append(self.step))
    train(demo, quick, tmp_path / "run")
    assert [step for step in calls if step] == list(range(1, 10))
    assert calls.count(0) == 2  # the clock of a validation counts no steps, and looks after each photo
