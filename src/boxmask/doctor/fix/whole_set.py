"""Mistakes of all labels of a data set, without which nothing else about them can be judged."""

from __future__ import annotations

from boxmask.data.checks.class_shift import CLASS_SHIFT
from boxmask.data.checks.exchanged_coordinates import COORDINATES_EXCHANGED
from boxmask.data.detection.box_forms import (
    COORDINATES_CENTERS,
    COORDINATES_CORNERS,
    COORDINATES_SIZES,
    COORDINATES_UPPER_LEFT,
)
from boxmask.data.detection.coordinates import COORDINATES_FRACTIONS
from boxmask.data.findings import Findings
from boxmask.data.formats.kinds import CLASS_UNKNOWN, COORDINATES_PERCENT, COORDINATES_SCALED
from boxmask.data.formats.yolo.kinds import COORDINATES_UNCLEAR, SPLIT_PATH_WRONG
from boxmask.doctor.fix.mending import Mending
from boxmask.errors import LabelError

WHOLE_SET = (
    CLASS_SHIFT,
    COORDINATES_CENTERS,
    COORDINATES_CORNERS,
    COORDINATES_EXCHANGED,
    COORDINATES_FRACTIONS,
    COORDINATES_PERCENT,
    COORDINATES_SCALED,
    COORDINATES_SIZES,
    COORDINATES_UNCLEAR,
    COORDINATES_UPPER_LEFT,
    SPLIT_PATH_WRONG,
)


def check_decided(mending: Mending) -> None:
    """Raise LabelError for a mistake of all labels that is not mended.

    A copy would hide it: writing clips boxes, leaves out photos in no split and class numbers without a name,
    and gives objects the names of the wrong classes.
    """
    findings = mending.findings
    left = [kind for kind in WHOLE_SET if findings.count(kind) and kind not in mending.decided]
    if _are_classes_unnamed(findings):
        left.append(CLASS_UNKNOWN)
    if left:
        messages = "\n".join(findings.message(kind) for kind in left)
        raise LabelError(
            f"no mended copy was written: a mistake concerns all labels, and only you can decide what is "
            f"right. Correct it first, then use --fix for the rest.\n{messages}"
        )


def _are_classes_unnamed(findings: Findings) -> bool:
    """Whether nothing names the class numbers of YOLO labels: that is a finding without a line."""
    return any(finding.location.line is None for finding in findings.of(CLASS_UNKNOWN))
