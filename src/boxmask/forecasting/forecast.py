"""Forecast what more labeled photos would bring, from trainings on growing parts of the present ones."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from boxmask.forecasting.folder import EVALUATIONS, PARTS, ForecastFolder
from boxmask.forecasting.labels import Labels, read_labels
from boxmask.forecasting.options import ForecastOptions
from boxmask.forecasting.outlook import CurveOutlook, look_ahead
from boxmask.forecasting.pool.label_next import label_next
from boxmask.forecasting.report import Forecast
from boxmask.forecasting.save import check_results, save_forecast
from boxmask.forecasting.trainings import Measured, measure_all, time_needed
from boxmask.messages import format_count, format_minutes, shorten_note
from boxmask.runs.recipe import Recipe
from boxmask.runs.serialization import recipe_to_dict
from boxmask.runs.work_folder import check_settings, claim_folder, record_split
from boxmask.runs.work_progress import WorkProgress
from boxmask.tasks.table import check_recipe, task_of
from boxmask.training.initialization import InitSources
from boxmask.training.progress import Report


def forecast(data: Path, options: ForecastOptions, out: Path | None = None) -> Forecast:
    """Train on growing parts of the labels, and forecast the metric with more of them.

    A forecast that was stopped or killed goes on when it is called again with the same arguments.

    out: the folder of all files; by default forecasts/DATA-MODEL

    Raises LabelError, PhotoError, WeightsError, UsageError, OutputError or TrainingError; KeyboardInterrupt
    if a signal stopped it.
    """
    recipe = InitSources.from_recipe(options.recipe).resolve(options.recipe)
    check_recipe(recipe)
    report, path = Report(), out or default_folder(data, recipe)
    with claim_folder(ForecastFolder(path), (PARTS, EVALUATIONS)) as folder:
        labels = read_labels(data, recipe, options, folder)
        check_settings(folder, _settings(labels, recipe, options))
        record_split(folder, labels.photos)
        check_results(folder, options.pool is not None)
        for note in labels.dataset.notes:
            report.message(f"note: {shorten_note(note)}")
        report.message(describe_plan(labels, recipe, folder))
        try:
            measured = measure_all(labels, recipe, folder, report)
            result = _look_ahead(labels, recipe, options, folder, measured, report)
        except KeyboardInterrupt:
            report.message("To continue, give the same command again.")
            raise
        save_forecast(result, folder)
        WorkProgress(folder).finish()
    return result


def default_folder(data: Path, recipe: Recipe) -> Path:
    """The folder of a forecast, the same for the same labels and model, so that it can go on."""
    name = data.name if data.is_dir() else data.stem
    return Path("forecasts") / f"{name or data.absolute().name}-{recipe.model}"


def describe_plan(labels: Labels, recipe: Recipe, folder: ForecastFolder) -> str:
    """How many trainings there will be, and how long they take."""
    sizes = sorted({len(part.photos) for part in labels.parts})
    waiting = [part for part in labels.parts if not folder.evaluation_file(part.name).is_file()]
    trainings = format_count(len(labels.parts), "training")
    done = (
        f"; {len(labels.parts) - len(waiting):,} of them are done" if len(waiting) < len(labels.parts) else ""
    )
    minutes = time_needed(waiting, recipe, ())
    if not waiting:
        long = ""
    elif minutes is None:
        long = ". The first one shows how long they take"
    else:
        long = f". They take about {format_minutes(minutes)}"
    shown = ", ".join(f"{size:,}" for size in sizes[:-1])
    return f"forecast: {trainings} of {recipe.model} on {shown} and {sizes[-1]:,} photos{done}{long}"


def _settings(labels: Labels, recipe: Recipe, options: ForecastOptions) -> dict[str, object]:
    """What all trainings of a folder have in common."""
    return {
        "data": str(labels.data.absolute()),
        "labels": labels.dataset.fingerprint(),
        "draws": options.draws,
        "split": options.split,
        **recipe_to_dict(recipe),
    }


def _look_ahead(
    labels: Labels,
    recipe: Recipe,
    options: ForecastOptions,
    folder: ForecastFolder,
    measured: Sequence[Measured],
    report: Report,
) -> Forecast:
    """Fit the curves over all classes and of each class, and choose the photos to label next."""
    photos = [training.photos for training in measured]
    chosen = (
        None if options.pool is None else label_next(labels, options.pool, recipe, options, folder, report)
    )
    return Forecast(
        data=labels.data,
        folder=folder.path,
        recipe=recipe,
        metric=task_of(recipe.model).metrics[0],
        evaluated=len(labels.evaluated),
        split=options.split,
        trainings=tuple(measured),
        overall=look_ahead(photos, [training.metric for training in measured], options.more),
        per_class=_class_outlooks(measured, options.more),
        label_next=chosen,
    )


def _class_outlooks(measured: Sequence[Measured], more: Sequence[int]) -> dict[str, CurveOutlook]:
    """The curves of the classes that the evaluated photos show."""
    photos, curves = [training.photos for training in measured], {}
    for name in measured[0].per_class:
        values = [value for training in measured if (value := training.per_class.get(name)) is not None]
        if len(values) == len(photos):
            curves[name] = look_ahead(photos, values, more)
    return curves
