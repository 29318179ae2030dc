"""The folder of a forecast: its files.

settings.json         the settings of the trainings; another command needs another folder
split.json            the split of the photos
parts/NAME.json       the split with a part of the training photos
trainings/NAME/run/   the runs
evaluations/NAME.json the evaluations
progress.json         how far the work has come, until it is finished
forecast.json  forecast.html  forecast.png  forecast.svg  forecast.csv
label-next.csv  label-next.jpg    the photos to label next
pool.jsonl            what is known about each photo of the pool
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from boxmask.runs.work_folder import WorkFolder

PARTS, EVALUATIONS = "parts", "evaluations"


@dataclass(frozen=True)
class ForecastFolder(WorkFolder):
    """The folder of a forecast."""

    noun: ClassVar[str] = "forecast"

    def part_file(self, name: str) -> Path:
        """The split with a part of the training photos."""
        return self.path / PARTS / f"{name}.json"

    def run(self, name: str) -> Path:
        """The folder of a training. It has no others beside it, whose weights it could start from."""
        return self.path / "trainings" / name / "run"

    def evaluation_file(self, name: str) -> Path:
        """The evaluation of a training."""
        return self.path / EVALUATIONS / f"{name}.json"

    @property
    def label_next_file(self) -> Path:
        """The list of the photos to label next."""
        return self.path / "label-next.csv"

    @property
    def label_next_sheet(self) -> Path:
        """The picture of the photos to label next."""
        return self.path / "label-next.jpg"

    def result(self, suffix: str) -> Path:
        """The forecast as JSON, CSV, HTML or a chart."""
        return self.path / f"forecast{suffix}"
