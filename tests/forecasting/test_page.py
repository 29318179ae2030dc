"""The page of a forecast."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from PIL import Image

from boxmask.forecasting.page.render import render_page
from boxmask.forecasting.pool.choose import Chosen, ChosenPhoto
from boxmask.forecasting.report import Forecast


def test_the_page_holds_the_answer_and_loads_nothing(forecast_of_demo: Forecast) -> None:
    page = (forecast_of_demo.folder / "forecast.html").read_text(encoding="utf-8")
    assert forecast_of_demo.sentences()[0] in page
    assert "default-src &#39;none&#39;" in page
    assert "<script" not in page
    assert "http://" not in page
    assert "https://" not in page
    assert page.count("<svg") == 1 + len(forecast_of_demo.per_class)
    assert page.count('class="dot"') == 3 * page.count("<svg")


def test_names_are_escaped(forecast_of_demo: Forecast, tmp_path: Path) -> None:
    curves = dict(forecast_of_demo.per_class)
    name = next(iter(curves))
    hostile = "<script>alert(1)</script>"
    renamed = replace(
        forecast_of_demo,
        per_class={**curves, hostile: curves[name]},
        trainings=tuple(
            replace(one, per_class={**one.per_class, hostile: one.per_class[name]})
            for one in forecast_of_demo.trainings
        ),
        label_next=Chosen((ChosenPhoto(Path("a.jpg"), 0.5, 1.0),), 1, 1, 4),
    )
    Image.new("RGB", (8, 8)).save(tmp_path / "sheet.jpg")
    page = render_page(renamed, tmp_path / "sheet.jpg")
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "data:image/jpeg;base64," in page
    assert "Label next: 1 photo of 1." in page
