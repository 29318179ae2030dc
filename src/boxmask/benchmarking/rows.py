"""The rows of a benchmark, from what was measured."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from boxmask.benchmarking.cases import Case
from boxmask.benchmarking.measuring import Measurement
from boxmask.benchmarking.report import BenchmarkRow


def make_rows(
    cases: Sequence[Case], measurements: Sequence[Measurement], memory: Sequence[int]
) -> tuple[BenchmarkRow, ...]:
    """The rows of the cases.

    memory: bytes of RAM at the peak of each
    """
    first = speeds(measurements[0].decoded, cases[0].batch)
    return tuple(
        make_row(case, measurement, size, first)
        for case, measurement, size in zip(cases, measurements, memory, strict=True)
    )


def make_row(case: Case, measurement: Measurement, memory: int, first: Sequence[float]) -> BenchmarkRow:
    """The row of a case.

    first: photos per second of the first row, by round
    """
    calls = [call for turn in measurement.decoded for call in turn]
    in_rounds = speeds(measurement.decoded, case.batch)
    ratios = [speed / other for speed, other in zip(in_rounds, first, strict=False)]
    return BenchmarkRow(
        case.source,
        case.format,
        case.threads,
        case.batch,
        len(calls),
        1000 * float(np.median(calls)),
        1000 * float(np.percentile(calls, 95)),
        total_speed(measurement.decoded, case.batch),
        total_speed(measurement.files, case.batch) if measurement.files else None,
        float(np.median(ratios)),
        memory / 2**20,
    )


def speeds(turns: Sequence[Sequence[float]], batch: int) -> list[float]:
    """Photos per second in each round."""
    return [batch * len(turn) / sum(turn) for turn in turns]


def total_speed(turns: Sequence[Sequence[float]], batch: int) -> float:
    """Photos per second in all rounds."""
    return batch * sum(map(len, turns)) / sum(map(sum, turns))
