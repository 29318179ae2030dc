"""The confusion matrix of all tasks."""

from __future__ import annotations

import numpy as np

from boxmask.evaluation.failures.cases import Case
from boxmask.evaluation.failures.confusion import ConfusionMatrix


def test_a_class_called_background_is_told_from_the_background() -> None:
    counts = np.array([[3, 1], [2, 0]])
    cases = {(0, 1): [Case(0, "background")], (1, 0): [Case(1, None, "background", 0.9)]}
    matrix = ConfusionMatrix(("background",), counts, "objects", cases)
    assert matrix.row_names == ("background", "(background)")
    assert matrix.cell("background", "(background)") == cases[0, 1]
    assert matrix.cell("(background)", "background") == cases[1, 0]
    assert ConfusionMatrix(("cat",), counts, "objects", {}).row_names == ("cat", "background")
