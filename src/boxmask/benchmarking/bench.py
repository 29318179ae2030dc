"""Measure models: the work of `boxmask bench` and `boxmask.bench`."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from boxmask.benchmarking.cases import Case, find_cases
from boxmask.benchmarking.machine import OtherProcesses, describe_machine
from boxmask.benchmarking.measuring import measure_in_turns
from boxmask.benchmarking.photos import choose_photos
from boxmask.benchmarking.processes import CaseProcess, started
from boxmask.benchmarking.report import Benchmark
from boxmask.benchmarking.rows import make_rows
from boxmask.errors import UsageError
from boxmask.options import option
from boxmask.progress import Progress


@dataclass(frozen=True)
class BenchOptions:
    """How models are measured.

    photos:      photos, folders and globs; None: validation photos of a run, or generated ones
    threads:     numbers of threads; None: 1, and one per core
    batch:       photos per call
    max_minutes: time to measure, without loading the models and warming up
    """

    photos: tuple[Path, ...] | None = None
    threads: tuple[int, ...] | None = None
    batch: tuple[int, ...] = (1, 4)
    max_minutes: float = 1.0


def bench_models(
    sources: Sequence[Path], options: BenchOptions, progress: Progress | None = None
) -> Benchmark:
    """Measure runs and ONNX files on the CPU, each case in a process of its own, in turns.

    progress: called with the seconds that are over, and all seconds

    Raises UsageError for options that cannot be, CheckpointError and WeightsError for models that cannot be
    loaded, and PhotoError for photos that cannot be read.
    """
    if not options.max_minutes > 0:
        raise UsageError(f"{option('max_minutes')}: expected more than 0, found {options.max_minutes}")
    cases = find_cases(list(dict.fromkeys(sources)), options.threads, options.batch)
    check_packages(cases)
    with tempfile.TemporaryDirectory(prefix="boxmask-bench-") as folder:
        photos = choose_photos(sources, options.photos, Path(folder), options.batch)
        with started(cases, photos.files) as processes:
            others = OtherProcesses([os.getpid(), *(process.number for process in processes)])
            measurements = measure_in_turns(processes, options.max_minutes, progress)
            busy = others.share()
            rows = make_rows(cases, measurements, [process.memory for process in processes])
            shares = measure_shares(processes)
    return Benchmark(rows, shares, photos, describe_machine(), busy)


def check_packages(cases: Sequence[Case]) -> None:
    """Raise UsageError if there is an ONNX file and no ONNX Runtime."""
    if any(case.format != "PyTorch" for case in cases) and find_spec("onnxruntime") is None:
        raise UsageError(
            "an ONNX file needs the package onnxruntime. Install it with: pip install onnxruntime"
        )


def measure_shares(processes: Sequence[CaseProcess]) -> dict[str, dict[str, float]]:
    """The shares of each model, on as many threads as were measured."""
    chosen: dict[str, CaseProcess] = {}
    for process in processes:
        known = chosen.get(process.case.source)
        if known is None or process.case.threads > known.case.threads:
            chosen[process.case.source] = process
    return {source: process.shares() for source, process in chosen.items()}
