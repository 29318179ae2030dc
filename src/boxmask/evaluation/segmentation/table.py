"""The figures of a segmenter's evaluation as tables for the terminal."""

from __future__ import annotations

from rich.console import Group
from rich.table import Table
from rich.text import Text

from boxmask.evaluation.detection.table import figure
from boxmask.evaluation.segmentation.evaluate import SegmentationEvaluation


def segmentation_table(evaluation: SegmentationEvaluation) -> Group:
    """The overall figures, a row for each class, and the notes; fractions, as in the JSON."""
    notes = [Text(note, style="yellow") for note in evaluation.notes]
    return Group(_overall(evaluation), _classes(evaluation), *notes)


def _overall(evaluation: SegmentationEvaluation) -> Table:
    metrics, interval = evaluation.metrics, evaluation.interval
    table = Table(title=f"{evaluation.images} photos", title_justify="left")
    table.add_column("over all classes")
    table.add_column("figure", justify="right")
    heading, span = "interval", ""
    if interval is not None:
        heading = f"{interval.confidence:.0%} interval"
        span = f"{figure(interval.mIoU[0])} to {figure(interval.mIoU[1])}"
        table.caption = f"the interval rests on {interval.resamples} draws of the {evaluation.images} photos"
    table.add_column(heading, justify="right")
    table.add_row("mIoU (mean of the classes)", figure(metrics.mIoU), span)
    table.add_row("Dice (mean of the classes)", figure(metrics.Dice))
    table.add_row("mean accuracy (of the classes)", figure(metrics.mean_accuracy))
    table.add_row("pixel accuracy", figure(metrics.pixel_accuracy))
    table.add_row("boundary IoU (rims of 2 % of the diagonal)", figure(metrics.boundary_IoU))
    return table


def _classes(evaluation: SegmentationEvaluation) -> Table:
    """A row for each class, in the data set's order, with its share of the labeled pixels."""
    classes = evaluation.metrics.per_class
    total = max(1, sum(one.pixels for one in classes.values()))
    table = Table()
    table.add_column("class")
    for heading in ("of the pixels", "IoU", "Dice", "accuracy", "boundary IoU"):
        table.add_column(heading, justify="right")
    for name, one in classes.items():
        figures = (one.IoU, one.Dice, one.accuracy, one.boundary_IoU)
        table.add_row(Text(name), f"{one.pixels / total:.1%}", *map(figure, figures))
    return table
