"""The suspicions about all photos, in little memory."""

from __future__ import annotations

import numpy as np
from jaxtyping import Shaped

MAX_KEPT = 100_000
"""Suspicions of one kind that are kept, those with the highest scores, so that memory stays bounded (9 MB).
Those with low scores accuse nothing, unless this many labels are wrong."""

NO_OBJECT = -1
"""In place of the row of an object."""

NO_BOX = (np.nan,) * 4
"""In place of the box of a detection: it is about the whole photo."""

SUSPICION = np.dtype(
    [
        ("photo", np.int64),
        ("row", np.int64),
        ("label", np.int64),
        ("score", np.float64),
        ("own_label", np.int64),
        ("own_score", np.float64),
        ("iou", np.float64),
        ("box", np.float64, 4),
    ]
)
"""A detection that contradicts the labels.

photo:     index into the photos of the labels
row:       of the labeled object; NO_OBJECT if there is none at this place
label:     of the model
score:     of the detection
own_label: the model's label of the class that the object is labeled with
own_score: the model's score of this class at the place of the object
iou:       of the detection and the labeled object
box:       of the detection, in pixels, or NO_BOX
"""


class Suspicions:
    """Suspicions of one kind."""

    def __init__(self, max_kept: int = MAX_KEPT) -> None:
        self._max_kept = max_kept
        self._rows: list[tuple[object, ...]] = []
        self._kept = np.zeros(0, dtype=SUSPICION)

    def add(self, suspicion: tuple[object, ...]) -> None:
        """Add the fields of a `SUSPICION`, in their order."""
        self._rows.append(suspicion)
        if len(self._rows) > self._max_kept // 10:  # tuples take much more memory than rows of an array
            kept = self.all()
            self._kept = kept[np.argsort(-kept["score"], kind="stable")[: self._max_kept]]
            self._rows = []

    def all(self) -> Shaped[np.ndarray, " S"]:
        """The suspicions that are kept."""
        return np.concatenate([self._kept, np.array(self._rows, dtype=SUSPICION)])
