"""COCO's greedy matching for custom overlaps: one photo, one class, all IoU thresholds at once.

Lin et al. 2014 (cocodataset.org, "Detection Evaluation"), as in pycocotools. Detections, highest score first,
each take the free object that they overlap most. Ignored objects are considered only if no other object
reaches the threshold. A crowd region can be taken any number of times.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Int

IOUS = np.linspace(0.5, 0.95, 10)  # as in COCO
RECALLS = np.linspace(0.0, 1.0, 101)  # as in COCO
MAX_DETECTIONS = 100  # per photo and class


def match(
    overlaps: Float[np.ndarray, "D N"],
    crowd: Bool[np.ndarray, " N"],
    ignored: Bool[np.ndarray, " N"],
) -> tuple[Bool[np.ndarray, "T D"], Bool[np.ndarray, "T D"]]:
    """Whether each detection, highest score first, is correct at each IoU, and whether it counts at all.

    overlaps: IoU with each object; for a crowd region, the share of the detection inside it
    ignored:  objects that do not count, which include all crowd regions
    """
    num_detections, num_objects = overlaps.shape
    correct = np.zeros((len(IOUS), num_detections), dtype=np.bool_)
    counted = np.ones((len(IOUS), num_detections), dtype=np.bool_)
    free = np.ones((len(IOUS), num_objects), dtype=np.bool_)
    for d in range(num_detections):
        reached = free & (overlaps[d] >= IOUS[:, None])
        for group_counts, group in ((True, ~ignored), (False, ignored)):
            can_match = ~correct[:, d] & (reached & group).any(axis=1)
            at = np.flatnonzero(can_match)
            if len(at):
                taken = _last_argmax(np.where(reached[at] & group, overlaps[d], -1.0))
                free[at, taken] = crowd[taken]
                (correct if group_counts else counted)[at, d] = group_counts
    return correct, counted


def _last_argmax(overlaps: Float[np.ndarray, "T N"]) -> Int[np.ndarray, " T"]:
    """The column of the maximum of each row; the last of several equal ones, as in pycocotools."""
    from_the_end = overlaps[:, ::-1].argmax(axis=1)
    return np.asarray(overlaps.shape[1] - 1 - from_the_end, dtype=np.int64)
