"""The confidence interval of a metric between 0 and 1, from its values on resampled photos.

The usual percentile interval, the middle 95 % of the values, is too narrow for few photos, and a point if
everything is found. Here, the resamples give the standard error and the bias of the metric, and

- the bias is subtracted: on few photos AP is too high, as it takes the highest precision at any later recall;
- every class gets half an object more, found by half, so that a perfect metric has an interval, too;
- the interval is symmetric on the scale log(m / (1 - m)), so that it stays between 0 and 1;
- its length follows Student's t distribution for the number of photos;
- it grows by half a step of the scale on which COCO measures recall.

`benchmarks/interval_coverage.py` measures how often it contains the truth, beside other methods.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import scipy
from jaxtyping import Float

from boxmask.evaluation.contract import Interval

CONFIDENCE = 0.95
EXTRA_OBJECTS = 0.5  # per class
EDGE = 1e-4  # keeps log(m / (1 - m)) finite


@dataclass(frozen=True)
class Sample:
    """A metric on some photos and on resamples of them.

    value:     on all photos
    resampled: (B,) on each resample; NaN where there was nothing to measure
    groups:    number of photos, or of groups of photos that belong together
    objects:   number of objects of each class that has any
    step:      by how much the metric of one class can jump because of the scale that it is measured on
    """

    value: float
    resampled: Float[np.ndarray, " B"]
    groups: int
    objects: tuple[float, ...]
    step: float = 0.0

    @property
    def measured(self) -> Float[np.ndarray, " M"]:
        """The resampled values that could be measured."""
        return np.asarray(self.resampled[np.isfinite(self.resampled)])

    @property
    def is_enough(self) -> bool:
        """Whether there is anything to tell the spread from: two photos and an object at least."""
        return self.groups > 1 and len(self.measured) > 1 and bool(self.objects)

    @property
    def variance_of_extra_objects(self) -> float:
        """The variance that the additional objects bring, averaged over the classes."""
        per_class = 1 / (np.array(self.objects) + EXTRA_OBJECTS) ** 2
        return EXTRA_OBJECTS / 4 * float(per_class.sum()) / len(self.objects) ** 2


def confidence_interval(sample: Sample, confidence: float = CONFIDENCE) -> Interval | None:
    """The interval of a metric between 0 and 1. None with fewer than two photos or without objects."""
    if not sample.is_enough:
        return None
    sizes = np.array(sample.objects)
    kept = float(np.mean(sizes / (sizes + EXTRA_OBJECTS)))
    bias = float(sample.measured.mean()) - sample.value
    center = kept * min(max(sample.value - bias, 0.0), 1.0) + (1 - kept) / 2
    center = min(max(center, EDGE), 1 - EDGE)
    error = math.sqrt(kept**2 * variance(sample.measured, sample.groups) + sample.variance_of_extra_objects)
    reach = quantile(sample.groups, confidence) * error / (center * (1 - center))
    middle, step = math.log(center / (1 - center)), sample.step / 2 / math.sqrt(len(sizes))
    low, high = _logistic(middle - reach) - step, _logistic(middle + reach) + step
    return Interval(max(0.0, min(low, sample.value)), min(1.0, max(high, sample.value)))


def difference_interval(
    first: Sample, second: Sample, confidence: float = CONFIDENCE
) -> tuple[Interval, float] | None:
    """The interval of the first metric minus the second, and the p-value of a paired test.

    Both samples are on the same resamples. The test is Student's t with the standard error of the difference
    over the resamples. None if there are fewer than two photos or no objects.
    """
    differences = first.resampled - second.resampled
    differences = differences[np.isfinite(differences)]
    if not (first.is_enough and second.is_enough and len(differences) > 1):
        return None
    difference = first.value - second.value
    center = 2 * difference - float(differences.mean())  # minus the bias
    error = math.sqrt(variance(differences, first.groups) + first.variance_of_extra_objects)
    reach = quantile(first.groups, confidence) * error
    p_value = 2 * float(scipy.special.stdtr(first.groups - 1, -abs(center) / error))
    return Interval(min(center - reach, difference), max(center + reach, difference)), p_value


def variance(resampled: Float[np.ndarray, " B"], groups: int) -> float:
    """The variance of a metric. Resamples repeat photos, which makes them too similar by (n - 1) / n."""
    return float(resampled.var(ddof=1)) * groups / (groups - 1)


def quantile(groups: int, confidence: float = CONFIDENCE) -> float:
    """How many standard errors the interval reaches to each side, by Student's t distribution."""
    return float(scipy.special.stdtrit(groups - 1, (1 + confidence) / 2))


def _logistic(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x >= 0 else 1 - 1 / (1 + math.exp(x))
