"""Measure the cases in turns, so that other load affects all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from time import perf_counter

from boxmask.benchmarking.processes import CaseProcess
from boxmask.progress import Progress

ROUNDS = 5  # in which each case has a turn with decoded photos and one with files


@dataclass
class Measurement:
    """What was measured for one case: the seconds of each call, by round.

    decoded: photos that were decoded before
    files:   from photo files
    """

    decoded: list[list[float]] = field(default_factory=list)
    files: list[list[float]] = field(default_factory=list)


def measure_in_turns(
    processes: Sequence[CaseProcess], minutes: float, progress: Progress | None = None
) -> list[Measurement]:
    """Measure until the time is over. Every case has one turn with decoded photos at least, also later.

    progress: called with the elapsed and the total seconds
    """
    measurements = [Measurement() for _ in processes]
    begin, total = perf_counter(), minutes * 60
    turn = total / (2 * ROUNDS * len(processes))
    while True:
        for from_files in (False, True):
            for process, measurement in zip(processes, measurements, strict=True):
                calls = process.measure(from_files, turn)
                (measurement.files if from_files else measurement.decoded).append(calls)
                passed = perf_counter() - begin
                if progress is not None:
                    progress(int(min(passed, total)), int(total))
                if passed + turn / 2 > total and all(each.decoded for each in measurements):
                    return measurements
