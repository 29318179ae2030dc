"""The files of a forecast."""

from __future__ import annotations

import csv
import io

from boxmask.forecasting.chart import draw_chart
from boxmask.forecasting.folder import ForecastFolder
from boxmask.forecasting.outlook import CurveOutlook
from boxmask.forecasting.page.render import render_page
from boxmask.forecasting.report import Forecast
from boxmask.outputs import check_replaceable, write_output

COLUMNS = ("class", "more", "photos", "value", "low", "high", "gain", "gain_low", "gain_high")


SUFFIXES = (".json", ".csv", ".png", ".svg", ".html")


def check_results(folder: ForecastFolder, with_pool: bool) -> None:
    """Raise UsageError, before anything is trained, if a result would replace a file of the user's."""
    lists = (folder.label_next_file, folder.label_next_sheet) if with_pool else ()
    check_replaceable([*(folder.result(suffix) for suffix in SUFFIXES), *lists])


def save_forecast(forecast: Forecast, folder: ForecastFolder) -> None:
    """Write the forecast as JSON, CSV and HTML, and its chart as PNG and SVG.

    Raises UsageError for a file that was changed since boxmask wrote it, and OutputError.
    """
    with write_output(folder.result(".json")) as partial:
        partial.write_text(forecast.to_json() + "\n", encoding="utf-8")
    with write_output(folder.result(".csv")) as partial:
        partial.write_text(forecast_csv(forecast), encoding="utf-8", errors="backslashreplace")
    for suffix in (".png", ".svg"):
        draw_chart(forecast, folder.result(suffix))
    sheet = folder.label_next_sheet if forecast.label_next is not None else None
    with write_output(folder.result(".html")) as partial:
        partial.write_text(render_page(forecast, sheet), encoding="utf-8")


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
