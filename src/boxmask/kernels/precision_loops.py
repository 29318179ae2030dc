"""The loop of average precision on resampled photos, equal to the reference in `tests/kernels`.

A resample gives each photo a weight: how often it was drawn. Detections are sorted and matched once; a
resample only changes their weights. Precision at a detection is the weight of the correct detections so far,
divided by the weight of all that count.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from boxmask.kernels.compiled import compiled

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
SmallInts = NDArray[np.int32]
Bits = NDArray[np.bool_]


@compiled
def resampled_precision(
    photos: SmallInts,
    hits: SmallInts,
    ends: Ints,
    counted: Bits,
    objects: Ints,
    weights: SmallInts,
    recalls: Floats,
    ap: Floats,
) -> None:
    """Fill `ap` (B, T) with the AP of one class per resample and IoU. NaN without objects in the resample.

    photos:  (D,) the photo of each detection, highest score first
    hits:    the places of the correct detections among the D, for one IoU after another
    ends:    (T,) where the hits of each IoU end
    counted: (T, D) detections that count
    objects: (P,) number of objects per photo
    weights: (B, P)
    recalls: at which the highest precision at that recall or more is averaged
    """
    seen, best = np.empty(len(photos), np.int64), np.empty(len(recalls))
    for b in range(len(weights)):
        total = 0
        for p in range(len(objects)):
            total += weights[b, p] * objects[p]
        if total == 0:
            ap[b] = np.nan
            continue
        start = 0
        for t in range(len(ends)):
            if t == 0 or not np.array_equal(counted[t], counted[t - 1]):
                _add_up(photos, counted[t], weights[b], seen)
            ap[b, t] = _area(photos, hits[start : ends[t]], weights[b], seen, total, recalls, best)
            start = ends[t]


@compiled
def _add_up(photos: SmallInts, counted: Bits, weight: SmallInts, seen: Ints) -> None:
    """Fill `seen` (D,) with the weight of the detections that count, up to and including each."""
    so_far = 0
    for d in range(len(photos)):
        if counted[d]:
            so_far += weight[photos[d]]
        seen[d] = so_far


@compiled
def _area(
    photos: SmallInts,
    hits: SmallInts,
    weight: SmallInts,
    seen: Ints,
    total: int,
    recalls: Floats,
    best: Floats,
) -> float:
    """Return the mean, over the recalls, of the highest precision at that recall or more."""
    best[:] = 0.0
    correct, reached = 0, 0
    for d in hits:
        w = weight[photos[d]]
        if w == 0:
            continue
        correct += w
        recall = correct / total
        while reached < len(recalls) and recall >= recalls[reached]:
            reached += 1
        best[reached - 1] = max(best[reached - 1], correct / seen[d])
    highest, area = 0.0, 0.0
    for r in range(len(recalls) - 1, -1, -1):
        highest = max(highest, best[r])
        area += highest
    return area / len(recalls)
