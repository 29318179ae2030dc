"""What a fitted learning curve says about more photos, with intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float

from boxmask.evaluation.contract import Interval
from boxmask.forecasting.fit import CurveFit, fit_curve

CONFIDENCE = 0.95
CHANCE_OF_TWO = 1.3  # the usual difference of two trainings, over the scale of Student's t of each


@dataclass(frozen=True)
class Outlook:
    """What a number of further training photos would bring.

    more:          number of further photos
    photos:        number of training photos in all
    metric:        expected of a training with them
    interval:      of the metric of one such training
    gain:          expected over the present photos, averaged over trainings
    gain_interval: of this average
    """

    more: int
    photos: int
    metric: float
    interval: Interval
    gain: float
    gain_interval: Interval


@dataclass(frozen=True)
class CurveOutlook:
    """The learning curve of one metric: its present value and its outlook.

    now:      the metric with all present photos, averaged over trainings
    interval: of this average
    usual_difference: between two trainings on all present photos
    outlooks: one per number of further photos
    families: the probability of each family of curves
    """

    now: float
    interval: Interval
    usual_difference: float
    outlooks: tuple[Outlook, ...]
    families: dict[str, float]
    fit: CurveFit = field(repr=False, compare=False)

    def band(self, photos: Float[np.ndarray, " N"]) -> Float[np.ndarray, "3 N"]:
        """The lower end for one training, the curve, and the upper end, at each number of photos."""
        low, high = _ends(self.fit.trainings_at(photos))
        return np.stack([low, np.median(self.fit.metric_at(photos), axis=0), high])

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and lists."""
        return {
            "now": self.now,
            "now_interval": list(self.interval),
            "usual_difference": self.usual_difference,
            "forecast": [
                {
                    "more": outlook.more,
                    "photos": outlook.photos,
                    "value": outlook.metric,
                    "interval": list(outlook.interval),
                    "gain": outlook.gain,
                    "gain_interval": list(outlook.gain_interval),
                }
                for outlook in self.outlooks
            ],
            "families": self.families,
        }


def look_ahead(photos: Sequence[int], metric: Sequence[float], more: Sequence[int]) -> CurveOutlook:
    """Fit the learning curve of trainings, and extend it to more photos.

    photos: number of training photos of each training
    metric: its metric, 0..1
    more:   numbers of further photos
    """
    fit = fit_curve(np.array(photos, dtype=np.float64), np.array(metric, dtype=np.float64))
    present = np.array([fit.reference], dtype=np.float64)
    now = fit.metric_at(present)
    return CurveOutlook(
        now=float(np.median(now)),
        interval=_interval(now[:, 0]),
        usual_difference=float(CHANCE_OF_TWO * np.median(fit.spread_at(present))),
        outlooks=tuple(_outlook(fit, number) for number in sorted(set(more))),
        families=fit.family_shares(),
        fit=fit,
    )


def _outlook(fit: CurveFit, more: int) -> Outlook:
    ends = np.array([fit.reference, fit.reference + more], dtype=np.float64)
    curves = fit.metric_at(ends)
    gains = curves[:, 1] - curves[:, 0]
    return Outlook(
        more=more,
        photos=fit.reference + more,
        metric=float(np.median(curves[:, 1])),
        interval=_interval(fit.trainings_at(ends[1:])[:, 0]),
        gain=float(np.median(gains)),
        gain_interval=_interval(gains),
    )


def _ends(values: Float[np.ndarray, "P N"]) -> Float[np.ndarray, "2 N"]:
    return np.asarray(np.quantile(values, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2], axis=0))


def _interval(values: Float[np.ndarray, " P"]) -> Interval:
    low, high = _ends(values[:, None])[:, 0].tolist()
    return Interval(low, high)
