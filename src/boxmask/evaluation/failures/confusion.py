"""The confusion matrix: labeled classes against predicted ones. Its cells know what they count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Int, Shaped

from boxmask.evaluation.failures.cases import Case

BACKGROUND = "background"
"""Instead of a class: no object is labeled, or none was found."""

MAX_WRITTEN = 20
"""Cases of one cell that `to_dict` holds."""


@dataclass(frozen=True, eq=False)
class ConfusionMatrix:
    """Labeled classes (rows) against predicted ones (columns).

    class_names: K names
    counts:      (R, C) objects, pixels or photos. For detectors, R = C = K + 1: the last row counts
                 detections where no object is labeled, the last column objects that were not found. For
                 segmenters, C may be K + 1: the last column counts pixels predicted as any other class.
    unit:        what `counts` counts: "objects", "pixels" or "photos"
    cases:       by (row, column), those with the highest scores or the most pixels first; long lists are cut
    extra_name:  of the row or column after those of the classes; in parentheses if a class has this name
    """

    class_names: tuple[str, ...]
    counts: Int[np.ndarray, "R C"]
    unit: str
    cases: Mapping[tuple[int, int], Sequence[Case]]
    extra_name: str = BACKGROUND

    @property
    def row_names(self) -> tuple[str, ...]:
        """The labeled classes, and `extra_name` if there is a row for it."""
        return self._names(self.counts.shape[0])

    @property
    def column_names(self) -> tuple[str, ...]:
        """The predicted classes, and `extra_name` if there is a column for it."""
        return self._names(self.counts.shape[1])

    def cell(self, labeled: str, predicted: str) -> Sequence[Case]:
        """The cases of one cell. Raises ValueError for an unknown name."""
        return self.cases.get((self.row_names.index(labeled), self.column_names.index(predicted)), ())

    def to_dict(self, files: Shaped[np.ndarray, " P"]) -> dict[str, Any]:
        """Names, counts, and a few cases of each cell outside the diagonal, with their files."""
        cells = [
            {
                "labeled": self.row_names[row],
                "predicted": self.column_names[column],
                "cases": [case.to_dict(files) for case in cases[:MAX_WRITTEN]],
            }
            for (row, column), cases in sorted(self.cases.items())
            if row != column
        ]
        names = {"rows": list(self.row_names), "columns": list(self.column_names)}
        return {**names, "unit": self.unit, "counts": self.counts.tolist(), "cells": cells}

    def _names(self, length: int) -> tuple[str, ...]:
        if length == len(self.class_names):
            return self.class_names
        extra = self.extra_name
        while extra in self.class_names:  # a class of the user's is called so
            extra = f"({extra})"
        return *self.class_names, extra
