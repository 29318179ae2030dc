"""The overlap of boxes, without torch."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float


def paired_ious(boxes: Float[np.ndarray, "M 4"], others: Float[np.ndarray, "M 4"]) -> Float[np.ndarray, " M"]:
    """The IoU of each box with the other one in its row; 0 if one is empty or not finite."""
    sides = np.minimum(boxes[:, 2:], others[:, 2:]) - np.maximum(boxes[:, :2], others[:, :2])
    intersections = np.clip(sides, 0, None).prod(axis=1)
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1) + (others[:, 2:] - others[:, :2]).prod(axis=1)
    unions = areas - intersections
    return np.asarray(np.divide(intersections, unions, out=np.zeros(len(boxes)), where=unions > 0))
