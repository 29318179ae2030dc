"""Findings that only follow from another one. The cause is reported; its consequences are not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from boxmask.data.checks.box_sizes import BOX_EXTREME_SHAPE, BOX_TINY, BOX_WHOLE_PHOTO
from boxmask.data.checks.class_counts import CLASS_EMPTY, CLASS_IMBALANCE, CLASS_MISSING_IN_SPLIT, CLASS_RARE
from boxmask.data.checks.class_shift import CLASS_SHIFT
from boxmask.data.checks.exchanged_coordinates import COORDINATES_EXCHANGED
from boxmask.data.checks.nearly_repeated_boxes import BOX_NEARLY_REPEATED
from boxmask.data.checks.outline_boxes import OUTLINE_MISFITS_BOX
from boxmask.data.checks.outline_crossings import OUTLINE_SELF_CROSSING
from boxmask.data.checks.outline_places import OUTLINE_OUTSIDE
from boxmask.data.checks.photo_counts import (
    BACKGROUND_SHARE,
    OBJECTS_MISSING,
    PHOTO_WITHOUT_OBJECTS,
    SPLIT_SMALL,
)
from boxmask.data.checks.plausibility import BOXES_COUNT_FROM_ZERO, BOXES_UPPER_LEFT
from boxmask.data.checks.similar_class_names import CLASS_NAMES_SIMILAR
from boxmask.data.detection.box_checks import (
    BOX_BEYOND_EDGE,
    BOX_EMPTY,
    BOX_IN_FRACTIONS,
    BOX_INVERTED,
    BOX_NOT_FINITE,
    BOX_OUTSIDE,
)
from boxmask.data.detection.box_forms import (
    COORDINATES_CENTERS,
    COORDINATES_CORNERS,
    COORDINATES_SIZES,
    COORDINATES_UPPER_LEFT,
)
from boxmask.data.detection.coordinates import COORDINATES_FRACTIONS
from boxmask.data.detection.declared_sizes import EXIF_SIDEWAYS, SIZE_DIFFERS
from boxmask.data.detection.outline_masks import (
    OUTLINE_EMPTY,
    OUTLINE_FAR_OUTSIDE,
    OUTLINE_FEW_POINTS,
    OUTLINE_UNREADABLE,
    OUTLINE_WRONG_SIZE,
)
from boxmask.data.detection.undeclared_classes import CLASS_UNDECLARED
from boxmask.data.findings import Finding, Findings, Kind
from boxmask.data.formats.coco.areas import AREA_WRONG
from boxmask.data.formats.kinds import (
    CLASS_UNKNOWN,
    COORDINATES_PERCENT,
    COORDINATES_SCALED,
    FILE_UNUSED,
    ID_UNKNOWN,
    PHOTO_RESIZED,
    PHOTO_WITHOUT_LABEL,
)
from boxmask.data.formats.yolo.kinds import (
    COORDINATES_PIXELS,
    COORDINATES_UNCLEAR,
    FILE_UNIT_DIFFERS,
    SPLIT_PATH_WRONG,
)

_PLACES = frozenset(
    (
        BOX_OUTSIDE,
        BOX_IN_FRACTIONS,
        BOX_BEYOND_EDGE,
        BOX_WHOLE_PHOTO,
        BOXES_UPPER_LEFT,
        OUTLINE_OUTSIDE,
        OUTLINE_FAR_OUTSIDE,
        OUTLINE_EMPTY,
        OUTLINE_MISFITS_BOX,
        AREA_WRONG,
    )
)
_SIZES = frozenset((BOX_TINY, BOX_EXTREME_SHAPE, BOX_NEARLY_REPEATED))
_SIDES = frozenset((BOX_EMPTY, BOX_INVERTED, BOXES_COUNT_FROM_ZERO))
_OUTLINES = frozenset((OUTLINE_OUTSIDE, OUTLINE_EMPTY, OUTLINE_MISFITS_BOX, AREA_WRONG))
_WITHOUT_OUTLINE = frozenset((BOX_EMPTY, AREA_WRONG))
_PHOTOS = frozenset(
    (FILE_UNUSED, PHOTO_WITHOUT_LABEL, PHOTO_WITHOUT_OBJECTS, SPLIT_SMALL, BACKGROUND_SHARE, OBJECTS_MISSING)
)
_CLASSES = frozenset(
    (CLASS_UNKNOWN, ID_UNKNOWN, CLASS_EMPTY, CLASS_MISSING_IN_SPLIT, CLASS_RARE, CLASS_IMBALANCE)
)

Scope: TypeAlias = Literal["data set", "photo", "object"]
"""Where a cause has consequences: everywhere, in the same photo, or at the same place in the labels."""


@dataclass(frozen=True, slots=True)
class _Rule:
    scope: Scope
    consequences: frozenset[Kind]


CONSEQUENCES: Mapping[Kind, _Rule] = {
    COORDINATES_FRACTIONS: _Rule("data set", _PLACES | _SIZES | _SIDES),
    COORDINATES_PERCENT: _Rule("data set", _PLACES | _SIZES | _SIDES),
    COORDINATES_PIXELS: _Rule("data set", _PLACES | _SIZES | _SIDES),
    COORDINATES_UNCLEAR: _Rule("data set", _PLACES | _SIZES | _SIDES),
    COORDINATES_CORNERS: _Rule("data set", _PLACES | _SIZES | _SIDES),
    COORDINATES_SIZES: _Rule("data set", _PLACES | _SIZES | _SIDES),
    COORDINATES_CENTERS: _Rule("data set", _PLACES | _SIZES),
    COORDINATES_UPPER_LEFT: _Rule("data set", _PLACES | _SIZES),
    COORDINATES_EXCHANGED: _Rule("data set", _PLACES | _SIZES),
    COORDINATES_SCALED: _Rule("data set", _PLACES | _SIZES),
    SPLIT_PATH_WRONG: _Rule("data set", _PHOTOS | _CLASSES - {CLASS_UNKNOWN, ID_UNKNOWN}),
    CLASS_SHIFT: _Rule("data set", _CLASSES),
    EXIF_SIDEWAYS: _Rule("photo", _PLACES | _SIZES),
    FILE_UNIT_DIFFERS: _Rule("photo", _PLACES | _SIZES),
    PHOTO_RESIZED: _Rule("photo", frozenset((BOX_BEYOND_EDGE, OUTLINE_OUTSIDE, OUTLINE_MISFITS_BOX))),
    CLASS_NAMES_SIMILAR: _Rule("object", frozenset((CLASS_UNDECLARED,))),
    SIZE_DIFFERS: _Rule("photo", frozenset((BOX_BEYOND_EDGE,))),
    OUTLINE_FEW_POINTS: _Rule("object", _WITHOUT_OUTLINE),
    OUTLINE_UNREADABLE: _Rule("object", _WITHOUT_OUTLINE),
    OUTLINE_WRONG_SIZE: _Rule("object", _WITHOUT_OUTLINE),
    OUTLINE_EMPTY: _Rule("object", _WITHOUT_OUTLINE | {OUTLINE_SELF_CROSSING, OUTLINE_MISFITS_BOX}),
    OUTLINE_FAR_OUTSIDE: _Rule("object", _WITHOUT_OUTLINE | _PLACES),
    OUTLINE_OUTSIDE: _Rule("object", frozenset((BOX_BEYOND_EDGE, AREA_WRONG))),
    OUTLINE_MISFITS_BOX: _Rule("object", frozenset((AREA_WRONG,))),
    BOX_OUTSIDE: _Rule("object", _OUTLINES),
    BOX_EMPTY: _Rule("object", _OUTLINES),
    BOX_INVERTED: _Rule("object", _OUTLINES),
    BOX_NOT_FINITE: _Rule("object", _OUTLINES),
    BOX_IN_FRACTIONS: _Rule("object", _OUTLINES),
    BOX_TINY: _Rule("object", _OUTLINES),
    BOX_BEYOND_EDGE: _Rule("object", frozenset((OUTLINE_MISFITS_BOX,))),
    BOX_WHOLE_PHOTO: _Rule("object", frozenset((OUTLINE_MISFITS_BOX,))),
    BOX_EXTREME_SHAPE: _Rule("object", frozenset((OUTLINE_MISFITS_BOX,))),
}
"""The consequences of each cause."""

ABOUT_ALL_LABELS = tuple(cause for cause, rule in CONSEQUENCES.items() if rule.scope == "data set")
"""Mistakes of all labels of a data set, without which nothing else about them can be judged."""


def remove_consequences(
    findings: Findings, scopes: Iterable[Scope] = ("data set", "photo", "object")
) -> None:
    """Remove the findings that follow from others. Training keeps those of single objects, to count them."""
    for cause in findings.kinds:
        rule = CONSEQUENCES.get(cause)
        if rule is None or rule.scope not in scopes or not findings.count(cause):
            continue
        follows = _follows_from(findings.of(cause), rule.scope)
        for kind in findings.kinds:
            if kind not in rule.consequences:
                continue
            if kind == ID_UNKNOWN:
                findings.remove(kind, _names_unknown_class)
            elif rule.scope == "data set":
                findings.remove_all(kind)
            else:
                findings.remove(kind, follows)


def is_cause(kind: Kind) -> bool:
    """Whether findings about other places than its own may follow from one of this kind."""
    return kind in CONSEQUENCES and CONSEQUENCES[kind].scope != "object"


def _follows_from(causes: Iterable[Finding], scope: Scope) -> Callable[[Finding], bool]:
    """Whether a finding lies in the photo or at the object of one of the causes."""
    if scope == "photo":
        photos = {cause.photo for cause in causes} - {""}
        return lambda finding: finding.photo in photos
    places = {cause.location for cause in causes}
    return lambda finding: finding.location in places


def _names_unknown_class(finding: Finding) -> bool:
    """Whether an unknown id is that of a class, not of a photo."""
    return finding.class_number is not None
