"""How good a segmenter is on labeled photos, every pixel of which has a class or none."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from boxmask.data.class_checks import OnUnseenClasses
from boxmask.data.segmentation.dataset import SegmentationDataset
from boxmask.errors import LabelError
from boxmask.evaluation.segmentation.boundary_iou import boundary_counts
from boxmask.evaluation.segmentation.classes import Judged, foreign_note, judged_classes
from boxmask.evaluation.segmentation.metrics import (
    SegmentationCounts,
    SegmentationInterval,
    SegmentationMetrics,
    confusion,
    miou_interval,
    segmentation_metrics,
)
from boxmask.types import SegmentationMap


class Segmenter(Protocol):
    """What is asked of a segmenter here; `config.class_names` are the classes that it knows."""

    @property
    def config(self) -> Any:
        """Its numbers."""

    def predict(self, photos: Path, /) -> SegmentationMap:
        """The class of every pixel of a photo."""


@dataclass(frozen=True)
class SegmentationEvaluation:
    """The figures of one segmenter on one set of photos.

    interval: of mIoU; None where it was not asked for or nothing can be said
    images:   how many photos
    notes:    what was left out, in sentences
    """

    metrics: SegmentationMetrics
    interval: SegmentationInterval | None
    images: int
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and lists for a program to read: fractions, None where nothing can be measured."""
        interval = self.interval
        return asdict(self.metrics) | {
            "mIoU_interval": interval and list(interval.mIoU),
            "interval_confidence": interval and interval.confidence,
            "interval_resamples": interval and interval.resamples,
            "images": self.images,
            "notes": list(self.notes),
        }


# ---------------------------------------------------------------- evaluating


def evaluate_segmenter(
    segmenter: Segmenter,
    dataset: SegmentationDataset,
    *,
    interval: bool = True,
    on_unseen_classes: OnUnseenClasses = "error",
    progress: Callable[[int, int], None] | None = None,
) -> SegmentationEvaluation:
    """Run the segmenter over the photos and judge what it says of each pixel; classes are matched by name.

    `progress(done, photos)` is called after each photo. Raises LabelError without photos, and, before any
    photo is opened, where pixels have a class that the segmenter does not know (`on_unseen_classes="skip"`
    leaves such classes out of the figures).
    """
    known = tuple(segmenter.config.class_names)
    return evaluate_label_maps(
        dataset,
        _predicted(segmenter, dataset, progress),
        known,
        interval=interval,
        on_unseen_classes=on_unseen_classes,
    )


def _predicted(
    segmenter: Segmenter, dataset: SegmentationDataset, progress: Callable[[int, int], None] | None
) -> Iterator[SegmentationMap]:
    for photo in range(len(dataset)):
        yield segmenter.predict(dataset.path(photo))
        if progress is not None:
            progress(photo + 1, len(dataset))


def evaluate_label_maps(
    dataset: SegmentationDataset,
    maps: Iterable[SegmentationMap],
    known: Sequence[str],
    *,
    interval: bool = True,
    on_unseen_classes: OnUnseenClasses = "error",
) -> SegmentationEvaluation:
    """Judge maps of the photos, in the data set's order, by a segmenter that knows the classes `known`.

    Maps are looked at one by one, so that they need not all be kept. Raises LabelError as `evaluate_segmenter`
    does, and ValueError where there are more or fewer maps than photos, or one of another size.
    """
    if not len(dataset):
        advice = "Choose a split that has photos, or give a folder of labeled photos."
        raise LabelError(f"There are no photos to evaluate on in {dataset.root}. {advice}")
    judged = judged_classes(dataset, known, on_unseen_classes)
    photos = [
        _count(dataset, photo, found, judged) for photo, found in zip(range(len(dataset)), maps, strict=True)
    ]
    counts = SegmentationCounts(*(np.stack(parts) for parts in zip(*photos, strict=True)))
    foreign = int(counts.confusion[:, :, -1].sum())
    return SegmentationEvaluation(
        metrics=segmentation_metrics(counts, judged.class_names),
        interval=miou_interval(counts) if interval else None,
        images=len(dataset),
        notes=judged.notes + foreign_note(judged, foreign, max(1, int(counts.confusion.sum()))),
    )


def _count(
    dataset: SegmentationDataset, photo: int, found: SegmentationMap, judged: Judged
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """The confusion (K, K + 1) and the rims' pixels in both and in either, (K,) and (K,)."""
    truth = judged.truth[dataset.target(photo).labels.numpy()]
    if found.size != truth.shape:
        raise ValueError(f"{dataset.files[photo]}: expected a map of {truth.shape}, found {found.size}")
    predicted = judged.predicted(found.labels.cpu().numpy(), found.class_names)
    k = len(judged.class_names)
    return confusion(truth, predicted, k), *boundary_counts(truth, predicted, k)
