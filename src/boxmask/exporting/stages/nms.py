"""Non-maximum suppression in the graph: one operator for all photos and classes, and the best boxes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from boxmask.exporting.values import Value

NO_BOX = np.float32(-1)  # the score in place of a box that does not count


class Kept(NamedTuple):
    """What NMS kept of each photo, highest score first, in B rows of equal length.

    scores:     (B, n), or NO_BOX beyond the last
    candidates: (B, n) position among the photo's candidates: class * N + row
    """

    scores: Value
    candidates: Value

    def rows(self) -> tuple[Value, Value]:
        """The photo and the place in its row of each kept box, (M,) and (M,), photo by photo."""
        photo, place = self.scores.graph.nonzero(self.scores > -0.5, 2)
        return photo, place


def keep_best_of_class(boxes: Value, scores: Value, nms_iou: float, limit: int) -> Kept:
    """NMS per class, each with boxes of its own, then the best ones of each photo.

    boxes: (B, C, N, 4); scores: (B, C, N), or NO_BOX for candidates that do not count
    """
    photos, classes, rows = (scores.dim(axis) for axis in range(3))
    boxes = boxes.reshape(photos * classes, rows, 4)
    kept = suppress(boxes, scores.reshape(photos * classes, 1, rows), nms_iou, limit)
    return best(kept.reshape(photos, classes * rows), limit)


def keep_best_of_shared(boxes: Value, scores: Value, nms_iou: float, limit: int) -> Kept:
    """NMS per class, all with the same boxes, then the best ones of each photo.

    boxes: (B, N, 4); scores: (B, C, N), or NO_BOX for candidates that do not count
    """
    kept = suppress(boxes, scores, nms_iou, limit)
    return best(kept.reshape(scores.dim(0), scores.dim(1) * scores.dim(2)), limit)


def suppress(boxes: Value, scores: Value, nms_iou: float, limit: int) -> Value:
    """NMS: boxes (G, N, 4), scores (G, C, N) -> the scores, NO_BOX where a box was dropped."""
    graph = scores.graph
    limits = (np.array([limit]), np.array([round_down(nms_iou)]), np.array([-0.5], dtype=np.float32))
    selected = graph.op("NonMaxSuppression", boxes, scores, *limits)
    nothing = graph.full(NO_BOX, scores.dim(0), scores.dim(1), scores.dim(2))
    return graph.op("ScatterND", nothing, selected, graph.op("GatherND", scores, selected))


def best(scores: Value, limit: int) -> Kept:
    """The highest of each photo's scores (B, N)."""
    return Kept(*scores.graph.top_k(scores, scores.graph.value(limit)))


def round_down(threshold: float) -> np.float32:
    """The largest float32 that is not above the threshold, as in `boxmask.kernels.nms`."""
    near = np.float32(threshold)
    return near if float(near) <= threshold else np.nextafter(near, np.float32(-np.inf))
