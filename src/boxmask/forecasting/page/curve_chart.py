"""The learning curve as an SVG chart, whose colors are those of the page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from matplotlib.ticker import MaxNLocator

from boxmask.forecasting.outlook import CurveOutlook

WIDTH, HEIGHT = 420.0, 260.0
LEFT, RIGHT, TOP, BOTTOM = 36.0, 408.0, 10.0, 222.0  # the edges of the area of the curve
POINTS = 80
TICKS = 5

Points = Sequence[tuple[int, float]]


@dataclass(frozen=True)
class Bar:
    """A forecast: its place, and the ends of its interval."""

    x: float
    y: float
    low: float
    high: float
    text: str


@dataclass(frozen=True)
class CurveChart:
    """What the template draws, in the pixels of the chart.

    band, curve: paths
    dots:        the trainings: x, y and text
    now:         x of the present photos
    """

    band: str
    curve: str
    dots: tuple[tuple[float, float, str], ...]
    bars: tuple[Bar, ...]
    now: float
    x_ticks: tuple[tuple[float, str], ...]
    y_ticks: tuple[tuple[float, str], ...]


@dataclass(frozen=True)
class Scale:
    """From values to pixels."""

    values: tuple[float, float]
    pixels: tuple[float, float]

    def __call__(self, value: float) -> float:
        """The pixel of a value."""
        (low, high), (first, last) = self.values, self.pixels
        return round(first + (value - low) / max(high - low, 1e-9) * (last - first), 1)

    def ticks(self, form: str) -> tuple[tuple[float, str], ...]:
        """Round values on the axis, with their text."""
        low, high = self.values
        values = MaxNLocator(TICKS).tick_values(low, high)
        return tuple((self(value), format(value, form)) for value in values if low <= value <= high)


def make_curve_chart(metric: str, curve: CurveOutlook, measured: Points) -> CurveChart:
    """The chart of one metric. `measured` are the photos and the metric of each training."""
    photos = np.linspace(min(n for n, _ in measured), curve.outlooks[-1].photos, POINTS)
    low, middle, high = curve.band(photos)
    shown = np.concatenate([low, high, [value for _, value in measured]])
    x = Scale((float(photos[0]), float(photos[-1])), (LEFT, RIGHT))
    y = Scale((float(shown.min()), float(shown.max())), (BOTTOM, TOP))
    band = _path(x, y, np.append(photos, photos[::-1]), np.append(low, high[::-1]))
    return CurveChart(
        band=f"{band}Z",
        curve=_path(x, y, photos, middle),
        dots=tuple((x(n), y(value), f"{n:,} photos: {metric} {value:.3f}") for n, value in measured),
        bars=tuple(
            Bar(
                x(one.photos),
                y(one.metric),
                y(one.interval.low),
                y(one.interval.high),
                f"{one.photos:,} photos: {metric} {one.metric:.3f}",
            )
            for one in curve.outlooks
        ),
        now=x(curve.fit.reference),
        x_ticks=x.ticks(",.0f"),
        y_ticks=y.ticks(".2f"),
    )


def _path(x: Scale, y: Scale, photos: Float[np.ndarray, " N"], metric: Float[np.ndarray, " N"]) -> str:
    points = (f"{x(n)} {y(value)}" for n, value in zip(photos.tolist(), metric.tolist(), strict=True))
    return "M" + "L".join(points)
