"""Options of a prediction for detectors alone: classes, the IoU of NMS, and a minimum score per class."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, TypeAlias

from boxmask.data.class_selection import MODEL_CLASSES, ClassSelection
from boxmask.detectors.contract import Detector
from boxmask.errors import CheckpointError, UsageError
from boxmask.evaluation.detection.best_f1 import MIN_SCORES
from boxmask.options import option
from boxmask.pipeline.model import with_config
from boxmask.prediction.contract import Predictor
from boxmask.prediction.fusion.detector import FusedDetector
from boxmask.prediction.tiles.detector import TiledDetector
from boxmask.results.min_score import MinScore
from boxmask.runtime.models import ExportedDetector
from boxmask.weights.checkpoint import checkpoint_path, read_metadata
from boxmask.weights.published.manifest import is_published_name

AnyDetector: TypeAlias = Detector | ExportedDetector | FusedDetector | TiledDetector


class ChosenClasses:
    """A predictor that keeps some of the classes of its detector.

    Raises UsageError for a class that the detector does not know, and for another model.
    """

    def __init__(self, predictor: Predictor, model: object, classes: tuple[str, ...]) -> None:
        detector = _require_detector(model, option("classes"))
        selection = ClassSelection(classes, owner=MODEL_CLASSES)
        self._predictor = predictor
        self._names = selection.choose(detector.class_names).names

    def predict(self, photo: Any, /) -> Any:
        """The detections of the chosen classes."""
        return self._predictor.predict(photo).filter(names=self._names)


def with_nms_iou(model: object, nms_iou: float) -> Detector:
    """A detector that keeps boxes of one class up to this IoU. Raises UsageError for another model."""
    detector = _require_detector(model, option("nms_iou"))
    if not isinstance(detector, Detector):
        raise UsageError(
            f"{option('nms_iou')}: the NMS of an ONNX file cannot be changed. Use the run that it was "
            "exported from."
        )
    return with_config(detector, nms_iou=nms_iou)


def min_scores(run: Path, model: object, min_score: float | Literal["auto"]) -> MinScore:
    """The minimum score, or that of each class which the training of the run recorded.

    Raises UsageError if it has recorded none, or for "auto" with another model than a detector.
    """
    if min_score != "auto":
        return min_score
    flag = option("min_score", "auto")
    scores = _recorded_metrics(run, _require_detector(model, flag)).get(MIN_SCORES)
    if not scores:
        reason = (
            ""
            if is_published_name(run)
            else " Runs that were trained without validation photos, or by an older version, have none."
        )
        raise UsageError(
            f"{flag}: {run} has no recorded minimum scores.{reason} Give a number, for example "
            "--min-score 0.5."
        )
    valid = isinstance(scores, dict) and all(isinstance(score, float | int) for score in scores.values())
    if not valid:
        raise CheckpointError(
            f"{run}: the recorded minimum scores are damaged. Give a number, or train again."
        )
    return {str(name): float(score) for name, score in scores.items()}


def _recorded_metrics(run: Path, detector: object) -> dict[str, Any]:
    """The metrics that the training recorded; none for published weights."""
    if isinstance(detector, TiledDetector):
        return _recorded_metrics(run, detector.detector)
    if isinstance(detector, ExportedDetector):
        metrics = detector.metadata.evaluation.get("metrics", {})
        return metrics if isinstance(metrics, dict) else {}
    return {} if is_published_name(run) else read_metadata(checkpoint_path(run)).metrics


def _require_detector(model: object, flag: str) -> AnyDetector:
    """The model. Raises UsageError if it is not a detector."""
    if not isinstance(model, AnyDetector):
        raise UsageError(f"{flag} works for detectors only. Leave it out.")
    return model
