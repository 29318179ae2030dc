"""What a job has written: whether its result is complete, and which report there is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from boxmask.errors import CheckpointError
from boxmask.json_numbers import is_number
from boxmask.runs.run import Run
from boxmask.serving.jobs.job import Job

EVALUATIONS = ("report.html", "evaluation.html")
"""Names under which `boxmask evaluate RUN DATA --html RUN/NAME` puts a report into the folder of a run."""

RESULTS = {"compare": ("comparison.json", "report.html"), "forecast": ("forecast.json", "forecast.html")}
"""The result of each kind as JSON and as a report."""


METRICS = ("mask_AP", "AP", "mIoU", "accuracy")
"""The metrics that decide. The first that a model has is its own."""

MAX_KNOWN = 500


def changed_at(file: Path) -> float:
    """When a file was changed, in seconds since 1970; 0 if it is gone."""
    try:
        return file.stat().st_mtime
    except OSError:
        return 0.0


def is_complete(job: Job, folder: Path) -> bool:
    """Whether the result was written since the job was started."""
    if job.kind == "train":
        return Run(folder).finished
    written = changed_at(folder / RESULTS[job.kind][0])
    return written > 0 and (job.started is None or written >= job.started - 1)


def report_of(kind: str, folder: Path) -> Path | None:
    """The report of a comparison or forecast, or of the evaluation of a run; None if there is none."""
    names = EVALUATIONS if kind == "train" else RESULTS[kind][1:]
    return next((folder / name for name in names if (folder / name).is_file()), None)


def deciding(metrics: Sequence[Mapping[str, float]]) -> tuple[str | None, float | None]:
    """The metric that decides, and its highest value. None if there is none."""
    for name in METRICS:
        if values := [row[name] for row in metrics if name in row]:
            return name, max(values)
    return None, None


class BestMetrics:
    """The validation metrics of the best weights of runs, read once."""

    def __init__(self) -> None:
        self._known: dict[Path, tuple[int, dict[str, float]]] = {}

    def of(self, folder: Path) -> dict[str, float]:
        """The metrics by name; none if the run has no weights that can be read."""
        run = Run(folder)
        try:
            changed = run.best_checkpoint.stat().st_mtime_ns
            known = self._known.get(folder)
            if known is not None and known[0] == changed:
                return known[1]
            metrics = {name: value for name, value in run.metrics.items() if is_number(value)}
        except (OSError, CheckpointError):
            return {}
        while len(self._known) >= MAX_KNOWN:
            self._known.pop(next(iter(self._known)))
        self._known[folder] = (changed, metrics)
        return metrics
