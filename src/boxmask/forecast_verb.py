"""The public function that forecasts. It imports what it needs, so that `import boxmask` is quick."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from boxmask.missing_packages import needs_packages

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from boxmask.forecasting.report import Forecast
    from boxmask.runs.options import RecipeOptions
    from boxmask.runs.recipe import Recipe


@needs_packages("boxmask.forecast")
def forecast(
    data: str | os.PathLike[str],
    *,
    more: Sequence[int] = (25, 50, 100),
    draws: int = 3,
    split: Literal["val", "test"] = "test",
    pool: str | os.PathLike[str] | None = None,
    label_next: int = 25,
    out: str | os.PathLike[str] | None = None,
    recipe: Recipe | None = None,
    **options: Unpack[RecipeOptions],
) -> Forecast:
    """Forecast how much better a model becomes with more labeled photos.

        forecast = boxmask.forecast("my-photos/", model="faster-rcnn", max_minutes=10)
        print(forecast)
        forecast.overall.outlooks[-1].gain, forecast.overall.outlooks[-1].interval
        forecast.save_chart("curve.png")

    It trains on an eighth, a quarter, half and all of the training photos, each time for the same minutes or
    steps. The same call goes on with a forecast that was stopped or killed.

    more:       numbers of further training photos
    draws:      number of trainings on each small part of the labels
    split:      the photos that every model is evaluated on
    pool:       a folder of unlabeled photos, of which to choose those to label next
    label_next: how many of them
    out:        the folder of all files; by default forecasts/DATA-MODEL
    recipe:     a `boxmask.Recipe`
    options:    fields of the recipe that replace its values; `boxmask forecast --help` describes them

    Ctrl-C and SIGTERM save the current training and raise KeyboardInterrupt.
    Raises LabelError, PhotoError, WeightsError, UsageError, OutputError or TrainingError.
    """
    from boxmask.forecasting.forecast import forecast as make_forecast
    from boxmask.forecasting.options import ForecastOptions
    from boxmask.options import check_names
    from boxmask.recipe_keywords import recipe_fields
    from boxmask.runs.recipe import Recipe

    fields = recipe_fields(options)
    check_names("forecast", fields, Recipe)
    chosen = ForecastOptions(
        replace(recipe or Recipe(), **fields),
        tuple(more),
        draws,
        split,
        Path(pool) if pool else None,
        label_next,
    )
    return make_forecast(Path(data), chosen, Path(out) if out else None)
