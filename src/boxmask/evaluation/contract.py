"""What the evaluations of all tasks have in common.

Metrics are named as in `to_dict()` and are fractions in 0..1. None means that there was nothing to measure.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from boxmask.evaluation.seen_photos import SeenPhotos


class Interval(NamedTuple):
    """A confidence interval of a metric."""

    low: float
    high: float


class Evaluation(Protocol):
    """How well a model does on labeled photos. `dict(evaluation)` gives its metrics by name."""

    @property
    def images(self) -> int:
        """Number of evaluated photos, or of objects cropped from them."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What was left out of the metrics, in sentences."""

    @property
    def seen(self) -> SeenPhotos | None:
        """The photos that the model has seen in training, so that metrics on them are too high.

        None if that is not known.
        """

    def keys(self) -> list[str]:
        """The names of the metrics."""

    def __iter__(self) -> Iterator[str]:
        """The names of the metrics."""

    def __getitem__(self, name: str) -> float | None:
        """A metric by name. Raises KeyError, with the known names, for an unknown one."""

    def interval(self, name: str) -> Interval | None:
        """The confidence interval of a metric, or None. Raises KeyError for an unknown metric."""

    def to_dict(self) -> dict[str, Any]:
        """Metrics, intervals and counts as plain numbers and lists."""

    def to_json(self) -> str:
        """`to_dict()` as JSON text."""


def find_metric(metrics: Mapping[str, float | None], name: str) -> float | None:
    """The metric called `name`. Raises KeyError, with the known names, for an unknown one."""
    if name not in metrics:
        raise KeyError(f"no metric {name!r}; known metrics: {', '.join(metrics)}")
    return metrics[name]


def find_interval(
    metrics: Mapping[str, float | None], intervals: Mapping[str, Interval | None], name: str
) -> Interval | None:
    """The interval of the metric `name`, or None if it has none. Raises KeyError as `find_metric` does."""
    find_metric(metrics, name)
    return intervals.get(name)


def intervals_to_dict(intervals: Mapping[str, Interval | None]) -> dict[str, list[float] | None]:
    """Each interval as `NAME_interval: [low, high]`, or None."""
    return {
        f"{name}_interval": None if interval is None else list(interval)
        for name, interval in intervals.items()
    }


def evaluation_to_json(evaluation: Evaluation) -> str:
    """`evaluation.to_dict()` as JSON text, indented by one space."""
    return json.dumps(evaluation.to_dict(), indent=1)


def summarize(evaluation: Evaluation, names: Sequence[str], count: str) -> str:
    """One line with some metrics, their intervals and the number of photos.

    For example `DetectionEvaluation(AP=0.584, AP50=0.909 [0.88, 0.93], 72 photos)`.
    """
    metrics = [_name_and_value(evaluation, name) for name in names]
    seen = evaluation.seen.count_text if evaluation.seen else ""
    return f"{type(evaluation).__name__}({', '.join([*metrics, count, *([seen] if seen else [])])})"


def _name_and_value(evaluation: Evaluation, name: str) -> str:
    value, interval = evaluation[name], evaluation.interval(name)
    text = f"{name}=None" if value is None else f"{name}={value:.3f}"
    return text if interval is None else f"{text} [{interval.low:.2f}, {interval.high:.2f}]"
