"""Non-maximum suppression in the graph: one operator for all photos and classes, and the best boxes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from boxmask.exporting.values import Value

NO_BOX = np.float32(-1)  # the score in place of a box that does not count


class Kept(NamedTuple):
    """What NMS kept of each photo, highest score first, in B rows of equal length.

    scores:     (B, n), or NO_BOX beyond the last
    candidates: (B, n) position among the photo's candidates
    """

    scores: Value
    candidates: Value

    def rows(self) -> tuple[Value, Value]:
        """The photo and the place in its row of each kept box, (M,) and (M,), photo by photo."""
        photo, place = self.scores.graph.nonzero(self.scores > -0.5, 2)
        return photo, place


def keep_best(boxes: Value, scores: Value, nms_iou: float, limit: int) -> Kept:
    """NMS among the candidates of each class, then the best ones of each photo.

    boxes:  (B, C, N, 4), or (B, 1, N, 4) if all classes share them
    scores: (B, C, N), or NO_BOX for candidates that do not count
    The index of a candidate counts all of the photo's: class * N + row.
    """
    graph = scores.graph
    photos, classes, rows = (scores.dim(axis) for axis in range(3))
    flat = scores.reshape(photos * classes, 1, rows)
    selected = graph.op(
        "NonMaxSuppression",
        boxes.expand(photos, classes, rows, 4).reshape(photos * classes, rows, 4),
        flat,
        np.array([limit]),
        np.array([round_down(nms_iou)]),
        np.array([-0.5], dtype=np.float32),
    )
    kept = graph.full(NO_BOX, photos * classes, 1, rows)
    kept = graph.op("ScatterND", kept, selected, graph.op("GatherND", flat, selected))
    return Kept(*graph.top_k(kept.reshape(photos, classes * rows), graph.value(limit)))


def round_down(threshold: float) -> np.float32:
    """The largest float32 that is not above the threshold, as in `boxmask.kernels.nms`."""
    near = np.float32(threshold)
    return near if float(near) <= threshold else np.nextafter(near, np.float32(-np.inf))
