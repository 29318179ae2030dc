"""The table of a comparison and the curve of a forecast: as they grow, and when they are done."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import ValidationError

from boxmask.serving.jobs.json_files import JsonFiles
from boxmask.serving.jobs.replies import (
    ComparedRow,
    CurvePoint,
    FailedRow,
    Interval,
    LearningCurve,
    OutlookPoint,
    Table,
)

PROGRESS = "progress.json"


def table_of(folder: Path, files: JsonFiles) -> Table | None:
    """The table of a comparison; None if there is none yet, or if its file is damaged."""
    growing = files.read(folder / PROGRESS)
    content = growing or files.read(folder / "comparison.json")
    try:
        metric = str(content["metric"])
        rows = content["models"] if growing else [_row(model, metric) for model in content["models"]]
        return Table(
            plan=content.get("plan", []),
            metric=metric,
            models=[ComparedRow(**{**row, "interval": _interval(row["interval"])}) for row in rows],
            failed=[FailedRow(**row) for row in content["failed"]],
            sentences=content.get("sentences", []),
        )
    except (KeyError, TypeError, AttributeError, ValidationError):
        return None


def _row(model: dict[str, Any], metric: str) -> dict[str, Any]:
    """The row of a model in comparison.json."""
    metrics, training = model["metrics"], model["training"]
    return {
        "name": model["name"],
        "value": metrics[metric],
        "interval": metrics.get(f"{metric}_interval"),
        "minutes": training and training["minutes"],
        "ms_per_photo": {speed["form"]: speed["median_ms"] for speed in model["speeds"]},
    }


def learning_curve_of(folder: Path, files: JsonFiles) -> LearningCurve | None:
    """The learning curve of a forecast; None if there is none yet, or if its file is damaged."""
    growing = files.read(folder / PROGRESS)
    content = growing or files.read(folder / "forecast.json")
    try:
        return _growing_curve(growing) if growing else _finished_curve(content)
    except (KeyError, TypeError, AttributeError, ValidationError):
        return None


def _growing_curve(content: dict[str, Any]) -> LearningCurve:
    return LearningCurve(
        metric=None,
        trainings=content["trainings"],
        points=[CurvePoint(**point) for point in content["measured"]],
        outlooks=[],
        sentences=[],
        warnings=[],
    )


def _finished_curve(content: dict[str, Any]) -> LearningCurve:
    metric, trainings, overall = content["metric"], content["trainings"], content["overall"]
    now = {"more": 0, "photos": content["training_photos"], "value": overall["now"]}
    outlooks = [{**now, "interval": overall["now_interval"]}, *overall["forecast"]]
    return LearningCurve(
        metric=metric,
        trainings=len(trainings),
        points=[CurvePoint(photos=each["photos"], value=each[metric]) for each in trainings],
        outlooks=[_outlook(each) for each in outlooks],
        sentences=content["sentences"],
        warnings=content["warnings"],
    )


def _outlook(entry: dict[str, Any]) -> OutlookPoint:
    interval = Interval(low=entry["interval"][0], high=entry["interval"][1])
    return OutlookPoint(more=entry["more"], photos=entry["photos"], value=entry["value"], interval=interval)


def _interval(ends: list[float] | None) -> Interval | None:
    return None if ends is None else Interval(low=ends[0], high=ends[1])
