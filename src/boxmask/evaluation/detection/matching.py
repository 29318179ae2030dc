"""COCO's greedy matching where the overlaps are our own: one photo, one class, all IoU thresholds at once.

Lin et al. 2014 (cocodataset.org, "Detection Evaluation"), in the form of pycocotools: detections, best first,
each take the object that they overlap most and that is still free; objects that do not count are looked at
only where none that counts is reached, and a crowd region stays free for others.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float
from numpy.typing import NDArray

IOUS = np.linspace(0.5, 0.95, 10)  # COCO's
MOST = 100  # detections of a photo and class that are looked at


def match(
    overlaps: Float[np.ndarray, "D N"],
    crowd: Bool[np.ndarray, " N"],
    left_out: Bool[np.ndarray, " N"],
) -> tuple[Bool[np.ndarray, "T D"], Bool[np.ndarray, "T D"]]:
    """What the detections, best first, are at each IoU: right, and judged at all.

    overlaps: IoU with each object; with a crowd region, the share of the detection that lies in it
    left_out: objects that do not count; all crowd regions among them
    """
    detections, objects = overlaps.shape
    right, judged = np.zeros((2, len(IOUS), detections), dtype=np.bool_)
    judged[:] = True
    free = np.ones((len(IOUS), objects), dtype=np.bool_)
    for d in range(detections):
        reached = free & (overlaps[d] >= IOUS[:, None])
        for counts, group in ((True, ~left_out), (False, left_out)):
            open_still = ~right[:, d] & (reached & group).any(axis=1)
            at = np.flatnonzero(open_still)
            if len(at):
                taken = _last_best(np.where(reached[at] & group, overlaps[d], -1.0))
                free[at, taken] = crowd[taken]
                (right if counts else judged)[at, d] = counts
    return right, judged


def _last_best(overlaps: Float[np.ndarray, "T N"]) -> NDArray[np.int64]:
    """The best object of each row, the last of several equal ones, as pycocotools has it."""
    backwards = overlaps[:, ::-1].argmax(axis=1)
    return np.asarray(overlaps.shape[1] - 1 - backwards, dtype=np.int64)
