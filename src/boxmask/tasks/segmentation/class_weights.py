"""Class weights of the loss."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def balanced_weights(pixels: NDArray[np.int64]) -> tuple[float, ...]:
    """Median frequency balancing: pixels per class (K,) -> weights (K,), the median count over each count.

    Classes without pixels have weight 1. Eigen and Fergus 2015 (arXiv:1411.4734), section 6.3.
    """
    present = pixels > 0
    weights = np.ones(len(pixels))
    if present.any():
        weights[present] = np.median(pixels[present]) / pixels[present]
    return tuple(weights.round(4).tolist())
