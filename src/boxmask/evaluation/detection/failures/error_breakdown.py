"""The AP50 that is lost to each kind of error, with examples."""

from __future__ import annotations

from typing import cast

import numpy as np
from jaxtyping import Bool

from boxmask.data.detection.dataset import DetectionDataset
from boxmask.evaluation.detection.failures.analysis import ErrorBreakdown, ErrorName, ErrorType
from boxmask.evaluation.detection.failures.error_types import (
    BACKGROUND,
    BOTH,
    CLASS,
    CORRECT,
    DUPLICATE,
    LOCATION,
    NAMES,
    Errors,
    LostAP,
    find_errors,
    lost_ap,
)
from boxmask.evaluation.detection.failures.kept import Kept
from boxmask.evaluation.detection.failures.make_cases import CaseMaker
from boxmask.evaluation.detection.failures.matches import NONE, Matches

MAX_CASES = 200
"""Cases that are kept of each kind."""


def error_breakdown(
    dataset: DetectionDataset, matches: Matches, kept: Kept, maker: CaseMaker
) -> ErrorBreakdown | None:
    """None without objects."""
    errors = find_errors(matches)
    lost = lost_ap(matches, errors, dataset.labels)
    if lost is None:
        return None
    types = [_wrong(kind, matches, errors, kept, lost, maker) for kind in range(CLASS, BACKGROUND + 1)]
    missed = _missed(dataset, matches, errors, kept, lost, maker)
    return ErrorBreakdown(lost.AP50, (*types, missed), lost.all_wrong, lost.all_missed)


def _wrong(
    kind: int, matches: Matches, errors: Errors, kept: Kept, lost: LostAP, maker: CaseMaker
) -> ErrorType:
    is_kind = errors.types == kind
    rows = matches.ranks[is_kind[matches.ranks]]
    nearest = {
        LOCATION: (matches.same, matches.same_iou),
        DUPLICATE: (matches.same, matches.same_iou),
        CLASS: (matches.other, matches.other_iou),
        BOTH: (matches.other, matches.other_iou),
    }
    partner, ious = nearest.get(kind, (np.full(len(is_kind), NONE), matches.same_iou))
    cases = tuple(
        maker.detection(row, int(partner[row]), float(ious[row])) for row in rows[:MAX_CASES].tolist()
    )
    lost_here, count_kept = lost.by_type[kind - CLASS], int((is_kind & kept.detections).sum())
    return ErrorType(cast(ErrorName, NAMES[kind]), lost_here, len(rows), count_kept, cases)


def _missed(
    dataset: DetectionDataset, matches: Matches, errors: Errors, kept: Kept, lost: LostAP, maker: CaseMaker
) -> ErrorType:
    rows = np.flatnonzero(errors.missed)
    largest = rows[np.argsort(-dataset.areas[rows], kind="stable")][:MAX_CASES].tolist()
    cases = tuple(maker.missed(row) for row in largest)
    count_kept = int(_missed_by_kept(matches, errors, kept).sum())
    return ErrorType("missed", lost.missed, len(rows), count_kept, cases)


def _missed_by_kept(matches: Matches, errors: Errors, kept: Kept) -> Bool[np.ndarray, " N"]:
    """The objects that no kept detection finds or would find without its error."""
    missed = matches.objects & ~kept.found
    could_find = kept.detections & (errors.types != CORRECT) & (errors.targets != NONE)
    missed[errors.targets[could_find]] = False
    return np.asarray(missed)
