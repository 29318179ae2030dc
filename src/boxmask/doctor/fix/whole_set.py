"""Mistakes of all labels of a data set, without which nothing else about them can be judged."""

from __future__ import annotations

from boxmask.data.checks.consequences import ABOUT_ALL_LABELS
from boxmask.data.findings import Findings
from boxmask.data.formats.kinds import CLASS_UNKNOWN
from boxmask.doctor.fix.mending import Mending
from boxmask.errors import LabelError


def check_decided(mending: Mending) -> None:
    """Raise LabelError for a mistake of all labels that is not mended.

    A copy would hide it: writing clips boxes, leaves out photos in no split and class numbers without a name,
    and gives objects the names of the wrong classes.
    """
    findings = mending.findings
    left = [kind for kind in ABOUT_ALL_LABELS if findings.count(kind) and kind not in mending.decided]
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
