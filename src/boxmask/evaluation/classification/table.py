"""The figures of a classifier as tables for the terminal."""

from __future__ import annotations

from rich.console import Group
from rich.table import Table
from rich.text import Text

from boxmask.evaluation.classification.evaluate import CONFIDENCE, ClassificationEvaluation
from boxmask.evaluation.detection.table import figure

MOST_COLUMNS = 8  # of a confusion matrix that fits a terminal
MOST_MISTAKES = 10  # shown in its place


def classification_table(evaluation: ClassificationEvaluation) -> Group:
    """The overall figures, a row for each class, what was taken for what, and the notes; fractions."""
    fits = len(evaluation.class_names) <= MOST_COLUMNS
    mixed_up = confusion_table(evaluation) if fits else mistakes_table(evaluation)
    notes = [Text(note, style="yellow") for note in evaluation.notes]
    return Group(overall_table(evaluation), per_class_table(evaluation), mixed_up, *notes)


def overall_table(evaluation: ClassificationEvaluation) -> Table:
    """Accuracy with its interval, and the mean over the classes."""
    whole = evaluation.images == evaluation.photos
    what = (
        f"{evaluation.images} photos"
        if whole
        else f"{evaluation.images} objects of {evaluation.photos} photos"
    )
    table = Table(title=what, title_justify="left")
    table.add_column("over all classes")
    table.add_column("figure", justify="right")
    table.add_column(f"{CONFIDENCE:.0%} interval" if evaluation.interval else "interval", justify="right")
    span = " to ".join(map(figure, evaluation.interval)) if evaluation.interval else ""
    table.add_row("accuracy", figure(evaluation.accuracy), span)
    table.add_row("mean of the classes' accuracies", figure(evaluation.mean_accuracy), "")
    return table


def per_class_table(evaluation: ClassificationEvaluation) -> Table:
    """A row for each class."""
    table = Table()
    table.add_column("class")
    for heading in ("there are", "accuracy (recall)", "precision"):
        table.add_column(heading, justify="right")
    for name, one in evaluation.per_class.items():
        table.add_row(Text(name), str(one.images), figure(one.accuracy), figure(one.precision))
    return table


def confusion_table(evaluation: ClassificationEvaluation) -> Table:
    """A row for each class that there is, a column for each that things were taken for."""
    table = Table(title="rows: what it is\ncolumns: taken for", title_justify="left")
    table.add_column("")
    for name in evaluation.class_names:
        table.add_column(Text(name), justify="right")
    for name, counts in zip(evaluation.class_names, evaluation.confusion.tolist(), strict=True):
        table.add_row(Text(name), *map(str, counts))
    return table


def mistakes_table(evaluation: ClassificationEvaluation) -> Table:
    """The most frequent mistakes, where a matrix would not fit."""
    mistakes = evaluation.mistakes()
    table = Table(title="the most frequent mistakes", title_justify="left")
    for heading in ("is", "taken for"):
        table.add_column(heading)
    table.add_column("times", justify="right")
    for name, other, count in mistakes[:MOST_MISTAKES]:
        table.add_row(Text(name), Text(other), str(count))
    return table
