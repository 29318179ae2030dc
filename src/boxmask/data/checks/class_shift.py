"""Class numbers that are all one too high or one too low."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

import numpy as np

from boxmask.data.checks.examination import Examination
from boxmask.data.findings import Finding, Findings, Kind, Location
from boxmask.data.formats import coco, yolo
from boxmask.data.formats.labels import Labels

MIN_OBJECTS = 5
"""With fewer objects, a class may have none by chance."""

MIN_USED = 0.5
"""At least this share of the other classes has objects, so that those without are no accident."""

_BACKGROUND = {"background", "bg", "backgrounds"}

CLASS_SHIFT = Kind(
    "class-shift",
    "error",
    "Class numbers that are off by one",
    "Look at some objects. If each has the name of the class before or after its own in the list, change "
    "the numbers or the names as the finding says. Only you can tell which of the two are wrong.",
)


def check_class_shift(examination: Examination, findings: Findings) -> None:
    """Find class numbers that do not begin where the names begin; see `check_class_numbers`."""
    check_class_numbers(examination.labels, findings)


def check_class_numbers(labels: Labels, findings: Findings) -> None:
    """Find class numbers that do not begin where the names begin.

    - The first class has no object, and the only number without a name is beyond the last: one too high.
    - The last class has no object, and the only number without a name is before the first: one too low.
    - The last class has no object, and the first is named as the background, but has objects: one too low.
      Label maps do show the background.
    """
    is_used = np.bincount(labels.labels, minlength=len(labels.class_names)) > 0
    if len(labels.labels) < MIN_OBJECTS or len(is_used) < 2 or is_used.mean() < MIN_USED or is_used.all():
        return
    first, last = labels.class_names[0], labels.class_names[-1]
    unknown = _unknown_numbers(findings)
    if not is_used[0] and len(unknown) == 1 and max(unknown) - len(is_used) in (0, 1):
        detail = f'the first class, "{first}", has no object, and number {max(unknown)} has no name'
        detail = f"{detail}: the numbers are one too high; {_change(labels, 'high')}"
        findings.add(Finding(CLASS_SHIFT, unknown[max(unknown)], detail))
    elif not is_used[-1] and len(unknown) == 1 and max(unknown) in (-1, 0):
        detail = f'the last class, "{last}", has no object, and number {max(unknown)} has no name'
        shift: _Shift = "low" if max(unknown) == 0 else "below"
        detail = f"{detail}: the numbers are one too low; {_change(labels, shift)}"
        findings.add(Finding(CLASS_SHIFT, unknown[max(unknown)], detail))
    elif (
        labels.box_form != "mask"
        and is_used[0]
        and not is_used[-1]
        and re.sub(r"[\W_]", "", first).casefold() in _BACKGROUND
    ):
        row = int(np.argmax(labels.labels == 0))
        detail = f'the first class, "{first}", has objects, and the last, "{last}", has none'
        photo = labels.photos[labels.photo_of[row]].file
        x1, y1, x2, y2 = labels.boxes[row].tolist()
        detail = f"{detail}: the numbers are one too low; {_change(labels, 'background')}"
        findings.add(Finding(CLASS_SHIFT, labels.location(row), detail, photo, (x1, y1, x2, y2)))


_Shift = Literal["high", "low", "below", "background"]
"""Low numbers begin at 0 where the names begin at 1; those below begin at -1."""

_CHANGES_OF_NAMES: Mapping[_Shift, str] = {
    "high": ", or insert the name of the missing class 0 before the others",
    "low": ", or count the names from 0",
    "below": "",
    "background": ", or remove the background from the names",
}


def _change(labels: Labels, shift: _Shift) -> str:
    """What to change: the numbers of the objects, or the names."""
    change, reverse = ("subtract 1 from", "add 1 to") if shift == "high" else ("add 1 to", "subtract 1 from")
    names = _CHANGES_OF_NAMES[shift]
    if labels.format_name == yolo.NAME:
        lines = f"{change} the first number of each line in the label files (.txt)"
        return f"{lines}{names} in data.yaml" if names else lines
    if labels.format_name == coco.NAME:
        return f"{change} each category_id, or {reverse} the id of each category"
    return f"{change} the class number of each object{names}"


def _unknown_numbers(findings: Findings) -> dict[int, Location]:
    """The numbers in the labels that no class has, with their first location."""
    numbers: dict[int, Location] = {}
    for finding in findings:
        if finding.class_number is not None:
            numbers.setdefault(finding.class_number, finding.location)
    return numbers
