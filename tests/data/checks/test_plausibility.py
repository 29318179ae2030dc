"""Data sets whose boxes are all the same."""

from __future__ import annotations

from collections.abc import Callable

from boxmask.data.checks.examination import Examination
from boxmask.data.checks.plausibility import BOXES_IDENTICAL, check_plausibility
from boxmask.data.findings import Finding

Make = Callable[..., Examination]
Find = Callable[..., list[Finding]]
SAME = [(photo, "cat", (0, 0, 32, 32)) for photo in range(60)]


def test_placeholders_are_found(examination_of: Make, found_by: Find) -> None:
    [finding] = found_by(check_plausibility, examination_of(SAME, files=60, size=(32, 32)))
    assert finding.kind == BOXES_IDENTICAL


def test_class_folders_of_photos_of_one_size_are_sound(examination_of: Make, found_by: Find) -> None:
    examination = examination_of(SAME, files=60, size=(32, 32), box_form="mask")
    assert found_by(check_plausibility, examination) == []
