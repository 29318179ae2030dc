"""The evaluation of one model as a comparison, which the report can show."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from boxmask.comparison.contract import ComparedModel, Comparison
from boxmask.comparison.report.save import report_file
from boxmask.models.table import name_of
from boxmask.progress import Progress
from boxmask.runs.splits import Split
from boxmask.runtime.models import ExportedModel
from boxmask.tasks.contract import EvaluationReport, LabelOptions
from boxmask.tasks.predictors import MODELS_OF_TASK
from boxmask.tasks.table import task_of


def compare_one(run: Path, data: Path, split: Split, model: Any, report: EvaluationReport) -> Comparison:
    """The comparison of a single model.

    run:    where the model comes from; its name is that of the folder or file
    split:  the photos that were evaluated
    report: of the evaluation, with results
    """
    is_exported = isinstance(model, ExportedModel)
    method = model.name if is_exported else name_of(model)
    task = next(name for name, methods in MODELS_OF_TASK.items() if method in methods)
    evaluation = report.evaluation
    metric = deciding_metric(task, evaluation)
    compared = ComparedModel(
        name=run.resolve().name or str(run),
        method=method,
        source=run,
        evaluation=evaluation,
        results=report.results,
        failures=report.failures,
        training=None,
        speeds=(),
        parameters=_count_parameters(model),
        operations=None,
    )
    return Comparison(data, split, report.dataset, task, metric, (compared,))


def write_report(
    html: Path | None, run: Path, data: Path, split: Split, model: Any, report: EvaluationReport
) -> None:
    """Write the report of `compare_one`, if there is a file for it. Raises UsageError and OutputError."""
    if html is not None:
        compare_one(run, data, split, model, report).save_html(html)


@dataclass(frozen=True)
class EvaluationFiles:
    """The files that an evaluation writes; None for those that are not wanted.

    pictures: folder for pictures of labels and results
    html:     file for the report

    Raises UsageError as `report_file` does.
    """

    pictures: str | os.PathLike[str] | None = None
    html: str | os.PathLike[str] | None = None

    def __post_init__(self) -> None:
        report_file(self.html)

    def evaluate(
        self,
        run: Path,
        data: Path,
        split: Split,
        model: Any,
        options: LabelOptions,
        progress: Progress | None = None,
    ) -> EvaluationReport:
        """Evaluate the model of a run on labeled photos, and write the files."""
        task, pictures, html = task_of(model), self.pictures, report_file(self.html)
        dataset = task.read_split(run, data, split, options)
        report = task.evaluate(
            model,
            dataset,
            options.on_unseen_classes,
            progress,
            None if pictures is None else Path(pictures),
            keep_results=html is not None,
        )
        write_report(html, run, data, split, model, report)
        return report


def deciding_metric(task: str, evaluation: Any) -> str:
    """The metric that decides about a model: of detectors, mask AP if there are masks."""
    if task != "detection":
        return {"segmentation": "mIoU", "classification": "accuracy"}[task]
    return "mask_AP" if "mask_AP" in evaluation else "AP"


def _count_parameters(model: Any) -> int | None:
    """The number of parameters; None for an exported file or several models."""
    parameters = getattr(model, "parameters", None)
    return None if parameters is None else sum(each.numel() for each in parameters())
