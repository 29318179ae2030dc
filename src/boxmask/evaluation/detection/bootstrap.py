"""Confidence intervals of AP, AP50 and AP75, over all classes and per class, from a bootstrap over photos."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from boxmask.data.detection.dataset import DetectionDataset
from boxmask.evaluation.contract import Interval
from boxmask.evaluation.detection.arrays import Kind, counted_objects
from boxmask.evaluation.detection.class_matches import (
    ClassMatches,
    class_matches,
    mean_over_classes,
    resampled_class_ap,
)
from boxmask.evaluation.detection.coco import IOU_50, IOU_75
from boxmask.evaluation.detection.matching import RECALLS
from boxmask.evaluation.intervals.resampling import Resampling, affordable_resamples
from boxmask.evaluation.intervals.sample import CONFIDENCE, Sample, confidence_interval
from boxmask.types import Detections

AP_IOUS = {"AP": slice(None), "AP50": slice(IOU_50, IOU_50 + 1), "AP75": slice(IOU_75, IOU_75 + 1)}
"""The IoU thresholds that each metric averages."""


@dataclass(frozen=True)
class APIntervals:
    """Confidence intervals of AP, AP50 and AP75. None where there was nothing to measure.

    per_class:  the same by the name of the class; without classes that have no objects
    confidence: how often such intervals contain the metric on all photos
    resamples:  number of resamples of the photos that had objects
    groups:     number of photos, or of groups of photos that were drawn together
    """

    AP: Interval | None
    AP50: Interval | None
    AP75: Interval | None
    per_class: Mapping[str, Mapping[str, Interval | None]]
    confidence: float
    resamples: int
    groups: int


@dataclass(frozen=True)
class APSamples:
    """AP, AP50 and AP75 on some photos and on resamples of them, over all classes and per class."""

    overall: Mapping[str, Sample]
    per_class: Mapping[str, Mapping[str, Sample]]


def class_intervals(intervals: APIntervals | None, name: str) -> dict[str, Interval | None]:
    """The intervals of AP and AP50 of one class; None for a class without objects."""
    of_class = {} if intervals is None else intervals.per_class.get(name, {})
    return {metric: of_class.get(metric) for metric in ("AP", "AP50")}


def overall_intervals(intervals: APIntervals | None) -> dict[str, Interval | None]:
    """The intervals of AP, AP50 and AP75 over all classes; None without intervals."""
    return {name: None if intervals is None else getattr(intervals, name) for name in AP_IOUS}


def ap_intervals(
    dataset: DetectionDataset,
    detections: Sequence[Detections],
    kind: Kind = "bbox",
    *,
    groups: Int[np.ndarray, " P"] | None = None,
    resamples: int | None = None,
    confidence: float = CONFIDENCE,
    seed: int = 0,
) -> APIntervals | None:
    """The intervals of COCO's AP, AP50 and AP75. `detections[i]` belongs to photo i of `dataset`.

    groups: a number for each photo, the same for photos that belong together

    None with fewer than two photos or groups, or without objects. `resamples` is 1,000 by default, and fewer,
    down to 200, for more than 500,000 detections. The same seed gives the same intervals.
    """
    if len(dataset) < 2 or not counted_objects(dataset, kind).any():
        return None
    matches = class_matches(dataset, detections, kind)
    if resamples is None:
        resamples = affordable_resamples(sum(len(of_class.photos) for of_class in matches))
    resampling = Resampling.of(len(dataset), groups, resamples, seed)
    if resampling.num_groups < 2:
        return None
    samples = ap_samples(matches, resampling, dataset.class_names)
    intervals = {name: confidence_interval(sample, confidence) for name, sample in samples.overall.items()}
    per_class = {
        name: {metric: confidence_interval(sample, confidence) for metric, sample in of_class.items()}
        for name, of_class in samples.per_class.items()
    }
    return APIntervals(
        **intervals,
        per_class=per_class,
        confidence=confidence,
        resamples=len(samples.overall["AP"].measured),
        groups=resampling.num_groups,
    )


def ap_samples(
    matches: Sequence[ClassMatches], resampling: Resampling, class_names: Sequence[str]
) -> APSamples:
    """The metrics on all photos and on each resample. Classes without objects are left out."""
    once = np.ones((1, len(resampling.groups)), dtype=np.int32)
    parts = [once, *resampling.weights()]
    ap = np.concatenate([resampled_class_ap(matches, weights) for weights in parts], axis=1)
    sizes = [int(of_class.num_objects.sum()) for of_class in matches]
    shown = [k for k, size in enumerate(sizes) if size]
    groups = resampling.num_groups
    return APSamples(
        _samples(mean_over_classes(ap), groups, [sizes[k] for k in shown]),
        {class_names[k]: _samples(ap[k], groups, [sizes[k]]) for k in shown},
    )


def _samples(ap: Float[np.ndarray, "B T"], groups: int, sizes: Sequence[int]) -> dict[str, Sample]:
    """From the AP at each IoU: the first row is on all photos."""
    samples = {}
    for metric, ious in AP_IOUS.items():
        values = ap[:, ious].mean(axis=1)
        step = 1 / len(RECALLS) / float(np.sqrt(ap[:, ious].shape[1]))
        samples[metric] = Sample(float(values[0]), values[1:], groups, tuple(sizes), step)
    return samples
