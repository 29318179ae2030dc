"""A display that also records what it shows in progress.json, so that other programs can show it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from boxmask.comparison.contract import ComparedModel, FailedModel
from boxmask.comparison.display import Display
from boxmask.runs.work_progress import WorkProgress


class RecordedDisplay(Display):
    """Passes the news of a comparison on to another display, and records them."""

    def __init__(self, display: Display, progress: WorkProgress) -> None:
        self._display, self._progress, self._metric = display, progress, "AP"

    def reading(self, done: int, total: int) -> None:
        """Pass it on. The folder may still turn out to be wrong, so nothing is written there yet."""
        self._display.reading(done, total)

    def begin(self, lines: Sequence[str], metric: str) -> None:
        """Record the plan."""
        self._metric = metric
        self._progress.tell(plan=list(lines), metric=metric, models=[], failed=[])
        self._display.begin(lines, metric)

    def working(self, name: str, step: str, share: float | None, left: str) -> None:
        """Record the step."""
        self._progress.tell_soon(working={"name": name, "step": step, "share": share, "left": left})
        self._display.working(name, step, share, left)

    def note(self, text: str) -> None:
        """Pass it on."""
        self._display.note(text)

    def show(self, models: Sequence[ComparedModel], failed: Sequence[FailedModel]) -> None:
        """Record the table."""
        self._progress.tell(
            models=[_row(model, self._metric) for model in models],
            failed=[asdict(each) for each in failed],
        )
        self._display.show(models, failed)

    def finish(self) -> None:
        """Remove the record: the result is written."""
        self._progress.finish()


def _row(model: ComparedModel, metric: str) -> dict[str, Any]:
    """The metric of a model with its interval, and the median speed of each form."""
    interval = model.evaluation.interval(metric)
    return {
        "name": model.name,
        "value": model.evaluation[metric],
        "interval": None if interval is None else list(interval),
        "minutes": None if model.training is None else model.training.minutes,
        "ms_per_photo": {speed.form: speed.median_ms for speed in model.speeds},
    }
