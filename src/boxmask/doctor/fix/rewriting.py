"""What is mended because the labels are written anew, by one writer, from what was understood."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from boxmask.data.class_names import CLASS_NAME_SPELLINGS
from boxmask.data.findings import Findings, Kind
from boxmask.data.formats.coco.areas import AREA_WRONG
from boxmask.data.formats.kinds import (
    ANNOTATION_ID_REPEATED,
    COORDINATES_PERCENT,
    ENCODING_GUESSED,
    NAME_INEXACT,
    PATH_ELSEWHERE,
    VALUE_CONVERTED,
)
from boxmask.data.formats.yolo.kinds import COORDINATES_PIXELS
from boxmask.doctor.fix.mending import Change

REWRITTEN = {
    NAME_INEXACT: "the photo is named as its file",
    PATH_ELSEWHERE: "the photos are named as their files",
    ENCODING_GUESSED: "written as UTF-8",
    ANNOTATION_ID_REPEATED: "every annotation has an id of its own",
    CLASS_NAME_SPELLINGS: "written in one spelling",
    VALUE_CONVERTED: "written as the format says",
    COORDINATES_PERCENT: "written as fractions of the photo",  # of YOLO, where reading converts them
    COORDINATES_PIXELS: "written as fractions of the photo",
    AREA_WRONG: "computed from the outline",
}
"""Why a kind of finding is mended."""


def changes_by_rewriting(findings: Findings, mended: Collection[Kind]) -> Iterator[Change]:
    """A change per finding that writing mends, or per place of a finding that stands for several.

    mended: kinds that have changes of their own
    """
    for kind in findings.kinds:
        if kind in REWRITTEN and kind not in mended:
            for finding in findings.of(kind):
                for part in finding.parts or (finding,):
                    what = part.detail or kind.heading
                    yield Change(kind, part.location, what, "", "", REWRITTEN[kind])
