"""The confidence interval of an accuracy: Wilson's.

Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", 1927. It holds for few photos
and near 100 %. Objects of one photo are similar, and so are photos that belong together: they count as fewer
independent items (the design effect, in Wilson's interval as in Dean and Pagano 2015).
"""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Bool, Int

from boxmask.evaluation.contract import Interval

CONFIDENCE = 0.95
QUANTILE = 1.959964  # of the normal distribution: 95 % lies within ± QUANTILE


def wilson_interval(correct: Bool[np.ndarray, " N"], groups: Int[np.ndarray, " N"]) -> Interval:
    """The interval of the share of correct items: (N,), (N,).

    groups: a number for each item, the same for items of one photo and of photos that belong together

    With p = the share, z = QUANTILE and n independent items,
    (p + z² / 2n ± z √(p (1 − p) / n + z² / 4n²)) / (1 + z² / n).
    """
    share, count, z = float(correct.mean()), _effective_count(correct, groups), QUANTILE
    center = share + z * z / (2 * count)
    reach = z * math.sqrt(share * (1 - share) / count + (z / (2 * count)) ** 2)
    low, high = (center - reach) / (1 + z * z / count), (center + reach) / (1 + z * z / count)
    return Interval(max(0.0, min(low, share)), min(1.0, max(high, share)))  # exceeded by rounding only


def _effective_count(correct: Bool[np.ndarray, " N"], groups: Int[np.ndarray, " N"]) -> float:
    """The number of independent items that carry as much information as these, which come in groups.

    It is N divided by the design effect: the variance of the share over samples of groups, divided by that
    over samples of items. It is 1 if each group is one item. If all or no items are correct, the variance is
    unknown and each group counts once.
    """
    _, number, items = np.unique(groups, return_inverse=True, return_counts=True)
    share, count = float(correct.mean()), len(items)
    if count in (1, len(correct)) or share in (0.0, 1.0):
        return count
    excess = np.bincount(number, weights=correct.astype(np.float64)) - share * items
    by_groups = count / (count - 1) * float((excess**2).sum()) / len(correct) ** 2
    return min(float(len(correct)), share * (1 - share) / by_groups) if by_groups else float(len(correct))
