"""Which anchor, point or proposal each detection came from."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

from boxmask.types import Detections

SAME_SCORE = 1e-5  # the scores of a detection and its origin differ by rounding alone


def find_origins(
    detections: Detections, scores: Float[np.ndarray, "N K"], boxes: Float[np.ndarray, "N K 4"]
) -> Int[np.ndarray, " M"]:
    """The row that each of M detections (before box voting) came from.

    Of the rows with its score, it is that with the nearest box. If none has its score, the box alone decides.
    """
    rows = []
    for box, score, label in zip(detections.boxes, detections.scores, detections.labels, strict=True):
        same = np.flatnonzero(np.abs(scores[:, label] - score) < SAME_SCORE)
        same = same if len(same) else np.arange(len(boxes))
        rows.append(int(same[np.abs(boxes[same, label] - box).sum(axis=1).argmin()]))
    return np.array(rows, dtype=np.int64)
