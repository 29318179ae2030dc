"""What the models of a comparison have in common and where they differ, beyond the metrics of each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from boxmask.comparison.contract import ComparedModel, Difference, FailureAnalysis, Spread
from boxmask.comparison.jobs import Job
from boxmask.comparison.photos import ComparedPhotos


def deciding_metric(task: str, models: Sequence[ComparedModel]) -> str:
    """The metric that decides: of detectors, mask AP if all find masks."""
    if task == "segmentation":
        return "mIoU"
    all_masks = bool(models) and all("mask_AP" in model.evaluation.keys() for model in models)  # noqa: SIM118
    return "mask_AP" if all_masks else "AP"


def analyze(photos: ComparedPhotos, results: Any) -> FailureAnalysis | None:
    """Which objects a model missed or got wrong."""
    return None


def compare_pairs(
    photos: ComparedPhotos, models: Sequence[ComparedModel], metric: str
) -> tuple[Difference, ...]:
    """The differences between each pair of models."""
    return ()


def spreads_of(jobs: Sequence[Job], models: Sequence[ComparedModel], metric: str) -> tuple[Spread, ...]:
    """How much the metric varies between the seeds of each method; none for methods with one training."""
    trained = {job.name for job in jobs if job.recipe is not None}
    values: defaultdict[str, list[float]] = defaultdict(list)
    for model in models:
        value = model.evaluation[metric]
        if model.name in trained and model.method is not None and value is not None:
            values[model.method].append(value)
    return tuple(Spread(method, metric, tuple(each)) for method, each in values.items() if len(each) > 1)


def describe(
    photos: ComparedPhotos,
    models: Sequence[ComparedModel],
    metric: str,
    differences: Sequence[Difference],
) -> tuple[str, ...]:
    """What the table tells, in plain words."""
    return ()
