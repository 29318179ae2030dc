"""Class weights of the loss."""

from __future__ import annotations

import numpy as np
from jaxtyping import Int


def balanced_weights(pixels: Int[np.ndarray, "P K"]) -> tuple[float, ...]:
    """Median frequency balancing: labeled pixels of each photo and class (P, K) -> weights (K,).

    Eigen and Fergus 2015 (arXiv:1411.4734), section 6.3:

        frequency(c) = pixels of c / all labeled pixels of the photos that show c
        weight(c) = median of the frequencies / frequency(c)

    Classes without pixels have weight 1 and do not count towards the median.
    """
    of_class = pixels.sum(axis=0)
    in_photos_with_class = (pixels > 0).T @ pixels.sum(axis=1)
    present = of_class > 0
    frequency = of_class[present] / in_photos_with_class[present]
    weights = np.ones(len(of_class))
    weights[present] = np.median(frequency) / frequency if present.any() else 1.0
    return tuple(weights.tolist())
