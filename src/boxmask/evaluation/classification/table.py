"""Tables of a classifier's metrics for the terminal."""

from __future__ import annotations

from rich.console import Group
from rich.table import Table
from rich.text import Text

from boxmask.evaluation.classification.evaluate import ClassificationEvaluation, count_text
from boxmask.evaluation.classification.wilson import CONFIDENCE
from boxmask.evaluation.format import format_fraction, format_interval
from boxmask.evaluation.mark import mark_lines

MAX_CLASSES = 8  # the largest confusion matrix that fits a terminal
MAX_MISTAKES = 10  # shown instead of a larger matrix


def classification_table(evaluation: ClassificationEvaluation) -> Group:
    """The overall metrics, one row per class, the mistakes, and the notes. Fractions, as in the JSON."""
    matrix_fits = len(evaluation.class_names) <= MAX_CLASSES
    mistakes = confusion_table(evaluation) if matrix_fits else mistakes_table(evaluation)
    notes = [Text(note, style="yellow") for note in evaluation.notes]
    return Group(
        *mark_lines(evaluation.seen), overall_table(evaluation), class_table(evaluation), mistakes, *notes
    )


def overall_table(evaluation: ClassificationEvaluation) -> Table:
    """Accuracy with its interval, and the mean over classes."""
    table = Table(title=count_text(evaluation), title_justify="left")
    table.add_column("over all classes")
    table.add_column("metric", justify="right")
    has_interval = evaluation.accuracy_interval is not None
    table.add_column(f"{CONFIDENCE:.0%} interval" if has_interval else "interval", justify="right")
    for title, name in (("accuracy", "accuracy"), ("mean accuracy over classes", "mean_accuracy")):
        table.add_row(title, format_fraction(evaluation[name]), format_interval(evaluation.interval(name)))
    return table


def class_table(evaluation: ClassificationEvaluation) -> Table:
    """One row per class."""
    table = Table()
    table.add_column("class")
    for heading in ("images", "recall", "precision"):
        table.add_column(heading, justify="right")
    for name, metrics in evaluation.per_class.items():
        fractions = (metrics.recall, metrics.precision)
        table.add_row(Text(name), str(metrics.images), *map(format_fraction, fractions))
    return table


def confusion_table(evaluation: ClassificationEvaluation) -> Table:
    """One row per true class, one column per predicted class."""
    table = Table(title="rows: true class\ncolumns: predicted class", title_justify="left")
    table.add_column("")
    for name in evaluation.class_names:
        table.add_column(Text(name), justify="right")
    for name, counts in zip(evaluation.class_names, evaluation.confusion.tolist(), strict=True):
        table.add_row(Text(name), *map(str, counts))
    return table


def mistakes_table(evaluation: ClassificationEvaluation) -> Table:
    """The most frequent mistakes, for more classes than fit a matrix."""
    table = Table(title="most frequent mistakes", title_justify="left")
    for heading in ("true class", "predicted class"):
        table.add_column(heading)
    table.add_column("count", justify="right")
    for true_class, predicted_class, count in evaluation.mistakes()[:MAX_MISTAKES]:
        table.add_row(Text(true_class), Text(predicted_class), str(count))
    return table
