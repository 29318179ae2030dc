"""Findings that only follow from another one. The cause is reported; its consequences are not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from boxmask.data.findings import Finding, Findings, Kind

_PLACES = frozenset(
    (
        "box-outside",
        "box-in-fractions",
        "box-beyond-edge",
        "box-whole-photo",
        "boxes-upper-left",
        "outline-outside",
        "outline-far-outside",
        "outline-empty",
        "outline-misfits-box",
        "area-wrong",
    )
)
_SIZES = frozenset(("box-tiny", "box-extreme-shape", "box-nearly-repeated"))
_SIDES = frozenset(("box-empty", "box-inverted", "boxes-count-from-zero"))
_OUTLINES = frozenset(("outline-outside", "outline-empty", "outline-misfits-box", "area-wrong"))
_WITHOUT_OUTLINE = frozenset(("box-empty", "area-wrong"))
_PHOTOS = frozenset(("file-unused", "photo-without-label", "split-small", "background-share"))
_CLASSES = frozenset(
    ("class-unknown", "id-unknown", "class-empty", "class-missing-in-split", "class-rare", "class-imbalance")
)

Scope: TypeAlias = Literal["data set", "photo", "object"]
"""Where a cause has consequences: everywhere, in the same photo, or at the same place in the labels."""


@dataclass(frozen=True, slots=True)
class _Rule:
    scope: Scope
    consequences: frozenset[str]


CONSEQUENCES: Mapping[str, _Rule] = {
    "coordinates-fractions": _Rule("data set", _PLACES | _SIZES | _SIDES),
    "coordinates-percent": _Rule("data set", _PLACES | _SIZES | _SIDES),
    "coordinates-pixels": _Rule("data set", _PLACES | _SIZES | _SIDES),
    "coordinates-corners": _Rule("data set", _PLACES | _SIZES | _SIDES),
    "coordinates-sizes": _Rule("data set", _PLACES | _SIZES | _SIDES),
    "coordinates-centers": _Rule("data set", _PLACES | _SIZES),
    "coordinates-upper-left": _Rule("data set", _PLACES | _SIZES),
    "coordinates-exchanged": _Rule("data set", _PLACES | _SIZES),
    "coordinates-scaled": _Rule("data set", _PLACES | _SIZES),
    "split-path-wrong": _Rule("data set", _PHOTOS | _CLASSES - {"class-unknown", "id-unknown"}),
    "class-shift": _Rule("data set", _CLASSES),
    "exif-sideways": _Rule("photo", _PLACES | _SIZES),
    "photo-resized": _Rule("photo", frozenset(("box-beyond-edge", "outline-outside", "outline-misfits-box"))),
    "class-names-similar": _Rule("object", frozenset(("class-undeclared",))),
    "size-differs": _Rule("photo", frozenset(("box-beyond-edge",))),
    "outline-few-points": _Rule("object", _WITHOUT_OUTLINE),
    "outline-unreadable": _Rule("object", _WITHOUT_OUTLINE),
    "outline-wrong-size": _Rule("object", _WITHOUT_OUTLINE),
    "outline-empty": _Rule("object", _WITHOUT_OUTLINE | {"outline-self-crossing", "outline-misfits-box"}),
    "outline-far-outside": _Rule("object", _WITHOUT_OUTLINE | _PLACES),
    "outline-outside": _Rule("object", frozenset(("box-beyond-edge", "area-wrong"))),
    "outline-misfits-box": _Rule("object", frozenset(("area-wrong",))),
    "box-outside": _Rule("object", _OUTLINES),
    "box-empty": _Rule("object", _OUTLINES),
    "box-inverted": _Rule("object", _OUTLINES),
    "box-not-finite": _Rule("object", _OUTLINES),
    "box-in-fractions": _Rule("object", _OUTLINES),
    "box-tiny": _Rule("object", _OUTLINES),
    "box-beyond-edge": _Rule("object", frozenset(("outline-misfits-box",))),
    "box-whole-photo": _Rule("object", frozenset(("outline-misfits-box",))),
    "box-extreme-shape": _Rule("object", frozenset(("outline-misfits-box",))),
}
"""The consequences of each cause, by the ids of their kinds."""


def remove_consequences(
    findings: Findings, scopes: Iterable[Scope] = ("data set", "photo", "object")
) -> None:
    """Remove the findings that follow from others. Training keeps those of single objects, to count them."""
    for cause in findings.kinds:
        rule = CONSEQUENCES.get(cause.id)
        if rule is None or rule.scope not in scopes or not findings.count(cause):
            continue
        follows = _test(rule.scope, findings.of(cause))
        for kind in findings.kinds:
            if kind.id in rule.consequences:
                findings.remove(kind, follows if kind.id != "id-unknown" else _names_unknown_class)


def is_cause(kind: Kind) -> bool:
    """Whether findings about other places than its own may follow from one of this kind."""
    return kind.id in CONSEQUENCES and CONSEQUENCES[kind.id].scope != "object"


def _test(scope: Scope, causes: Iterable[Finding]) -> Callable[[Finding], bool]:
    """Whether a finding lies in the scope of one of the causes."""
    if scope == "photo":
        photos = {cause.photo for cause in causes} - {""}
        return lambda finding: finding.photo in photos
    if scope == "object":
        places = {cause.location for cause in causes}
        return lambda finding: finding.location in places
    return lambda _: True


def _names_unknown_class(finding: Finding) -> bool:
    """Whether an unknown id is that of a class, not of a photo."""
    return finding.class_number is not None
