"""The calibration of SVM margins as probabilities.

Platt 1999, "Probabilistic outputs for support vector machines", section 2.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float


class Calibration(NamedTuple):
    """scores = sigmoid(slope * margins + offset); slope > 0, so that scores rank as margins do."""

    slope: float = 1.0
    offset: float = 0.0
    note: str = ""  # why the calibration is the identity, if it is


def calibrate(margins: Float[np.ndarray, " M"], is_object: Bool[np.ndarray, " M"]) -> Calibration:
    """Fit the sigmoid that turns one class's margins into the probabilities that a region is an object.

    The targets are softened as in the paper, which keeps the slope finite where a threshold separates objects
    from the rest.
    """
    from sklearn.linear_model import LogisticRegression  # takes half a second, and only R-CNN needs it

    num_objects, num_others = int(is_object.sum()), int((~is_object).sum())
    if not num_objects or not num_others or np.ptp(margins) == 0:
        return Calibration(note="scores are not calibrated: no objects, no background, or equal margins")
    target = np.where(is_object, (num_objects + 1) / (num_objects + 2), 1 / (num_others + 2))
    # Each margin is given once as an object and once as none, weighted by its target. The solver is Newton's
    # method: with few objects among many regions, gradients are so small that lbfgs stops too early.
    solver = LogisticRegression(C=np.inf, solver="newton-cholesky", tol=1e-8)
    margins_twice = np.tile(margins.astype(np.float64), 2)[:, None]
    solver.fit(
        margins_twice,
        np.repeat([1, 0], len(margins)),
        sample_weight=np.concatenate([target, 1 - target]),
    )
    slope, offset = float(solver.coef_[0, 0]), float(solver.intercept_[0])
    if slope <= 0:
        return Calibration(
            note="scores are not calibrated: the margins of objects are not higher than those of background"
        )
    return Calibration(slope, offset)
