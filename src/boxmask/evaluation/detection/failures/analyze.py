"""Analyze what failed in the detections of many photos."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from jaxtyping import Int
from torch import Tensor

from boxmask.data.detection.dataset import DetectionDataset
from boxmask.evaluation.checks import check_has_photos
from boxmask.evaluation.detection.arrays import Kind
from boxmask.evaluation.detection.classes import keep_known_classes, with_class_names
from boxmask.evaluation.detection.curves import precision_recall_curves
from boxmask.evaluation.detection.failures.analysis import DetectionFailures
from boxmask.evaluation.detection.failures.confusion import detection_confusion
from boxmask.evaluation.detection.failures.error_breakdown import error_breakdown
from boxmask.evaluation.detection.failures.kept import keep, min_scores, score_curves
from boxmask.evaluation.detection.failures.make_cases import CaseMaker
from boxmask.evaluation.detection.failures.matches import NONE, Matches, match_detections
from boxmask.evaluation.detection.failures.photos import rank_photos
from boxmask.evaluation.detection.failures.sizes import recall_by_size
from boxmask.evaluation.detection.failures.suspects import suspect_labels
from boxmask.evaluation.failures.calibration import Calibration, calibrate
from boxmask.evaluation.proposals import proposal_curve
from boxmask.names import class_name
from boxmask.types import Detections


def analyze_failures(
    dataset: DetectionDataset,
    detections: Sequence[Detections],
    kind: Kind = "bbox",
    *,
    proposals: Iterable[Tensor] | None = None,
) -> DetectionFailures:
    """What failed in the detections. `detections[i]` belongs to photo i of `dataset`.

    kind:      what IoU compares: boxes ("bbox") or masks ("segm")
    proposals: the proposals (P, 4) that the detections of each photo were made from

    Classes that the detector does not know, and those that the data set does not have, are left out. Raises
    LabelError without photos and without common classes, and ValueError if the number of photos differs, or
    for kind "segm" if detections have no masks.
    """
    check_has_photos(dataset)
    found = list(detections)
    known, rows = _known_part(dataset, found)
    names = known.class_names
    indices = [_indices(in_photo, names) for in_photo in found]
    matching = [with_class_names(in_photo, names) for in_photo in found]
    matches = match_detections(known, matching, kind)
    curves = score_curves(matches, known.labels, len(names))
    minimum = min_scores(curves)
    kept, maker = keep(matches, minimum), CaseMaker(known, matches, rows, indices)
    suspects = suspect_labels(dataset, matching, names)
    return DetectionFailures(
        kind=kind,
        files=dataset.files,
        min_scores=dict(zip(names, minimum.tolist(), strict=True)),
        errors=error_breakdown(known, matches, kept, maker),
        curves=precision_recall_curves(known, matching, kind),
        scores=dict(zip(names, curves, strict=True)),
        confusion=detection_confusion(known, matches, kept, maker),
        sizes=recall_by_size(known, matches, kept),
        calibration=_calibration(matches, matches.ranks[matches.counted[matches.ranks]]),
        class_calibration=_class_calibration(matches, names),
        suspects=suspects,
        photos=rank_photos(known, matches, kept, suspects),
        proposals=None if proposals is None else proposal_curve(dataset, proposals),
    )


def _known_part(
    dataset: DetectionDataset, detections: Sequence[Detections]
) -> tuple[DetectionDataset, Int[np.ndarray, " N"]]:
    """The data set without classes that the detector does not know, and the rows of its objects."""
    names = list(dict.fromkeys(name for in_photo in detections for name in in_photo.class_names))
    known, _ = keep_known_classes(dataset, names, "skip")
    is_known = np.array([name in known.class_names for name in dataset.class_names], dtype=np.bool_)
    return known, np.flatnonzero(is_known[dataset.labels])


def _indices(detections: Detections, class_names: Sequence[str]) -> Int[np.ndarray, " D"]:
    """The detections that `with_class_names` keeps."""
    known = {class_name(name) for name in class_names}
    is_known = np.array([class_name(name) in known for name in detections.class_names], dtype=np.bool_)
    return np.flatnonzero(is_known[detections.labels])


def _class_calibration(matches: Matches, class_names: Sequence[str]) -> dict[str, Calibration]:
    by_class = {
        name: _calibration(matches, matches.of_class(label)) for label, name in enumerate(class_names)
    }
    return {name: calibration for name, calibration in by_class.items() if calibration is not None}


def _calibration(matches: Matches, rows: Int[np.ndarray, " C"]) -> Calibration | None:
    return calibrate(matches.scores[rows], matches.found[rows] != NONE)
