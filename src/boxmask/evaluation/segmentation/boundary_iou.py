"""Boundary IoU: how well the contours of classes fit, where plain IoU mostly measures their interior.

Cheng et al. 2021, "Boundary IoU: Improving Object-Centric Image Segmentation Evaluation" (arXiv:2103.16562),
section 4: the IoU of those pixels of label and prediction that lie within a distance d of their own contour.
As in the authors' code, the edge of the photo is a contour, and distances are Chebyshev distances.

Difference: ignored pixels count on neither side, and the border to them is no contour.
"""

from __future__ import annotations

import math

import numpy as np
import scipy
from jaxtyping import Bool, Float, Int, UInt8

from boxmask.masks import Size
from boxmask.types import IGNORED

RATIO = 0.02  # distance as a fraction of the photo's diagonal; section 5, for large objects

Labels = UInt8[np.ndarray, "H W"]


def boundary_iou(
    truth: Labels, predicted: Labels, num_classes: int, ratio: float = RATIO
) -> Float[np.ndarray, " K"]:
    """Boundary IoU of each class in one photo: (H, W), (H, W) -> (K,). NaN if neither map has the class."""
    intersection, union = boundary_counts(truth, predicted, num_classes, ratio)
    metrics = np.full(num_classes, np.nan)
    np.divide(intersection, union, out=metrics, where=union > 0)
    return metrics


def boundary_counts(
    truth: Labels, predicted: Labels, num_classes: int, ratio: float = RATIO
) -> tuple[Int[np.ndarray, " K"], Int[np.ndarray, " K"]]:
    """Intersection and union of the two boundaries of each class, in pixels, to be summed over photos."""
    distance = boundary_distance((int(truth.shape[0]), int(truth.shape[1])), ratio)
    evaluated = np.where(truth == IGNORED, IGNORED, predicted).astype(np.uint8)
    in_truth, in_predicted = near_contour(truth, distance), near_contour(evaluated, distance)
    intersection = _count_per_class(truth[in_truth & in_predicted & (truth == evaluated)], num_classes)
    both = _count_per_class(truth[in_truth], num_classes)
    both += _count_per_class(evaluated[in_predicted], num_classes)
    return intersection, both - intersection


def boundary_distance(size: Size, ratio: float = RATIO) -> int:
    """d in pixels, at least 1."""
    return max(1, round(ratio * math.hypot(*size)))


def near_contour(labels: Labels, distance: int) -> Bool[np.ndarray, "H W"]:
    """Whether each pixel lies within `distance` of the contour of its class, or of the photo's edge.

    All classes at once: the lowest and highest label in the square around a pixel differ if it holds a second
    class.
    """
    lowest, highest = labels, np.where(labels == IGNORED, 0, labels).astype(np.uint8)
    for axis in (0, 1):
        lowest = scipy.ndimage.minimum_filter1d(lowest, 2 * distance + 1, axis=axis, mode="nearest")
        highest = scipy.ndimage.maximum_filter1d(highest, 2 * distance + 1, axis=axis, mode="nearest")
    near = lowest != highest
    near[:distance] = near[-distance:] = True
    near[:, :distance] = near[:, -distance:] = True
    near[labels == IGNORED] = False
    return np.asarray(near)


def _count_per_class(labels: UInt8[np.ndarray, " N"], num_classes: int) -> Int[np.ndarray, " K"]:
    return np.bincount(labels, minlength=IGNORED + 1)[:num_classes].astype(np.int64)
