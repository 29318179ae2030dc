"""How sure a model must be of a class to contradict a label.

As in Confident Learning (Northcutt, Jiang and Chuang 2021, arXiv:1911.00068, section 3.1), the threshold of a
class is the model's mean score of this class over the objects that are labeled with it. So a model whose
scores are low accuses labels like one whose scores are high, and a class that the model finds easily does not
crowd out the others.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

MIN_EXAMPLES = 5
"""The mean of fewer objects is a matter of chance. Such a class accuses no label."""


class ClassMeans:
    """The mean of a quantity over the objects of each of K classes of a model."""

    def __init__(self, num_classes: int) -> None:
        self._counts: Int[np.ndarray, " K"] = np.zeros(num_classes, dtype=np.int64)
        self._sums: Float[np.ndarray, " K"] = np.zeros(num_classes)

    def add(self, label: int, value: float) -> None:
        """Add the value of one object."""
        self._counts[label] += 1
        self._sums[label] += value

    def values(self) -> Float[np.ndarray, " K"]:
        """The means; infinite for a class with few objects."""
        means = self._sums / np.maximum(self._counts, 1)
        return np.where(self._counts >= MIN_EXAMPLES, means, np.inf)
