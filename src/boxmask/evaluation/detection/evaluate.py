"""How good a detector is on labeled photos: COCO's and VOC's figures, by class, with intervals.

A detector that outlines what it finds is judged by the outlines too, where the labels have any.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from boxmask.data.class_checks import OnUnseenClasses
from boxmask.data.detection.dataset import DetectionDataset
from boxmask.detectors.contract import Detector
from boxmask.errors import LabelError
from boxmask.evaluation.detection.arrays import judged_objects
from boxmask.evaluation.detection.bootstrap import Interval, ap_interval
from boxmask.evaluation.detection.boundary_ap import BoundaryMetrics, boundary_metrics
from boxmask.evaluation.detection.classes import foreign_note, renamed, seen_classes
from boxmask.evaluation.detection.coco import CocoMetrics, coco_metrics
from boxmask.evaluation.detection.detect import detect_all
from boxmask.evaluation.detection.voc import VocMetrics, voc_metrics
from boxmask.types import Detections

MASK_FIGURES = ("AP", "AP50", "AP75", "APs", "APm", "APl")  # of COCO's twelve, what is told of masks


@dataclass(frozen=True)
class MaskEvaluation:
    """The figures of the outlines.

    interval: of mask AP and mask AP50; None as in `DetectionEvaluation`
    objects:  how many objects count: those whose outline is known
    """

    coco: CocoMetrics
    boundary: BoundaryMetrics
    interval: Interval | None
    objects: int

    def to_dict(self) -> dict[str, Any]:
        """The same as plain numbers and lists."""
        figures = {f"mask_{name}": getattr(self.coco, name) for name in MASK_FIGURES}
        interval = self.interval
        return figures | {
            "boundary_AP": self.boundary.AP,
            "boundary_AP50": self.boundary.AP50,
            "mask_AP_interval": interval and list(interval.AP),
            "mask_AP50_interval": interval and list(interval.AP50),
            "outlined_objects": self.objects,
        }

    def of_class(self, name: str) -> dict[str, float | None]:
        """What is told of one class."""
        ap = self.coco.per_class[name]
        return {"mask_AP": ap.AP, "mask_AP50": ap.AP50}


@dataclass(frozen=True)
class DetectionEvaluation:
    """The figures of one detector on one set of photos.

    interval: of AP and AP50; None where it was not asked for or nothing can be said
    images:   how many photos
    objects:  how many objects count (crowd regions and difficult objects do not)
    notes:    what was left out, in sentences
    masks:    the figures of the outlines; None where the detector or the labels have none
    """

    coco: CocoMetrics
    voc: VocMetrics
    interval: Interval | None
    images: int
    objects: int
    notes: tuple[str, ...] = ()
    masks: MaskEvaluation | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and lists for a program to read: fractions, None where nothing can be measured.

        Figures of masks are there only where masks were judged.
        """
        figures = asdict(self.coco)
        del figures["per_class"]
        figures |= {} if self.masks is None else self.masks.to_dict()
        interval = self.interval
        return figures | {
            "VOC_AP_11": self.voc.AP_11,
            "VOC_AP_all": self.voc.AP_all,
            "AP_interval": interval and list(interval.AP),
            "AP50_interval": interval and list(interval.AP50),
            "interval_confidence": interval and interval.confidence,
            "interval_resamples": interval and interval.resamples,
            "per_class": self._per_class(),
            "images": self.images,
            "objects": self.objects,
            "notes": list(self.notes),
        }

    def _per_class(self) -> dict[str, dict[str, float | int | None]]:
        return {name: self._of_class(name) for name in self.coco.per_class}

    def _of_class(self, name: str) -> dict[str, float | int | None]:
        ap = self.coco.per_class[name]
        voc = self.voc.per_class[name].AP_all
        outlines = {} if self.masks is None else self.masks.of_class(name)
        return {"AP": ap.AP, "AP50": ap.AP50, **outlines, "VOC_AP": voc, "objects": ap.objects}


def evaluate_detector(
    detector: Detector,
    dataset: DetectionDataset,
    *,
    interval: bool = True,
    on_unseen_classes: OnUnseenClasses = "error",
    progress: Callable[[int, int], None] | None = None,
) -> DetectionEvaluation:
    """Run the detector over the photos and judge what it finds; classes are matched by name.

    Raises LabelError without photos, and, before any photo is opened, where the data set has objects of a
    class that the detector does not know (`on_unseen_classes="skip"` leaves such classes out of the figures).
    """
    check_known_classes(detector, dataset, on_unseen_classes)
    detections = detect_all(detector, dataset, progress=progress)
    return evaluate_detections(dataset, detections, interval=interval, on_unseen_classes=on_unseen_classes)


def check_known_classes(
    detector: Detector, dataset: DetectionDataset, on_unseen_classes: OnUnseenClasses
) -> None:
    """Raise LabelError without photos, or for classes that the detector does not know (unless ignored)."""
    _require_photos(dataset)
    seen_classes(dataset, detector.config.class_names, on_unseen_classes)


def evaluate_detections(
    dataset: DetectionDataset,
    detections: Sequence[Detections],
    *,
    interval: bool = True,
    on_unseen_classes: OnUnseenClasses = "error",
) -> DetectionEvaluation:
    """Judge detections that are there already; `detections[i]` belongs to photo i of the data set.

    Raises LabelError as `evaluate_detector` does, and ValueError where the number of photos differs.
    """
    _require_photos(dataset)
    known = list(dict.fromkeys(name for found in detections for name in found.class_names))
    judged, notes = seen_classes(dataset, known, on_unseen_classes)
    named = [renamed(found, judged.class_names) for found in detections]
    masks, mask_notes = _judge_masks(judged, named, interval)
    return DetectionEvaluation(
        coco=coco_metrics(judged, named),
        voc=voc_metrics(judged, named),
        interval=ap_interval(judged, named) if interval else None,
        images=len(judged),
        objects=int(judged.counted.sum()),
        notes=notes + foreign_note(detections, dataset.class_names) + mask_notes,
        masks=masks,
    )


def _judge_masks(
    dataset: DetectionDataset, detections: Sequence[Detections], interval: bool
) -> tuple[MaskEvaluation | None, tuple[str, ...]]:
    """The figures of the outlines, if there are any to compare, and what to note."""
    if any(found.masks is None for found in detections):
        return None, ()
    objects, all_objects = int(judged_objects(dataset, "segm").sum()), int(dataset.counted.sum())
    if not objects:
        return None, ("The masks could not be judged: the labels have boxes only.",) if all_objects else ()
    evaluation = MaskEvaluation(
        coco=coco_metrics(dataset, detections, "segm"),
        boundary=boundary_metrics(dataset, detections),
        interval=ap_interval(dataset, detections, "segm") if interval else None,
        objects=objects,
    )
    missing = all_objects - objects
    note = f"Left out of the figures of masks: {missing} of {all_objects} objects, which have no outline."
    return evaluation, (note,) if missing else ()


def _require_photos(dataset: DetectionDataset) -> None:
    if not len(dataset):
        raise LabelError(
            f"There are no photos to evaluate_detector on in {dataset.root}. "
            "Choose a split that has photos, or give a folder of labeled photos."
        )
