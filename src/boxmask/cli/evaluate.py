"""boxmask evaluate RUN DATA: metrics of a trained model."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from boxmask.cli.classes import ChosenClasses, RenamedClasses
from boxmask.cli.imports import quick_imports
from boxmask.cli.output import JsonFile, print_metrics, print_notes
from boxmask.prediction.view_options import ViewOptions

if TYPE_CHECKING:
    from rich.console import Group

    from boxmask.tasks.contract import EvaluationReport


def evaluate(
    run: Path,
    data: Path,
    /,
    *,
    split: Literal["train", "val", "test", "all"] = "test",
    unseen: Annotated[bool, Parameter(negative="")] = False,
    failures: Annotated[bool, Parameter(negative="")] = False,
    json_file: JsonFile = None,
    pictures: Path | None = None,
    html_file: Annotated[Path | None, Parameter(name="--html")] = None,
    on_bad_boxes: Literal["error", "skip"] | None = None,
    on_bad_photos: Literal["error", "skip"] = "error",
    on_unseen_classes: Literal["error", "skip"] = "error",
    classes: ChosenClasses = None,
    map: RenamedClasses = (),
    classes_file: Path | None = None,
    on_unknown_colors: Literal["error", "skip"] | None = None,
    svd: tuple[int, int] | None = None,
    views: Annotated[ViewOptions, Parameter(name="*")] = ViewOptions(),  # noqa: B008 (frozen)
    device: str = "auto",
) -> int:
    """Evaluate a trained model on labeled photos, overall and per class.

    Detectors: average precision by COCO's and VOC's rules, for boxes and masks. Segmenters: mIoU, Dice and
    boundary IoU. Classifiers: accuracy, precision and recall.

    Parameters
    ----------
    run
        Folder written by training, a checkpoint, an exported file (.onnx), or the name of published weights
        such as torchvision/ssdlite320_mobilenet_v3_large (boxmask weights list).
    data
        Folder, archive or label file, as for training.
    split
        Photos to evaluate on. If DATA is the data set that the run was trained on, the run's split is used.
        Otherwise, the split of the data set is used.
    unseen
        Leave out photos that were seen in training, by the run or by those whose weights it started from.
        Without this flag, metrics that include such photos are marked as tainted.
    failures
        Show what fails: the AP50 that each kind of error costs, confused classes, and the photos to look at
        first.
    json_file
        Write the metrics to this JSON file, as fractions. "-" prints the JSON instead of the table.
    pictures
        Folder for pictures of every photo, labels beside predictions. For classifiers, one picture of the
        mistakes.
    html_file
        Write a report as one HTML page, which opens offline: metrics, what goes wrong, curves, and photos
        with labels and results as layers, those with suspect labels first.
    on_bad_boxes
        What to do with boxes that are empty or outside their photo, and with outlines that cannot be read.
        Default: skip them if they are under 1 % of all, else stop. "skip" also leaves out points and lines.
    on_bad_photos
        What to do with photos of the split that are missing or damaged. "skip" leaves them out, and decodes
        each photo once to find them. The same holds for label maps.
    on_unseen_classes
        What to do with classes that the model does not know. "skip" leaves them out of the metrics.
    classes
        Classes to evaluate, by name, for example --classes cat dog. Default: as in training.
    map
        Other names for classes in the labels, as OLD=NEW. Default: as in training.
    classes_file
        Segmentation only. File that names the class of each color or index in the label maps. Default: as
        in training if the data set is the same, else the data set's own.
    on_unknown_colors
        Segmentation only. What to do with colors that the classes file does not name. Default: as in training
        if the data set is the same, else stop.
    svd
        Fast R-CNN only. Ranks of the truncated SVD of its two fully connected layers, for example 128 64.
        Faster, and a little less accurate.
    device
        "auto" (a GPU if there is one), "cpu", "cuda", "cuda:1", ...
    """
    with quick_imports():
        from boxmask.cli.progress import photo_progress
        from boxmask.comparison.one_model import write_report
        from boxmask.tasks.contract import LabelOptions
        from boxmask.tasks.table import task_of
        from boxmask.tasks.views import load_with_views

    _check_files(json_file, html_file)
    model = load_with_views(run, views, device, svd)
    task = task_of(model)
    options = LabelOptions(
        on_bad_boxes,
        on_bad_photos,
        on_unseen_classes,
        classes_file,
        on_unknown_colors,
        classes,
        map,
        unseen,
        views.with_runs,
    )
    dataset = task.read_split(run, data, split, options)
    print_notes(dataset.notes)
    with photo_progress("evaluating") as progress:
        report = task.evaluate(
            model, dataset, on_unseen_classes, progress, pictures, keep_results=bool(html_file) or failures
        )
    print_metrics(*_metrics_and_table(report, failures), json_file)
    write_report(html_file, run, data, split, model, report)
    return _print_outputs(report, pictures, html_file)


def _metrics_and_table(report: EvaluationReport, failures: bool) -> tuple[dict[str, Any], Group]:
    """The metrics for the JSON and the table for the terminal, with what failed if `failures` is True."""
    from rich.console import Group

    metrics = report.evaluation.to_dict()
    if not failures or report.failures is None:
        return metrics, report.table
    return metrics | {"failures": report.failures.to_dict()}, Group(report.table, report.failures.tables())


def _check_files(json_file: Path | None, html_file: Path | None) -> None:
    """Raise UsageError if a result would replace a file that boxmask did not write."""
    from boxmask.cli.output import check_json_file
    from boxmask.comparison.report.save import report_file

    check_json_file(json_file)
    report_file(html_file)


def _print_outputs(report: EvaluationReport, pictures: Path | None, html_file: Path | None) -> int:
    """Say where pictures and report are; returns the exit code."""
    from boxmask.cli.output import print_errors, print_notes

    print_notes(report.notes)
    if pictures is not None:
        print(f"pictures: {pictures}" if report.pictures else "no mistakes to draw", file=sys.stderr)
    if html_file is not None:
        print(f"report: {html_file}", file=sys.stderr)
    return print_errors(report.errors)
