"""Compare the label maps and class scores of a file with those of its model."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, UInt8

from boxmask.exporting.parity.differences import Differences
from boxmask.types import Classification, SegmentationMap

MAX_PIXELS = 0.001  # of a label map: where two classes have the same logit but for rounding


def compare_label_maps(expected: SegmentationMap, found: UInt8[np.ndarray, "H W"]) -> Differences:
    """The share of pixels whose class differs; in tiny photos, a single one does not count."""
    differing = int((np.asarray(expected.labels) != found).sum())
    return Differences(compared=1, pixels=differing / found.size if differing > 1 else 0.0)


def compare_scores(expected: Classification, found: Float[np.ndarray, " K"]) -> Differences:
    """The largest difference of a score."""
    return Differences(compared=1, score=float(np.abs(np.asarray(expected.scores) - found).max()))
