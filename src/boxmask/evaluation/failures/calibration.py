"""How well scores tell how often they are right.

Niculescu-Mizil and Caruana, "Predicting Good Probabilities with Supervised Learning", ICML 2005 (the
reliability curve); Naeini, Cooper and Hauskrecht, "Obtaining Well Calibrated Probabilities Using Bayesian
Binning", AAAI 2015 (the expected calibration error). The bins are hotcoco's.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from hotcoco.metrics import calibration_curve, calibration_error
from jaxtyping import Bool, Float

NUM_BINS = 10


@dataclass(frozen=True, slots=True)
class ScoreBin:
    """The predictions whose scores lie from `low` to `high`.

    mean_score:    of these predictions
    share_correct: how many of them are right; the same as `mean_score` if the scores are honest
    count:         number of predictions
    """

    low: float
    high: float
    mean_score: float
    share_correct: float
    count: int


@dataclass(frozen=True, slots=True)
class Calibration:
    """How well scores tell how often they are right.

    bins: the reliability curve: bins of equal width that hold predictions
    ECE:  expected calibration error: the mean of |share correct − mean score| over all predictions
    MCE:  maximum calibration error: the largest such difference of any bin
    """

    bins: tuple[ScoreBin, ...]
    ECE: float
    MCE: float

    def to_dict(self) -> dict[str, Any]:
        """The same as plain numbers."""
        return asdict(self) | {"bins": [asdict(score_bin) for score_bin in self.bins]}


def calibrate(scores: Float[np.ndarray, " M"], correct: Bool[np.ndarray, " M"]) -> Calibration | None:
    """The calibration of M scores in 0..1, of which some are correct. None without any."""
    if not len(scores):
        return None
    bins = tuple(
        ScoreBin(
            each["bin_lower"], each["bin_upper"], each["avg_confidence"], each["avg_accuracy"], each["count"]
        )
        for each in calibration_curve(scores, correct, NUM_BINS)
        if each["count"]
    )
    expected, maximum = calibration_error(scores, correct, NUM_BINS)
    return Calibration(bins, expected, maximum)
