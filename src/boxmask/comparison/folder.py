"""The folder of a comparison: its files.

settings.json    the settings that all models share; another command needs another folder
split.json       the split of the photos
folds/           with folds, the split of each fold in its place
runs/NAME/       the trainings
models/NAME/     what was found and measured, per model
progress.json    how far the work has come, until it is finished
comparison.json  comparison.csv  report.html
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from boxmask.runs.work_folder import WorkFolder


@dataclass(frozen=True)
class ComparisonFolder(WorkFolder):
    """The folder of a comparison."""

    noun: ClassVar[str] = "comparison"

    @property
    def is_begun(self) -> bool:
        """Whether the settings are recorded."""
        return self.settings_file.is_file()

    def fold_file(self, fold: int) -> Path:
        """The split of the photos in which those of a fold, 1, 2, ..., are the test photos."""
        return self.path / "folds" / f"fold-{fold}.json"

    @property
    def json_file(self) -> Path:
        """The result as JSON."""
        return self.path / "comparison.json"

    @property
    def csv_file(self) -> Path:
        """The result as a table with one row per model."""
        return self.path / "comparison.csv"

    @property
    def report_file(self) -> Path:
        """The report."""
        return self.path / "report.html"

    @property
    def worker_lock(self) -> Path:
        """The lock that the process of a model holds: after a kill, it may need seconds to end."""
        return self.path / ".worker.lock"

    def run(self, slug: str) -> Path:
        """The folder of a training."""
        return self.path / "runs" / slug

    def model(self, slug: str) -> Path:
        """The folder of what was found and measured."""
        return self.path / "models" / slug
