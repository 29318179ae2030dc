"""The loops that match detections to objects by COCO's and by VOC's rules, photo by photo and class by class.

Detections and objects come in groups of one photo and class. Group g has the detections starts[g] to
starts[g + 1], highest score first, and the objects first[g] to last[g].
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from boxmask.kernels.compiled import compiled

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bits = NDArray[np.bool_]


@compiled
def _overlap(box: Floats, other: Floats, is_crowd: bool) -> float:
    """Return the IoU of two boxes x, y, w, h; for a crowd region, the share of the first box inside it.

    In the order of operations of pycocotools, so that the same IoUs reach a threshold.
    """
    width = min(box[0] + box[2], other[0] + other[2]) - max(box[0], other[0])
    height = min(box[1] + box[3], other[1] + other[3]) - max(box[1], other[1])
    if width <= 0.0 or height <= 0.0:
        return 0.0
    shared, area = width * height, box[2] * box[3]
    result: float = shared / (area if is_crowd else area + other[2] * other[3] - shared)
    return result


@compiled
def _best_object(overlaps: Floats, min_iou: float, free: Bits, chosen: Bits) -> int:
    """Return the free one of the chosen objects that overlaps most, the last of equals; -1 if none does."""
    best, at = min_iou, -1
    for n in range(len(overlaps)):
        if free[n] and chosen[n] and overlaps[n] >= best:
            best, at = overlaps[n], n
    return at


@compiled
def coco_matches(
    boxes: Floats,
    starts: Ints,
    objects: Floats,
    first: Ints,
    last: Ints,
    crowd: Bits,
    ignored: Bits,
    ious: Floats,
    limit: int,
) -> tuple[Bits, Bits]:
    """Return whether each detection is correct at each IoU, and whether it counts at all: (T, M), (T, M).

    boxes, objects: (M, 4), (N, 4) x, y, w, h; crowd, ignored: (N,); ignored includes all crowd regions
    ious:           (T,) ascending
    limit:          of the detections per group; the others neither are correct nor count
    """
    correct = np.zeros((len(ious), len(boxes)), np.bool_)
    counted = np.zeros((len(ious), len(boxes)), np.bool_)
    for g in range(len(first)):
        stop = min(starts[g + 1], starts[g] + limit)
        counted[:, starts[g] : stop] = True
        in_crowd, left_out = crowd[first[g] : last[g]], ignored[first[g] : last[g]]
        to_find, overlaps = ~left_out, np.empty(len(left_out))
        free = np.ones((len(ious), len(left_out)), np.bool_)
        for d in range(starts[g], stop):
            largest = 0.0
            for n in range(len(overlaps)):
                overlaps[n] = _overlap(boxes[d], objects[first[g] + n], in_crowd[n])
                largest = max(largest, overlaps[n])
            for t in range(len(ious)):
                if largest < ious[t]:
                    break
                at = _best_object(overlaps, ious[t], free[t], to_find)
                if at >= 0:
                    correct[t, d] = True
                else:
                    at = _best_object(overlaps, ious[t], free[t], left_out)
                    counted[t, d] = at < 0
                if at >= 0:
                    free[t, at] = in_crowd[at]
    return correct, counted


@compiled
def voc_matches(
    boxes: Floats,
    starts: Ints,
    objects: Floats,
    first: Ints,
    last: Ints,
    crowd: Bits,
    difficult: Bits,
    min_iou: float,
) -> tuple[Bits, Bits]:
    """Return whether each detection is correct, and whether it counts at all: (M,), (M,).

    boxes, objects: (M, 4), (N, 4) x, y, w, h; crowd, difficult: (N,)
    """
    correct, counted = np.zeros(len(boxes), np.bool_), np.ones(len(boxes), np.bool_)
    for g in range(len(first)):
        found = np.zeros(last[g] - first[g], np.bool_)
        for d in range(starts[g], starts[g + 1]):
            best, at = 0.0, -1
            for n in range(first[g], last[g]):
                overlap = _overlap(boxes[d], objects[n], crowd[n])
                if crowd[n]:
                    counted[d] &= overlap < min_iou
                elif overlap > best:
                    best, at = overlap, n
            if best >= min_iou:
                counted[d] = not difficult[at]
                correct[d] = counted[d] and not found[at - first[g]]
                found[at - first[g]] |= counted[d]
    return correct, counted
