"""The difference of a metric between two models on the same photos, and the correction for many pairs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from boxmask.evaluation.contract import Interval

SIGNIFICANCE = 0.05
"""Differences with a smaller p-value are called real."""


@dataclass(frozen=True)
class Difference:
    """A metric of the first model minus that of the second, on the same photos.

    first, second: names of the models
    metric:        its name, as in `Evaluation`
    difference:    above 0 if the first model is better
    interval:      of this pair alone, at 95 %; None if the photos are too few to tell
    p_value:       how often equally good models would differ as much by the choice of photos alone; corrected
                   for the number of pairs by `holm`. None if the photos are too few to tell.
    """

    first: str
    second: str
    metric: str
    difference: float
    interval: Interval | None
    p_value: float | None

    @property
    def is_real(self) -> bool:
        """Whether the choice of photos alone is an unlikely reason for the difference."""
        return self.p_value is not None and self.p_value < SIGNIFICANCE

    @property
    def better(self) -> str | None:
        """The name of the better model; None if the difference may be chance."""
        if not self.is_real:
            return None
        return self.first if self.difference > 0 else self.second

    def describe(self) -> str:
        """The difference in one plain sentence."""
        if self.interval is None:
            return f"There are too few photos to compare {self.first} and {self.second}."
        if not self.is_real:
            return f"The difference between {self.first} and {self.second} may be chance ({self._numbers()})."
        if self.difference > 0:
            return f"{self.first} is better than {self.second} on these photos ({self._numbers()})."
        return self.reversed().describe()

    def reversed(self) -> Difference:
        """The second model minus the first."""
        low, high = self.interval or (0.0, 0.0)
        interval = None if self.interval is None else Interval(-high, -low)
        return replace(
            self, first=self.second, second=self.first, difference=-self.difference, interval=interval
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and lists."""
        fields = asdict(self)
        return fields | {"interval": None if self.interval is None else list(self.interval)}

    def _numbers(self) -> str:
        low, high = self.interval or (0.0, 0.0)
        return f"{self.metric} {self.difference:+.3f}, 95 % interval {low:.3f} to {high:.3f}"


def holm(differences: Sequence[Difference]) -> tuple[Difference, ...]:
    """The same differences with p-values corrected for their number.

    Holm, "A Simple Sequentially Rejective Multiple Test Procedure", 1979: of m p-values, the smallest is
    multiplied by m, the next by m - 1, and so on, and none is smaller than one before it. If all models are
    equally good, the probability that any p-value falls below 0.05 is then at most 5 %.
    """
    tested = [i for i, pair in enumerate(differences) if pair.p_value is not None]
    tested.sort(key=lambda i: differences[i].p_value or 0.0)
    factors = np.arange(len(tested), 0, -1)
    products = factors * np.array([differences[i].p_value for i in tested], dtype=np.float64)
    corrected = dict(zip(tested, np.minimum(np.maximum.accumulate(products), 1.0).tolist(), strict=True))
    return tuple(replace(pair, p_value=corrected.get(i)) for i, pair in enumerate(differences))
