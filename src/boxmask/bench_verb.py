"""The public function that measures models. It imports what it needs, so that `import boxmask` is quick."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from boxmask.missing_packages import needs_packages
from boxmask.progress import Progress

if TYPE_CHECKING:
    from boxmask.benchmarking.report import Benchmark
    from boxmask.runs.run import Run

Models: TypeAlias = "Run | str | os.PathLike[str] | Sequence[Run | str | os.PathLike[str]]"
"""Runs, checkpoints, names of published weights, or exported files: one, or several."""


@needs_packages("boxmask.bench")
def bench(
    models: Models,
    *,
    photos: str | os.PathLike[str] | Sequence[str | os.PathLike[str]] | None = None,
    threads: Sequence[int] | None = None,
    batch: Sequence[int] = (1, 4),
    max_minutes: float = 1.0,
    progress: Progress | None = None,
) -> Benchmark:
    """Measure how fast models are on the CPU of this machine, in turns, each case in its own process.

        benchmark = boxmask.bench([run, "model.onnx"])
        print(benchmark)
        benchmark.rows[0].photos_per_second, benchmark.shares, benchmark.to_json()
        benchmark.save_chart("speed.png")

    models:      runs, checkpoints, names of published weights, or ONNX files that `export` wrote
    photos:      photos, folders or globs; by default validation photos of a run, or generated ones
    threads:     numbers of threads; by default 1, and one per core
    batch:       numbers of photos per call
    max_minutes: minutes of measurement; loading and warming up are extra
    progress:    called with the elapsed and the total seconds

    Raises CheckpointError, WeightsError, PhotoError or UsageError.
    """
    from boxmask.benchmarking.bench import BenchOptions, bench_models
    from boxmask.runs.run import Run

    sources = [models] if isinstance(models, Run | str | os.PathLike) else models
    given = [photos] if isinstance(photos, str | os.PathLike) else photos
    options = BenchOptions(
        None if given is None else tuple(map(Path, given)),
        None if threads is None else tuple(threads),
        tuple(batch),
        max_minutes,
    )
    return bench_models([Path(source) for source in sources], options, progress)
