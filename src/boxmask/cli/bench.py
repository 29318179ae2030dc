"""boxmask bench RUN|FILE...: how fast models are on this machine."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from boxmask.cli.imports import quick_imports
from boxmask.cli.output import JsonFile


def bench(
    models: list[Path],
    /,
    *,
    photos: Annotated[tuple[Path, ...] | None, Parameter(consume_multiple=1)] = None,
    threads: Annotated[tuple[int, ...] | None, Parameter(consume_multiple=1)] = None,
    batch: Annotated[tuple[int, ...], Parameter(consume_multiple=1)] = (1, 4),
    max_minutes: float = 1.0,
    chart: Path | None = None,
    json_file: JsonFile = None,
) -> None:
    """Measure latency, photos per second and memory of models on this machine, and where the time goes.

    Each model runs on the CPU with one thread and with one per core, with one photo per call and with four.
    Each combination runs in its own process. They take turns, so that other load on the machine affects all
    of them alike. To compare formats, give a run and its exported file:
    boxmask bench runs/faster-rcnn-1 model.onnx

    Parameters
    ----------
    models
        Runs, checkpoint files, names of published weights, or ONNX files that boxmask export wrote.
    photos
        Photos, folders or globs to measure on. Four of them are used, or as many as the largest batch.
        Default: validation photos of the first run that has them, else generated photos.
    threads
        Numbers of threads, for example --threads 1 2. Default: 1, and one per core.
    batch
        Numbers of photos per call, for example --batch 1 4.
    max_minutes
        Minutes of measurement. Loading the models, warming up and measuring where the time goes take
        additional time.
    chart
        Draw the photos per second into this PNG file.
    json_file
        Write the result to this JSON file. "-" prints the JSON instead of the tables.
    """

    with quick_imports():
        from boxmask.benchmarking.bench import BenchOptions, bench_models
        from boxmask.benchmarking.chart import check_chart
    from boxmask.cli.output import check_json_file, print_metrics, print_notes
    from boxmask.cli.progress import seconds_progress

    check_json_file(json_file)
    if chart is not None:
        check_chart(chart)
    options = BenchOptions(photos, threads, batch, max_minutes)
    with seconds_progress("measuring") as progress:
        benchmark = bench_models(models, options, progress)
    print_metrics(benchmark.to_dict(), benchmark.tables(), json_file)
    print_notes(benchmark.notes())
    if chart is not None:
        benchmark.save_chart(chart)
        print(f"chart: {chart}", file=sys.stderr)
