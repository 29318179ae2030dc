"""The files of a forecast."""

from __future__ import annotations

import csv
import io

from boxmask.forecasting.chart import draw_chart
from boxmask.forecasting.folder import ForecastFolder
from boxmask.forecasting.outlook import CurveOutlook
from boxmask.forecasting.report import Forecast
from boxmask.outputs import write_output

COLUMNS = ("class", "more", "photos", "value", "low", "high", "gain", "gain_low", "gain_high")


def save_forecast(forecast: Forecast, folder: ForecastFolder) -> None:
    """Write the forecast as JSON and CSV, and its chart as PNG and SVG.

    Raises UsageError for a file that was changed since boxmask wrote it, and OutputError.
    """
    with write_output(folder.result(".json")) as partial:
        partial.write_text(forecast.to_json() + "\n", encoding="utf-8")
    with write_output(folder.result(".csv")) as partial:
        partial.write_text(forecast_csv(forecast), encoding="utf-8")
    for suffix in (".png", ".svg"):
        draw_chart(forecast, folder.result(suffix))


def forecast_csv(forecast: Forecast) -> str:
    """The forecast as a table: over all classes, with an empty name, and per class."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for name, curve in {"": forecast.overall, **forecast.per_class}.items():
        writer.writerows([name, *row] for row in _rows(curve))
    return text.getvalue()


def _rows(curve: CurveOutlook) -> list[list[float]]:
    present = [0, curve.fit.reference, curve.now, *curve.interval, 0.0, 0.0, 0.0]
    return [
        present,
        *(
            [one.more, one.photos, one.metric, *one.interval, one.gain, *one.gain_interval]
            for one in curve.outlooks
        ),
    ]
