"""What the models of a comparison have in common and where they differ, beyond the metrics of each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np

from boxmask.comparison.contract import ComparedModel, Spread
from boxmask.comparison.found_by_model import FoundByModel
from boxmask.comparison.jobs import Job
from boxmask.comparison.photos import ComparedPhotos
from boxmask.errors import LabelError
from boxmask.evaluation.detection.arrays import Kind
from boxmask.evaluation.detection.failures.analyze import analyze_failures
from boxmask.evaluation.failures.contract import FailureAnalysis
from boxmask.evaluation.intervals.compare import compare_all_results
from boxmask.evaluation.intervals.difference import Difference
from boxmask.evaluation.intervals.groups import photo_groups
from boxmask.evaluation.intervals.sentences import describe_comparison, describe_folds
from boxmask.evaluation.segmentation.failures import analyze_label_maps

NOT_TESTED = (
    "The differences are not tested, because a model does not know all classes of the labels. Its metrics "
    "leave these classes out: do not compare them with those of the others."
)


def deciding_metric(task: str, models: Sequence[ComparedModel]) -> str:
    """The metric that decides: of detectors, mask AP if all find masks."""
    if task == "segmentation":
        return "mIoU"
    all_masks = bool(models) and all("mask_AP" in model.evaluation for model in models)
    return "mask_AP" if all_masks else "AP"


def analyze(photos: ComparedPhotos, found: FoundByModel, metric: str) -> FailureAnalysis | None:
    """What a model missed or got wrong; None if the labels have none of its classes.

    metric: the one that decides; with "mask_AP", masks are compared instead of boxes
    """
    results: Any = found.results
    try:
        if photos.task == "segmentation":
            return analyze_label_maps(photos.dataset, results, found.class_names)
        kind: Kind = "segm" if metric == "mask_AP" else "bbox"
        return analyze_failures(photos.dataset, results, kind, proposals=found.proposals)
    except LabelError:
        return None


def compare_pairs(
    photos: ComparedPhotos, models: Sequence[ComparedModel], metric: str
) -> tuple[Difference, ...]:
    """The differences between each pair of models; none if a model does not know all classes."""
    results = {model.name: model.results for model in models if model.evaluation[metric] is not None}
    try:
        return compare_all_results(photos.dataset, results, metric=metric)
    except LabelError:
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
    """What the table tells, in plain words: the best model against the others, and what cannot be told."""
    folds = () if photos.fold_of is None else (describe_folds(int(photos.fold_of.max())),)
    values = {model.name: model.evaluation[metric] for model in models}
    if len([value for value in values.values() if value is not None]) < 2:
        return folds
    methods = {model.name: None if model.training is None else model.method for model in models}
    if not differences:
        return (NOT_TESTED, *folds)
    groups = photo_groups(photos.dataset)
    count = len(photos.dataset) if groups is None else len(np.unique(groups))
    sentences = describe_comparison(metric, values, differences, count, methods, grouped=groups is not None)
    return (*sentences, *folds)
