"""What is mended because the labels are written anew, by one writer, from what was understood."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from boxmask.data.findings import Findings
from boxmask.doctor.fix.mending import Change

REWRITTEN = {
    "name-inexact": "the photo is named as its file",
    "encoding-guessed": "written as UTF-8",
    "annotation-id-repeated": "every annotation has an id of its own",
    "class-name-spellings": "written in one spelling",
    "value-converted": "written as the format says",
    "coordinates-percent": "written as fractions of the photo",  # of YOLO, where reading converts them
    "coordinates-pixels": "written as fractions of the photo",
    "area-wrong": "computed from the outline",
}
"""Why a kind of finding is mended, by id."""


def changes_by_rewriting(findings: Findings, mended: Collection[str]) -> Iterator[Change]:
    """A change per finding that writing mends.

    mended: ids of kinds that have changes of their own
    """
    for kind in findings.kinds:
        if kind.id in REWRITTEN and kind.id not in mended:
            for finding in findings.of(kind):
                what = finding.detail or kind.heading
                yield Change(kind.id, finding.location, what, "", "", REWRITTEN[kind.id])
