"""How fast each form of a model is on this machine, measured as `boxmask bench` does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

from boxmask.benchmarking.bench import BenchOptions, bench_models
from boxmask.benchmarking.cases import format_of
from boxmask.benchmarking.report import BenchmarkRow
from boxmask.benchmarking.worker import DECODING
from boxmask.comparison.contract import Speed
from boxmask.comparison.forms import onnx_file
from boxmask.comparison.jobs import Job
from boxmask.comparison.options import CompareOptions, Form
from boxmask.comparison.speed_file import read_speeds, write_speeds
from boxmask.errors import UsageError
from boxmask.exporting.export import PACKAGES
from boxmask.options import option
from boxmask.progress import Progress
from boxmask.runtime.session import usable_cores

FORM_OF_FORMAT: Mapping[str, Form] = {"PyTorch": "torch", "ONNX": "onnx", "ONNX int8": "int8"}


def measured_forms(options: CompareOptions) -> tuple[Form, ...]:
    """The forms of the options, or those that this installation can measure.

    Raises UsageError for a form whose packages are missing.
    """
    missing = [name for name in PACKAGES if find_spec(name) is None]
    if options.forms is None:
        return ("torch",) if missing else ("torch", "onnx")
    if missing and set(options.forms) - {"torch"}:
        raise UsageError(
            f"{option('forms')}: onnx and int8 need the packages {' and '.join(PACKAGES)}. Install them "
            'with: pip install "boxmask[export]"'
        )
    return options.forms


def measure_speed(
    job: Job,
    folder: Path,
    photos: Sequence[Path],
    forms: Sequence[Form],
    seconds: float,
    progress: Progress | None = None,
) -> tuple[Speed, ...]:
    """Measure the forms that were not measured before, in turns, on a few of the photos.

    Raises what `bench_models` raises.
    """
    sources = _sources(job, folder, forms)
    known = read_speeds(folder)
    missing = {form: path for form, path in sources.items() if form not in known}
    if missing:
        options = BenchOptions(tuple(photos[:: max(1, len(photos) // 4)]), (usable_cores(),), (1,))
        minutes = seconds * len(missing) / 60
        options = BenchOptions(options.photos, options.threads, options.batch, minutes)
        benchmark = bench_models(list(missing.values()), options, progress)
        for form, row in zip(missing, benchmark.rows, strict=True):
            known[form] = _speed(form, row, benchmark.shares.get(row.model, {}), missing[form], job)
        write_speeds(folder, known)
    return tuple(known[form] for form in sources)


def _sources(job: Job, folder: Path, forms: Sequence[Form]) -> dict[Form, Path]:
    """The file or run of each form. Forms that could not be exported are left out."""
    if job.is_onnx:
        return {FORM_OF_FORMAT[format_of(job.source)]: job.source}
    files: dict[Form, Path] = {form: onnx_file(folder, form) for form in forms if form != "torch"}
    exported = {form: file for form, file in files.items() if file.is_file()}
    return {"torch": job.source, **exported} if "torch" in forms else exported


def _speed(form: str, row: BenchmarkRow, shares: Mapping[str, float], source: Path, job: Job) -> Speed:
    """The speed of a form. The stages share the median without the time for reading files."""
    rest, median = 1.0 - shares.get(DECODING, 0.0), row.median_ms
    stages = {name: median * share / rest for name, share in shares.items() if name != DECODING and rest > 0}
    file = job.weights_file if form == "torch" else source
    size = file.stat().st_size / 2**20 if file.is_file() else None
    return Speed(form, median, row.p95_ms, stages, row.memory_mb, size)
