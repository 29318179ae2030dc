"""Evaluate a detector on labeled photos: COCO's and VOC's metrics, per class, with confidence intervals.

A detector that finds masks is also evaluated by its masks, if the labels have any.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from jaxtyping import Int

from boxmask.data.class_checks import OnUnseenClasses
from boxmask.data.detection.dataset import DetectionDataset
from boxmask.detectors.contract import Detector
from boxmask.evaluation.checks import check_has_photos
from boxmask.evaluation.contract import (
    Interval,
    evaluation_to_json,
    find_interval,
    find_metric,
    intervals_to_dict,
    summarize,
)
from boxmask.evaluation.detection.arrays import counted_objects
from boxmask.evaluation.detection.bootstrap import (
    APIntervals,
    ap_intervals,
    class_intervals,
    overall_intervals,
)
from boxmask.evaluation.detection.boundary_ap import BoundaryMetrics, boundary_metrics
from boxmask.evaluation.detection.classes import extra_classes_note, keep_known_classes, with_class_names
from boxmask.evaluation.detection.coco import CocoMetrics, coco_metrics
from boxmask.evaluation.detection.detect import detect_all
from boxmask.evaluation.detection.voc import VocMetrics, voc_metrics
from boxmask.evaluation.intervals.groups import photo_groups
from boxmask.evaluation.seen_photos import SeenPhotos, find_seen, seen_to_dict
from boxmask.messages import format_count
from boxmask.progress import Progress
from boxmask.types import Detections

MASK_METRICS = ("AP", "AP50", "AP75", "APs", "APm", "APl")  # COCO's metrics that are reported for masks


@dataclass(frozen=True)
class MaskEvaluation:
    """The metrics of masks.

    ap_intervals: of mask AP, AP50 and AP75; None as in `DetectionEvaluation`
    objects:      number of objects that count: those whose mask is known
    """

    coco: CocoMetrics
    boundary: BoundaryMetrics
    ap_intervals: APIntervals | None
    objects: int

    def metrics(self) -> dict[str, float | None]:
        """The metrics over all classes, by name."""
        by_name = {f"mask_{name}": getattr(self.coco, name) for name in MASK_METRICS}
        return by_name | {"boundary_AP": self.boundary.AP, "boundary_AP50": self.boundary.AP50}

    def intervals(self) -> dict[str, Interval | None]:
        """The intervals of mask_AP, mask_AP50 and mask_AP75."""
        return {f"mask_{name}": interval for name, interval in overall_intervals(self.ap_intervals).items()}

    def metrics_of_class(self, name: str) -> dict[str, float | None]:
        """The metrics of one class."""
        ap = self.coco.per_class[name]
        return {"mask_AP": ap.AP, "mask_AP50": ap.AP50}

    def intervals_of_class(self, name: str) -> dict[str, Interval | None]:
        """The intervals of `metrics_of_class`."""
        return {f"mask_{metric}": each for metric, each in class_intervals(self.ap_intervals, name).items()}


@dataclass(frozen=True, repr=False)
class DetectionEvaluation:
    """How well a detector does on labeled photos; an `Evaluation`.

    AP, AP50, AP75 and their mask counterparts have confidence intervals, also per class.

    ap_intervals: of AP, AP50 and AP75; None if not requested, with fewer than two photos or without objects
    images:       number of photos
    objects:      number of objects that count; crowd regions and difficult objects do not
    notes:        what was left out, in sentences
    masks:        the metrics of masks; None if the detector or the labels have no masks
    seen:         the photos that the detector has seen in training; None if that is not known
    """

    coco: CocoMetrics
    voc: VocMetrics
    ap_intervals: APIntervals | None
    images: int
    objects: int
    notes: tuple[str, ...] = ()
    masks: MaskEvaluation | None = None
    seen: SeenPhotos | None = None

    def __getitem__(self, name: str) -> float | None:
        return find_metric(self._metrics(), name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._metrics())

    def __repr__(self) -> str:
        names = ["AP", "AP50"] + ([] if self.masks is None else ["mask_AP", "mask_AP50"])
        return summarize(self, names, format_count(self.images, "photo"))

    def keys(self) -> list[str]:
        """The names of the metrics, those of masks only if masks were evaluated."""
        return list(self._metrics())

    def interval(self, name: str) -> Interval | None:
        """The confidence interval of a metric, or None. Raises KeyError for an unknown metric."""
        return find_interval(self._metrics(), self._intervals(), name)

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and lists: fractions, or None without objects to measure.

        The metrics of masks are included only if masks were evaluated.
        """
        intervals = self.ap_intervals
        masks = {} if self.masks is None else {"mask_objects": self.masks.objects}
        return {
            **self._metrics(),
            **intervals_to_dict(self._intervals()),
            "interval_confidence": None if intervals is None else intervals.confidence,
            "interval_resamples": None if intervals is None else intervals.resamples,
            "per_class": {name: self._metrics_of_class(name) for name in self.coco.per_class},
            "images": self.images,
            "objects": self.objects,
            **masks,
            **seen_to_dict(self.seen),
            "notes": list(self.notes),
        }

    def to_json(self) -> str:
        """`to_dict()` as JSON text."""
        return evaluation_to_json(self)

    def _metrics(self) -> dict[str, float | None]:
        coco = asdict(self.coco)
        del coco["per_class"]
        masks = {} if self.masks is None else self.masks.metrics()
        return coco | masks | {"VOC_AP_11": self.voc.AP_11, "VOC_AP_all": self.voc.AP_all}

    def _intervals(self) -> dict[str, Interval | None]:
        masks = {} if self.masks is None else self.masks.intervals()
        return overall_intervals(self.ap_intervals) | masks

    def _metrics_of_class(self, name: str) -> dict[str, Any]:
        ap = self.coco.per_class[name]
        voc = self.voc.per_class[name]
        best = {
            "best_F1": None if voc.best is None else voc.best.F1,
            "best_min_score": None if voc.best is None else voc.best.min_score,
        }
        masks = {} if self.masks is None else self.masks.metrics_of_class(name)
        metrics = {"AP": ap.AP, "AP50": ap.AP50, **masks, "VOC_AP": voc.AP_all, **best, "objects": ap.objects}
        return metrics | intervals_to_dict(self.intervals_of_class(name))

    def intervals_of_class(self, name: str) -> dict[str, Interval | None]:
        """The intervals of AP and AP50 of one class, and of its mask counterparts."""
        masks = {} if self.masks is None else self.masks.intervals_of_class(name)
        return class_intervals(self.ap_intervals, name) | masks


