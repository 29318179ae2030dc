"""Turns, and the rows that are made from them."""

from __future__ import annotations

from typing import Any

import pytest

from boxmask.benchmarking import measuring
from boxmask.benchmarking.cases import Case
from boxmask.benchmarking.measuring import Measurement, measure_in_turns
from boxmask.benchmarking.rows import make_rows

SLOW, FAST = Case("run", "PyTorch", 1, 1), Case("model.onnx", "ONNX", 2, 4)


class Clock:
    """Time that passes only while something is measured."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


class Stub:
    """A process whose calls take a fixed time. It notes the turns of all."""

    def __init__(self, clock: Clock, seconds: float, turns: list[Any]) -> None:
        self._clock, self._seconds, self._turns = clock, seconds, turns

    def measure(self, from_files: bool, seconds: float) -> list[float]:
        calls = [self._seconds] * max(1, round(seconds / self._seconds))
        self._clock.now += sum(calls)
        self._turns.append((self, from_files))
        return calls


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr(measuring, "perf_counter", found)
    return found


def test_all_take_turns_until_the_time_is_over(clock: Clock) -> None:
    turns: list[Any] = []
    stubs: list[Any] = [Stub(clock, 0.1, turns), Stub(clock, 0.5, turns)]
    reported: list[tuple[int, int]] = []
    found = measure_in_turns(stubs, 1.0, lambda *numbers: reported.append(numbers))
    assert turns == [(stub, files) for files in (False, True) for stub in stubs] * measuring.ROUNDS
    assert all(len(each.decoded) == len(each.files) == measuring.ROUNDS for each in found)
    assert clock.now == pytest.approx(160, abs=2)
    assert reported[-1] == (60, 60)


def test_slow_models_are_not_measured_for_long(clock: Clock) -> None:
    turns: list[Any] = []
    stubs: list[Any] = [Stub(clock, 40.0, turns) for _ in range(3)]
    found = measure_in_turns(stubs, 1.0)
    assert [len(each.decoded) for each in found] == [1, 1, 1]  # 120 seconds instead of 60
    assert not any(each.files for each in found)


def test_rows() -> None:
    slow = Measurement([[0.1] * 10, [0.2] * 10, [0.1] * 10], [[0.2]])
    fast = Measurement([[0.1] * 20, [0.2] * 20, [0.1] * 19 + [0.5]], [[0.2]])
    first, second = make_rows([SLOW, FAST], [slow, fast], [2**20, 3 * 2**20])
    assert (first.calls, first.median_ms, first.p95_ms) == (30, pytest.approx(100), pytest.approx(200))
    assert first.photos_per_second == pytest.approx(30 / 4)
    assert first.ratio == 1
    assert first.photos_per_second_from_files == pytest.approx(5)
    assert (second.model, second.format, second.threads, second.batch) == ("model.onnx", "ONNX", 2, 4)
    assert second.photos_per_second_from_files == pytest.approx(20)
    assert second.ratio == pytest.approx(4)  # the median of 4, 4 and a little less
    assert second.memory_mb == 3


def test_a_row_without_time_for_files() -> None:
    _, slow = make_rows([SLOW, FAST], [Measurement([[0.1]]), Measurement([[40.0]])], [0, 0])
    assert (slow.calls, slow.median_ms, slow.p95_ms) == (1, 40_000, 40_000)
    assert slow.photos_per_second == pytest.approx(0.1)
    assert slow.photos_per_second_from_files is None
