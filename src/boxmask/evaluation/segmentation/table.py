"""Tables of a segmenter's metrics for the terminal."""

from __future__ import annotations

from rich.console import Group
from rich.table import Table
from rich.text import Text

from boxmask.evaluation.format import describe_resamples, format_fraction, format_interval
from boxmask.evaluation.mark import mark_lines
from boxmask.evaluation.segmentation.evaluate import SegmentationEvaluation
from boxmask.messages import format_count


def segmentation_table(evaluation: SegmentationEvaluation) -> Group:
    """The overall metrics, one row per class, and the notes. Fractions, as in the JSON."""
    notes = [Text(note, style="yellow") for note in evaluation.notes]
    return Group(*mark_lines(evaluation.seen), overall_table(evaluation), class_table(evaluation), *notes)


def overall_table(evaluation: SegmentationEvaluation) -> Table:
    """The metrics over all classes with their intervals."""
    bootstrap, heading = evaluation.miou_interval, "interval"
    table = Table(title=format_count(evaluation.images, "photo"), title_justify="left")
    if bootstrap is not None:
        heading = f"{bootstrap.confidence:.0%} interval"
        table.caption = describe_resamples(bootstrap.resamples, bootstrap.groups, evaluation.images)
    table.add_column("over all classes")
    table.add_column("metric", justify="right")
    table.add_column(heading, justify="right")
    for title, name in (
        ("mIoU (mean over classes)", "mIoU"),
        ("Dice (mean over classes)", "Dice"),
        ("mean accuracy (over classes)", "mean_accuracy"),
        ("pixel accuracy", "pixel_accuracy"),
        ("boundary IoU (within 2 % of the diagonal)", "boundary_IoU"),
    ):
        table.add_row(title, format_fraction(evaluation[name]), format_interval(evaluation.interval(name)))
    return table


def class_table(evaluation: SegmentationEvaluation) -> Table:
    """One row per class, in the order of the data set, with its share of the labeled pixels."""
    classes = evaluation.metrics.per_class
    all_pixels = max(1, sum(metrics.pixels for metrics in classes.values()))
    table = Table()
    table.add_column("class")
    for heading in ("share of pixels", "IoU", "interval", "Dice", "accuracy", "boundary IoU"):
        table.add_column(heading, justify="right")
    for name, metrics in classes.items():
        iou = (format_fraction(metrics.IoU), format_interval(evaluation.interval_of_class(name)))
        fractions = (metrics.Dice, metrics.accuracy, metrics.boundary_IoU)
        share = f"{metrics.pixels / all_pixels:.1%}"
        table.add_row(Text(name), share, *iou, *map(format_fraction, fractions))
    return table
