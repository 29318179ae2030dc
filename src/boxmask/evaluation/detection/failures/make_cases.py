"""Examples of errors: detections and objects, with what each says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Int

from boxmask.data.detection.dataset import DetectionDataset
from boxmask.evaluation.detection.arrays import photo_of_objects
from boxmask.evaluation.detection.failures.matches import NONE, Matches
from boxmask.evaluation.failures.cases import Box, Case


class CaseMaker:
    """Makes cases of detections and objects.

    rows: of the objects of `dataset` in the data set that the user holds, with all of its classes
    detection_indices: of the detections of each photo, in the same way
    """

    def __init__(
        self,
        dataset: DetectionDataset,
        matches: Matches,
        rows: Int[np.ndarray, " N"],
        detection_indices: Sequence[Int[np.ndarray, " D"]],
    ) -> None:
        self._dataset, self._matches, self._rows = dataset, matches, rows
        self._detection_indices = detection_indices
        self._photo_of = photo_of_objects(dataset)

    def detection(self, detection: int, row: int = NONE, iou: float | None = None) -> Case:
        """A detection, and the object that it finds or overlaps, if any."""
        matches, photo = self._matches, int(self._matches.photos[detection])
        labeled = {} if row == NONE else self._object(row)
        return Case(
            photo=photo,
            predicted=self._dataset.class_names[int(matches.labels[detection])],
            score=float(matches.scores[detection]),
            iou=None if row == NONE else iou,
            found_box=to_box(matches.boxes[detection]),
            detection=int(self._detection_indices[photo][matches.indices[detection]]),
            **labeled,
        )

    def missed(self, row: int) -> Case:
        """An object that no detection finds."""
        return Case(photo=int(self._photo_of[row]), **self._object(row))

    def _object(self, row: int) -> dict[str, Any]:
        return {
            "labeled": self._dataset.class_names[int(self._dataset.labels[row])],
            "labeled_box": to_box(self._dataset.boxes[row]),
            "row": int(self._rows[row]),
        }


def to_box(edges: np.ndarray) -> Box:
    """x1, y1, x2, y2 as floats."""
    x1, y1, x2, y2 = edges.tolist()
    return x1, y1, x2, y2
