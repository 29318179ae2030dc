"""Tables of what failed for the terminal."""

from __future__ import annotations

import numpy as np
from rich.table import Table
from rich.text import Text

from boxmask.evaluation.failures.confusion import ConfusionMatrix
from boxmask.evaluation.failures.contract import FailureAnalysis

SHOWN = 10  # confusions and photos


def confusion_table(confusion: ConfusionMatrix) -> Table:
    """The most frequent confusions, one per row."""
    table = Table(title="most frequent confusions", title_justify="left")
    table.add_column("labeled")
    table.add_column("predicted")
    table.add_column(confusion.unit, justify="right")
    wrong = confusion.counts.copy()
    np.fill_diagonal(wrong, 0)
    most = np.argsort(-wrong, axis=None, kind="stable")[:SHOWN]
    for row, column in zip(*np.unravel_index(most, wrong.shape), strict=True):
        if wrong[row, column]:
            names = Text(confusion.row_names[row]), Text(confusion.column_names[column])
            table.add_row(*names, f"{wrong[row, column]:,}")
    return table


def photo_table(failures: FailureAnalysis) -> Table:
    """The photos to look at first, one per row."""
    table = Table(title="photos to look at first", title_justify="left")
    table.add_column("photo")
    table.add_column("labels and model")
    for photo in failures.photos[:SHOWN]:
        if photo.disagreement or photo.suspicion:
            table.add_row(Text(photo.file), Text(photo.description))
    return table
