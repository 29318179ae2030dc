"""Render the forecast as one HTML page that loads nothing."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from boxmask.forecasting.page.curve_chart import (
    BOTTOM,
    HEIGHT,
    LEFT,
    RIGHT,
    TOP,
    WIDTH,
    CurveChart,
    make_curve_chart,
)
from boxmask.forecasting.report import Forecast
from boxmask.messages import printable
from boxmask.pages.render import render_template

MAX_CHARTS = 12  # of classes: those that gain most


@dataclass(frozen=True)
class ClassChart:
    """The chart of one class."""

    name: str
    chart: CurveChart


def render_page(forecast: Forecast, sheet: Path | None = None) -> str:
    """The page as text.

    sheet: the picture of the photos to label next
    """
    by_gain = sorted(forecast.per_class.items(), key=lambda item: -item[1].outlooks[-1].gain)
    measured = [(training.photos, training.metric) for training in forecast.trainings]
    values = {
        "forecast": forecast,
        "title": printable(forecast.data.resolve().name or str(forecast.data)),
        "size": f"{WIDTH:.0f} {HEIGHT:.0f}",
        "area": {"left": LEFT, "right": RIGHT, "top": TOP, "bottom": BOTTOM},
        "chart": make_curve_chart(forecast.metric, forecast.overall, measured),
        "classes": by_gain if len(by_gain) > 1 else [],
        "class_charts": [_class_chart(forecast, name) for name, _ in by_gain[:MAX_CHARTS]],
        "sheet": None if sheet is None else base64.b64encode(sheet.read_bytes()).decode("ascii"),
        "date": f"{datetime.now().astimezone():%Y-%m-%d %H:%M}",
    }
    return render_template("boxmask.forecasting.page", "page.html", ["style.css"], [], values)


def _class_chart(forecast: Forecast, name: str) -> ClassChart:
    measured = [
        (training.photos, value)
        for training in forecast.trainings
        if (value := training.per_class[name]) is not None
    ]
    return ClassChart(name, make_curve_chart(forecast.metric, forecast.per_class[name], measured))