def evaluate_detector(
    detector: Detector,
    dataset: DetectionDataset,
    *,
    interval: bool = True,
    on_unseen_classes: OnUnseenClasses = "error",
    progress: Progress | None = None,
) -> DetectionEvaluation:
    """Run a detector on every photo and evaluate its detections. Classes are matched by name.

    interval: whether to compute confidence intervals
    progress: `progress(done, total)` is called after each photo

    Raises LabelError without photos and, before any photo is opened, for classes that the detector does not
    know; `on_unseen_classes="skip"` leaves such classes out. Raises PhotoError if a photo cannot be opened.
    """
    check_known_classes(detector, dataset, on_unseen_classes)
    detections = detect_all(detector, dataset, progress=progress)
    return evaluate_detections(dataset, detections, interval=interval, on_unseen_classes=on_unseen_classes)


def check_known_classes(
    detector: Detector, dataset: DetectionDataset, on_unseen_classes: OnUnseenClasses
) -> None:
    """Raise LabelError without photos, or for classes that the detector does not know (unless skipped)."""
    check_has_photos(dataset)
    keep_known_classes(dataset, detector.config.class_names, on_unseen_classes)


def evaluate_detections(
    dataset: DetectionDataset,
    detections: Sequence[Detections],
    *,
    interval: bool = True,
    on_unseen_classes: OnUnseenClasses = "error",
) -> DetectionEvaluation:
    """Evaluate given detections. `detections[i]` belongs to photo i of `dataset`.

    Raises LabelError as `evaluate_detector` does, and ValueError if the number of photos differs.
    """
    check_has_photos(dataset)
    known = list(dict.fromkeys(name for in_photo in detections for name in in_photo.class_names))
    kept, notes = keep_known_classes(dataset, known, on_unseen_classes)
    matching = [with_class_names(in_photo, kept.class_names) for in_photo in detections]
    groups = photo_groups(kept) if interval else None
    masks, mask_notes = _evaluate_masks(kept, matching, interval, groups)
    return DetectionEvaluation(
        coco=coco_metrics(kept, matching),
        voc=voc_metrics(kept, matching),
        ap_intervals=ap_intervals(kept, matching, groups=groups) if interval else None,
        images=len(kept),
        objects=int(kept.counted.sum()),
        notes=notes + extra_classes_note(detections, dataset.class_names) + mask_notes,
        masks=masks,
        seen=find_seen(dataset),
    )


def _evaluate_masks(
    dataset: DetectionDataset,
    detections: Sequence[Detections],
    interval: bool,
    groups: Int[np.ndarray, " P"] | None,
) -> tuple[MaskEvaluation | None, tuple[str, ...]]:
    """The metrics of masks, if there are any to compare, and notes."""
    if any(in_photo.masks is None for in_photo in detections):
        return None, ()
    objects, all_objects = int(counted_objects(dataset, "segm").sum()), int(dataset.counted.sum())
    if not objects:
        return None, ("Masks were not evaluated: the labels have boxes only.",) if all_objects else ()
    evaluation = MaskEvaluation(
        coco=coco_metrics(dataset, detections, "segm"),
        boundary=boundary_metrics(dataset, detections),
        ap_intervals=ap_intervals(dataset, detections, "segm", groups=groups) if interval else None,
        objects=objects,
    )
    missing = all_objects - objects
    note = f"{missing} of {all_objects} objects have no mask and are left out of the metrics of masks."
    return evaluation, (note,) if missing else ()
