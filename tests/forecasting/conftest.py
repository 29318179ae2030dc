"""A forecast of three short trainings."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import torch

if TYPE_CHECKING:
    from boxmask.forecasting.report import Forecast
    from boxmask.runs.recipe import Recipe


@pytest.fixture(scope="session")
def forecast_of_demo(demo: Path, quick: Recipe, tmp_path_factory: pytest.TempPathFactory) -> Forecast:
    """A forecast on `demo`. Tests must not change its folder."""
    from boxmask.forecasting.forecast import forecast
    from boxmask.forecasting.options import ForecastOptions

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("forecast") / "forecast"
    result = forecast(demo, ForecastOptions(quick, more=(5, 10), draws=1), folder)
    torch.set_num_threads(before)
    return result
