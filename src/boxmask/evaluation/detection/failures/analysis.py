"""What failed in the detections of many photos."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from jaxtyping import Shaped
from numpy import ndarray
from rich.console import Group

from boxmask.evaluation.detection.arrays import Kind
from boxmask.evaluation.detection.curves import PrecisionRecallCurves, ScoreCurve
from boxmask.evaluation.failures.calibration import Calibration
from boxmask.evaluation.failures.cases import Case
from boxmask.evaluation.failures.confusion import ConfusionMatrix
from boxmask.evaluation.failures.contract import MAX_PHOTOS, PhotoFailures
from boxmask.evaluation.proposals import ProposalCurve

MAX_WRITTEN = 20
"""Cases of one kind that `to_dict` holds."""

ErrorName = Literal["class", "location", "both", "duplicate", "background", "missed"]
SuspectKind = Literal["missing", "wrong class", "bad box"]


@dataclass(frozen=True)
class ErrorType:
    """The errors of one kind.

    name:       "class": a detection at the place of an object of another class; "location": a detection that
                overlaps an object of its class too little; "both"; "duplicate": a second detection of an
                object; "background": a detection where no object is labeled; "missed": an object without any
                detection that could be corrected to find it
    lost_AP:    how much higher AP50 would be without these errors
    count:      their number, however low the scores
    count_kept: their number at the minimum scores of `DetectionFailures`
    cases:      those with the highest scores, or the largest missed objects; a long list is cut
    """

    name: ErrorName
    lost_AP: float
    count: int
    count_kept: int
    cases: tuple[Case, ...]


@dataclass(frozen=True)
class ErrorBreakdown:
    """The AP50 that is lost to each kind of error, in the manner of TIDE.

    Bolya, Foley, Hays and Hoffman, "TIDE: A General Toolbox for Identifying Object Detection Errors", ECCV
    2020. Each kind is corrected alone, so the losses need not add up.

    AP50:                 of the detections as they are
    types:                in the order of `ErrorName`
    lost_false_positives: how much higher AP50 would be without wrong detections of any kind
    lost_missed:          how much higher it would be if no object were missed
    """

    AP50: float
    types: tuple[ErrorType, ...]
    lost_false_positives: float
    lost_missed: float


@dataclass(frozen=True, slots=True)
class SizeRecall:
    """The objects whose side, the square root of the area, is from `low` up to `high` pixels.

    high:       None for the largest
    objects:    their number
    found:      how many are found at IoU 0.5, however low the score
    found_kept: how many are found at the minimum scores of `DetectionFailures`
    """

    low: int
    high: int | None
    objects: int
    found: int
    found_kept: int


@dataclass(frozen=True, slots=True)
class SuspectLabel:
    """A label that the model contradicts with a high score. "missing": an object without a label."""

    kind: SuspectKind
    case: Case


@dataclass(frozen=True, eq=False)
class DetectionFailures:
    """What failed in the detections of many photos; a `FailureAnalysis`. A detection is right at IoU 0.5.

    kind:       "bbox" if boxes were compared, "segm" for masks
    files:      of the photos
    min_scores: the recommended minimum score of each class: that with the best F1. Where an object counts as
                found or not, detections with lower scores are left out
    errors:     the AP50 that is lost to each kind of error; None without objects
    curves:     precision and recall of each class at each IoU
    scores:     precision and recall of each class at each minimum score
    confusion:  at the minimum scores; detections of objects that do not count are left out
    sizes:      recall by object size, the smallest first
    calibration: of all detections
    class_calibration: of the detections of each class that has any
    suspects:   labels that are probably missing, wrong or badly placed, the surest of each kind first
    photos:     every photo, those with suspect labels first
    proposals:  recall of the proposals that the detections were made from; None if unknown
    """

    kind: Kind
    files: Shaped[ndarray, " P"]
    min_scores: Mapping[str, float]
    errors: ErrorBreakdown | None
    curves: PrecisionRecallCurves
    scores: Mapping[str, ScoreCurve]
    confusion: ConfusionMatrix
    sizes: tuple[SizeRecall, ...]
    calibration: Calibration | None
    class_calibration: Mapping[str, Calibration]
    suspects: tuple[SuspectLabel, ...]
    photos: tuple[PhotoFailures, ...]
    proposals: ProposalCurve | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, texts and lists; long lists are cut."""
        return {
            "kind": self.kind,
            "min_scores": dict(self.min_scores),
            "errors": None if self.errors is None else self._errors_to_dict(self.errors),
            "curves": self.curves.to_dict(),
            "scores": {name: curve.to_dict() for name, curve in self.scores.items()},
            "confusion": self.confusion.to_dict(self.files),
            "sizes": [asdict(size) for size in self.sizes],
            "calibration": None if self.calibration is None else self.calibration.to_dict(),
            "class_calibration": {name: each.to_dict() for name, each in self.class_calibration.items()},
            "suspects": self._suspects_to_dict(),
            "photos": [photo.to_dict() for photo in self.photos[:MAX_PHOTOS]],
            "proposals": None if self.proposals is None else self.proposals.to_dict(),
        }

    def tables(self) -> Group:
        """Kinds of errors, the most frequent confusions, and the photos to look at first."""
        from boxmask.evaluation.detection.failures.table import error_table
        from boxmask.evaluation.failures.table import confusion_table, photo_table

        errors = [] if self.errors is None else [error_table(self.errors)]
        return Group(*errors, confusion_table(self.confusion), photo_table(self))

    def _errors_to_dict(self, errors: ErrorBreakdown) -> dict[str, Any]:
        types = {
            error.name: {
                "lost_AP": error.lost_AP,
                "count": error.count,
                "count_kept": error.count_kept,
                "cases": [case.to_dict(self.files) for case in error.cases[:MAX_WRITTEN]],
            }
            for error in errors.types
        }
        lost = {"lost_false_positives": errors.lost_false_positives, "lost_missed": errors.lost_missed}
        return {"AP50": errors.AP50, "types": types, **lost}

    def _suspects_to_dict(self) -> dict[str, Any]:
        """The number of suspects of each kind, and the surest of them."""
        by_kind: dict[SuspectKind, list[Case]] = {"missing": [], "wrong class": [], "bad box": []}
        for suspect in self.suspects:
            by_kind[suspect.kind].append(suspect.case)
        return {
            kind: {"count": len(cases), "cases": [case.to_dict(self.files) for case in cases[:MAX_WRITTEN]]}
            for kind, cases in by_kind.items()
        }
