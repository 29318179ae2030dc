"""Boundary IoU: how well the rims of the classes fit, where IoU mostly sees how well their insides do.

Cheng et al. 2021, "Boundary IoU: Improving Object-Centric Image Segmentation Evaluation" (arXiv:2103.16562),
section 4: the IoU of those pixels of label and prediction that lie within a distance d of their own contour.
The edge of the photo is a contour, as in the authors' code; distances are those of a square, as there.

Where this differs: pixels of which nothing is said count on neither side, and the border to them is no
contour.
"""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Bool, Float, Int, UInt8
from scipy.ndimage import maximum_filter1d, minimum_filter1d

from boxmask.masks import Size
from boxmask.types import IGNORED

RATIO = 0.02  # d in parts of the photo's diagonal; the paper's section 5, for large objects

Labels = UInt8[np.ndarray, "H W"]


def boundary_iou(
    truth: Labels, predicted: Labels, num_classes: int, ratio: float = RATIO
) -> Float[np.ndarray, " K"]:
    """Of each class in one photo, (H, W), (H, W) -> (K,); NaN where neither has the class."""
    shared, either = boundary_counts(truth, predicted, num_classes, ratio)
    figures = np.full(num_classes, np.nan)
    np.divide(shared, either, out=figures, where=either > 0)
    return figures


def boundary_counts(
    truth: Labels, predicted: Labels, num_classes: int, ratio: float = RATIO
) -> tuple[Int[np.ndarray, " K"], Int[np.ndarray, " K"]]:
    """Pixels in both rims of each class and in either of them, to be summed over photos."""
    distance = boundary_distance((int(truth.shape[0]), int(truth.shape[1])), ratio)
    seen = np.where(truth == IGNORED, IGNORED, predicted).astype(np.uint8)
    rim, other_rim = near_contour(truth, distance), near_contour(seen, distance)
    shared = _per_class(truth[rim & other_rim & (truth == seen)], num_classes)
    either = _per_class(truth[rim], num_classes) + _per_class(seen[other_rim], num_classes) - shared
    return shared, either


def boundary_distance(size: Size, ratio: float = RATIO) -> int:
    """d in pixels, at least one."""
    return max(1, round(ratio * math.hypot(*size)))


def near_contour(labels: Labels, distance: int) -> Bool[np.ndarray, "H W"]:
    """Whether a pixel lies within `distance` of its class's contour, or of the photo's edge.

    All classes at once: where a square around a pixel holds a second class, lowest and highest label differ.
    """
    lowest, highest = labels, np.where(labels == IGNORED, 0, labels).astype(np.uint8)
    for axis in (0, 1):
        lowest = minimum_filter1d(lowest, 2 * distance + 1, axis=axis, mode="nearest")
        highest = maximum_filter1d(highest, 2 * distance + 1, axis=axis, mode="nearest")
    near = lowest != highest
    near[:distance] = near[-distance:] = True
    near[:, :distance] = near[:, -distance:] = True
    near[labels == IGNORED] = False
    return np.asarray(near)


def _per_class(labels: UInt8[np.ndarray, " N"], num_classes: int) -> Int[np.ndarray, " K"]:
    return np.bincount(labels, minlength=IGNORED + 1)[:num_classes].astype(np.int64)
