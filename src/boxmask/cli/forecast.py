"""boxmask forecast DATA: what more labeled photos would bring."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from boxmask.cli.imports import quick_imports
from boxmask.cli.output import JsonFile
from boxmask.forecasting.options import DEFAULT_DRAWS, DEFAULT_LABEL_NEXT, DEFAULT_MORE, ForecastOptions
from boxmask.runs.recipe import BASICS, Recipe


def forecast(
    data: Path,
    /,
    *,
    recipe: Annotated[Recipe, Parameter(name="*")] = Recipe(),  # noqa: B008 (frozen)
    more: Annotated[tuple[int, ...], Parameter(group=BASICS, consume_multiple=1)] = DEFAULT_MORE,
    draws: Annotated[int, Parameter(group=BASICS)] = DEFAULT_DRAWS,
    split: Annotated[Literal["val", "test"], Parameter(group=BASICS)] = "test",
    pool: Annotated[Path | None, Parameter(group=BASICS)] = None,
    label_next: Annotated[int, Parameter(group=BASICS)] = DEFAULT_LABEL_NEXT,
    out: Annotated[Path | None, Parameter(group=BASICS)] = None,
    json_file: Annotated[JsonFile, Parameter(group=BASICS)] = None,
) -> int:
    """Forecast how much better a model becomes with more labeled photos.

    Trains on an eighth, a quarter, half and all of the training photos, fits the learning curve, and extends
    it, with intervals. Each training gets --max-minutes (default: 10). With --epochs, each gets as many steps
    as these passes over all training photos. The same command continues a forecast that was stopped.

    Parameters
    ----------
    data
        Folder, archive or label file, as for training.
    more
        Numbers of further training photos, for example --more 25 50 100.
    draws
        Number of trainings on each small part of the labels. Half of the photos and all photos are used
        twice.
    split
        Photos that every model is evaluated on.
    pool
        Folder of unlabeled photos. The photos to label next are listed in label-next.csv: those on which the
        trained models disagree most, and that differ most from the labeled photos and one another.
    label_next
        With --pool: number of photos to label next.
    out
        Folder for the trainings and results. Default: forecasts/DATA-MODEL.
    json_file
        Write the forecast to this JSON file as well. "-" prints the JSON instead of the table.
    """
    from boxmask.cli.interrupts import interrupt_on_signals
    from boxmask.cli.output import check_json_file, print_metrics

    with quick_imports():
        from boxmask.forecasting.forecast import forecast as make_forecast

    interrupt_on_signals()
    check_json_file(json_file)
    options = ForecastOptions(recipe, more, draws, split, pool, label_next)
    result = make_forecast(data, options, out)
    print_metrics(result.to_dict(), result.tables(), json_file)
    print(f"page: {result.folder / 'forecast.html'}", file=sys.stderr)
    return 0
