"""A check with a trained model, if one is given. torch is imported only then."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from boxmask.doctor.report import CheckReport
from boxmask.errors import UsageError
from boxmask.progress import Progress

if TYPE_CHECKING:
    from boxmask.doctor.model.trained_model import TrainedModel


def open_run_if_given(
    data: Path, run: Path | None, device: str = "auto", *, labels_only: bool = False
) -> TrainedModel | None:
    """Load the model of a run to check a data set with, before anything is checked.

    Raises UsageError if no photo is to be opened, and as `open_run_for` does.
    """
    if run is None:
        return None
    if labels_only:
        raise UsageError("A run needs the photos. Leave out --labels-only (in Python: labels_only).")
    from boxmask.doctor.model.trained_model import open_run_for

    return open_run_for(data, run, device)


def with_model_findings(
    report: CheckReport, trained: TrainedModel | None, progress: Progress | None = None
) -> CheckReport:
    """The report with what the model suspects; see `check_with_model`. Without a model, the report itself."""
    if trained is None:
        return report
    from boxmask.doctor.model.check import check_with_model

    return check_with_model(report, trained, progress)
