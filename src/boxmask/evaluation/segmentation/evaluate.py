"""Evaluate a segmenter on photos with label maps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from jaxtyping import Int

from boxmask.data.class_checks import OnUnseenClasses
from boxmask.data.segmentation.dataset import SegmentationDataset
from boxmask.evaluation.checks import check_has_photos
from boxmask.evaluation.contract import (
    Interval,
    evaluation_to_json,
    find_interval,
    find_metric,
    intervals_to_dict,
    summarize,
)
from boxmask.evaluation.intervals.groups import photo_groups
from boxmask.evaluation.seen_photos import SeenPhotos, find_seen, seen_to_dict
from boxmask.evaluation.segmentation.boundary_iou import boundary_counts
from boxmask.evaluation.segmentation.classes import (
    EvaluatedClasses,
    evaluated_classes,
    evaluated_labels,
    extra_classes_note,
)
from boxmask.evaluation.segmentation.metrics import (
    MIoUInterval,
    SegmentationCounts,
    SegmentationMetrics,
    confusion_matrix,
    miou_interval,
    segmentation_metrics,
)
from boxmask.messages import format_count
from boxmask.progress import Progress
from boxmask.segmenters.contract import Segmenter
from boxmask.types import SegmentationMap


@dataclass(frozen=True, repr=False)
class SegmentationEvaluation:
    """How well a segmenter does on labeled photos; an `Evaluation`.

    mIoU and the IoU of each class have confidence intervals.

    miou_interval: None if not requested, with fewer than two photos or without labeled pixels
    images:        number of photos
    notes:         what was left out, in sentences
    seen:          the photos that the segmenter has seen in training; None if that is not known
    """

    metrics: SegmentationMetrics
    miou_interval: MIoUInterval | None
    images: int
    notes: tuple[str, ...] = ()
    seen: SeenPhotos | None = None

    def __getitem__(self, name: str) -> float | None:
        return find_metric(self._metrics(), name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._metrics())

    def __repr__(self) -> str:
        return summarize(self, ["mIoU", "pixel_accuracy"], format_count(self.images, "photo"))

    def keys(self) -> list[str]:
        """The names of the metrics."""
        return list(self._metrics())

    def interval(self, name: str) -> Interval | None:
        """The confidence interval of a metric, or None. Raises KeyError for an unknown metric."""
        return find_interval(self._metrics(), self._intervals(), name)

    def interval_of_class(self, name: str) -> Interval | None:
        """The confidence interval of the IoU of one class; None if the class does not occur."""
        if self.miou_interval is None:
            return None
        return self.miou_interval.per_class[list(self.metrics.per_class).index(name)]

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and lists: fractions, or None without pixels to measure."""
        interval = self.miou_interval
        per_class = {
            name: asdict(metrics) | intervals_to_dict({"IoU": self.interval_of_class(name)})
            for name, metrics in self.metrics.per_class.items()
        }
        return {
            **self._metrics(),
            "per_class": per_class,
            **intervals_to_dict(self._intervals()),
            "interval_confidence": None if interval is None else interval.confidence,
            "interval_resamples": None if interval is None else interval.resamples,
            "images": self.images,
            **seen_to_dict(self.seen),
            "notes": list(self.notes),
        }

    def to_json(self) -> str:
        """`to_dict()` as JSON text."""
        return evaluation_to_json(self)

    def _metrics(self) -> dict[str, float | None]:
        metrics = asdict(self.metrics)
        del metrics["per_class"]
        return metrics

    def _intervals(self) -> dict[str, Interval | None]:
        return {"mIoU": None if self.miou_interval is None else self.miou_interval.mIoU}


# ---------------------------------------------------------------- evaluating


def evaluate_segmenter(
    segmenter: Segmenter,
    dataset: SegmentationDataset,
    *,
    interval: bool = True,
    on_unseen_classes: OnUnseenClasses = "error",
    progress: Progress | None = None,
) -> SegmentationEvaluation:
    """Run a segmenter on every photo and evaluate its label maps. Classes are matched by name.

    interval: whether to compute a confidence interval
    progress: `progress(done, total)` is called after each photo

    Raises LabelError without photos and, before any photo is opened, for classes that the segmenter does not
    know; `on_unseen_classes="skip"` leaves such classes out.
    """
    return evaluate_label_maps(
        dataset,
        _segment_all(segmenter, dataset, progress),
        segmenter.config.class_names,
        interval=interval,
        on_unseen_classes=on_unseen_classes,
    )


def _segment_all(
    segmenter: Segmenter, dataset: SegmentationDataset, progress: Progress | None
) -> Iterator[SegmentationMap]:
    """The label map of each photo, one at a time."""
    for photo in range(len(dataset)):
        yield segmenter.predict(dataset.path(photo))
        if progress is not None:
            progress(photo + 1, len(dataset))


def evaluate_label_maps(
    dataset: SegmentationDataset,
    label_maps: Iterable[SegmentationMap],
    known: Sequence[str],
    *,
    interval: bool = True,
    on_unseen_classes: OnUnseenClasses = "error",
) -> SegmentationEvaluation:
    """Evaluate given label maps, in the order of the data set.

    label_maps: read one by one, so that they need not all fit into memory
    known:      the classes of the segmenter that made them

    Raises LabelError as `evaluate_segmenter` does, and ValueError if there is not one map per photo, or if a
    map has another size than its photo.
    """
    check_has_photos(dataset)
    classes = evaluated_classes(dataset, known, on_unseen_classes)
    per_photo = [
        _photo_counts(dataset, photo, label_map, classes)
        for photo, label_map in zip(range(len(dataset)), label_maps, strict=True)
    ]
    counts = SegmentationCounts(*(np.stack(parts) for parts in zip(*per_photo, strict=True)))
    extra_pixels, all_pixels = int(counts.confusion[:, :, -1].sum()), max(1, int(counts.confusion.sum()))
    return SegmentationEvaluation(
        metrics=segmentation_metrics(counts, classes.class_names),
        miou_interval=miou_interval(counts, groups=photo_groups(dataset)) if interval else None,
        images=len(dataset),
        notes=classes.notes + extra_classes_note(classes, extra_pixels, all_pixels),
        seen=find_seen(dataset),
    )


def _photo_counts(
    dataset: SegmentationDataset, photo: int, label_map: SegmentationMap, classes: EvaluatedClasses
) -> tuple[Int[np.ndarray, "K K+1"], Int[np.ndarray, " K"], Int[np.ndarray, " K"]]:
    """The confusion matrix, and intersection and union of the boundaries, in pixels."""
    truth, predicted = evaluated_labels(dataset, photo, label_map, classes)
    num_classes = len(classes.class_names)
    intersection, union = boundary_counts(truth, predicted, num_classes)
    return confusion_matrix(truth, predicted, num_classes), intersection, union
