"""The chart of a forecast: what was measured, the learning curve, and the interval of a training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from boxmask.errors import UsageError
from boxmask.forecasting.outlook import CurveOutlook
from boxmask.outputs import write_output
from boxmask.outputs.marks import MARK, MARK_KEY

if TYPE_CHECKING:
    from pathlib import Path

    from boxmask.forecasting.report import Forecast

POINTS = 120  # of each curve
MAX_CLASSES = 8  # curves in the second chart: the classes that gain most
COLOR = "#00695c"


def draw_chart(forecast: Forecast, path: Path) -> None:
    """Write the chart as a PNG or SVG file.

    Raises UsageError for another suffix, and for a file that boxmask did not write.
    """
    suffix = path.suffix.lower()
    if suffix not in (".png", ".svg"):
        raise UsageError(f"{path}: expected a file name that ends in .png or .svg. Choose another name.")
    has_classes = len(forecast.per_class) > 1
    figure = Figure(figsize=(10 if has_classes else 6, 4.2), layout="constrained")
    axes: Any = figure.subplots(1, 2 if has_classes else 1, squeeze=False, sharey=True)[0]
    photos = _photos(forecast)
    _draw_overall(axes[0], forecast, photos)
    if has_classes:
        _draw_classes(axes[1], forecast, photos)
    for part in axes:
        part.set_xlabel("training photos")
        part.axvline(forecast.photos, color="0.6", linewidth=0.8, linestyle=":")
        part.grid(alpha=0.3)
        part.legend(fontsize="small")
    with write_output(path) as partial:
        if suffix == ".png":
            FigureCanvasAgg(figure).print_png(partial, metadata={MARK_KEY: MARK})  # type: ignore[no-untyped-call]
        else:
            FigureCanvasSVG(figure).print_svg(partial, metadata={"Date": None, "Description": MARK})  # type: ignore[no-untyped-call]


def _photos(forecast: Forecast) -> np.ndarray[Any, np.dtype[np.float64]]:
    """The numbers of photos at which the curves are drawn: from the smallest part to the last outlook."""
    first = min(training.photos for training in forecast.trainings)
    return np.linspace(first, forecast.overall.outlooks[-1].photos, POINTS)


def _draw_overall(axes: Any, forecast: Forecast, photos: np.ndarray[Any, np.dtype[np.float64]]) -> None:
    curve = forecast.overall
    low, middle, high = curve.band(photos)
    axes.fill_between(photos, low, high, color=COLOR, alpha=0.15, linewidth=0, label="95 % of trainings")
    axes.plot(photos, middle, color=COLOR, label="learning curve")
    axes.plot(
        [training.photos for training in forecast.trainings],
        [training.metric for training in forecast.trainings],
        "o",
        color="black",
        markersize=4,
        label="measured",
    )
    ends = np.array([[o.metric - o.interval.low, o.interval.high - o.metric] for o in curve.outlooks]).T
    axes.errorbar(
        [outlook.photos for outlook in curve.outlooks],
        [outlook.metric for outlook in curve.outlooks],
        yerr=np.maximum(ends, 0.0),
        fmt="s",
        color=COLOR,
        markersize=5,
        capsize=3,
        label="forecast",
    )
    axes.set_ylabel(forecast.metric)


def _draw_classes(axes: Any, forecast: Forecast, photos: np.ndarray[Any, np.dtype[np.float64]]) -> None:
    def gain(item: tuple[str, CurveOutlook]) -> float:
        return -item[1].outlooks[-1].gain

    for number, (name, curve) in enumerate(sorted(forecast.per_class.items(), key=gain)[:MAX_CLASSES]):
        axes.plot(photos, curve.band(photos)[1], color=f"C{number}", label=_plain(name))
        measured = [
            (one.photos, value) for one in forecast.trainings if (value := one.per_class[name]) is not None
        ]
        axes.plot(*zip(*measured, strict=True), "o", color=f"C{number}", markersize=3)


def _plain(text: str) -> str:
    """Text that matplotlib can draw: between dollar signs, it would be a formula; after "_", no label."""
    shown = text.encode("utf-8", "backslashreplace").decode().replace("$", r"\$")
    return f" {shown}" if shown.startswith("_") else shown
