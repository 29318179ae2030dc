"""boxmask forecast."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boxmask as verbs
from boxmask.runs.recipe import Recipe

Refused = Callable[..., str]
Boxmask = Callable[..., Any]
QUICK = ("--draws", 1, "--more", 5, 10)


def test_a_forecast_and_its_continuation(
    boxmask: Boxmask, here: Path, demo: Path, quick_flags: tuple[str, ...], quick: Recipe
) -> None:
    completed = boxmask("forecast", demo, *quick_flags, *QUICK)
    assert completed.status == 0, completed.err
    assert "forecast: 3 trainings of faster-rcnn on 4, 9 and 18 photos" in completed.err
    assert "training 2 of 3: 4 photos; " in completed.err
    assert "18 photos: AP 0." in completed.err
    assert "The models have hardly learned anything (AP 0.0" in " ".join(completed.out.split())
    folder = here / "forecasts" / "digits-faster-rcnn"
    assert {file.name for file in folder.glob("forecast.*")} == {
        f"forecast.{s}" for s in ("json", "csv", "png", "svg", "html")
    }
    again = boxmask("forecast", demo, *quick_flags, *QUICK, "--json", "-")
    assert "forecast: 3 trainings of faster-rcnn on 4, 9 and 18 photos; 3 of them are done" in again.err
    assert json.loads(again.out) == json.loads((folder / "forecast.json").read_text())
    forecast = verbs.forecast(demo, recipe=quick, model="faster-rcnn", more=(5, 10), draws=1)
    assert forecast.to_dict() == json.loads(again.out)
    assert repr(forecast).startswith("Forecast(The models have hardly learned anything")


def test_wrong_usage(refused: Refused, demo: Path, tmp_path: Path) -> None:
    assert "--draws: expected 1 or more, found 0" in refused(2, "forecast", demo, "--draws", 0)
    assert "nothing" in refused(2, "forecast", demo, "--model", "nothing")
    assert "no-such-folder" in refused(1, "forecast", tmp_path / "no-such-folder")
