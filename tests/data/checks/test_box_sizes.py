"""Boxes that are tiny, of an extreme shape, or over their whole photo. Photos have 400 × 300 pixels."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from boxmask.data.checks.box_sizes import check_box_sizes
from boxmask.data.checks.examination import Examination
from boxmask.data.findings import Finding, Findings, Kind, Location

Make = Callable[..., Examination]
Find = Callable[..., list[Finding]]
GOOD = (0, "cat", (20.0, 30.0, 120.0, 90.0))


@pytest.mark.parametrize(
    ("box", "kind"),
    [
        ([10, 10, 11, 12], "box-tiny"),
        ([10, 10, 60, 11.5], "box-tiny"),
        ([10, 10, 12, 12], "box-tiny"),
        ([10, 10, 13, 13], None),
        ([10, 10, 70, 13], "box-extreme-shape"),
        ([10, 10, 69.9, 13], None),
        ([10, 10, 13, 200], "box-extreme-shape"),
        ([0, 10, 1, 12], None),  # the last bit of an object at the edge
        ([0, 10, 60, 12], None),
        ([0, 0, 400, 300], "box-whole-photo"),
        ([1, -3, 405, 299], "box-whole-photo"),
        ([2, 0, 400, 300], None),
        ([0, 0, 400, 298.5], None),
        ([10, 10, 10, 20], None),  # empty, which is an error of its own
        ([np.nan, 10, 60, 20], None),
    ],
)
def test_sizes(examination_of: Make, found_by: Find, box: Sequence[float], kind: str | None) -> None:
    found = found_by(check_box_sizes, examination_of([GOOD, (0, "cat", box), GOOD]))
    assert [finding.kind.id for finding in found] == ([kind] if kind else [])
    assert [(finding.location.line, finding.box) for finding in found] == [(2, tuple(box))] * bool(kind)


def test_a_finding_tells_class_photo_and_size(examination_of: Make, found_by: Find) -> None:
    found = found_by(check_box_sizes, examination_of([(1, "cat", [10, 10, 11, 12.5])], files=2))
    assert str(found[0]) == "labels.csv:1: cat in 001.jpg is 1 × 2.5 pixels"
    assert found[0].photo == "001.jpg"


@pytest.mark.parametrize(
    ("box", "kind"), [([10, 10, 11, 11], "box-tiny"), ([10, 10, 310, 13], "box-extreme-shape")]
)
@pytest.mark.parametrize("count", [9, 10])
def test_a_class_of_small_or_long_objects_is_left_alone(
    examination_of: Make, found_by: Find, box: Sequence[float], kind: str, count: int
) -> None:
    objects = [*[(0, "star", box)] * count, *[GOOD] * 500, (0, "cat", box)]
    found = found_by(check_box_sizes, examination_of(objects))
    assert [finding.kind.id for finding in found] == [kind] * (1 if count == 10 else 10)


def test_a_set_of_close_ups_is_reported_once(examination_of: Make, found_by: Find) -> None:
    close_ups = [(0, "cat", [0, 0, 400, 300])] * 10
    assert len(found_by(check_box_sizes, examination_of([*close_ups, *[GOOD] * 191]))) == 10
    found = found_by(check_box_sizes, examination_of([*close_ups, *[GOOD] * 190]))
    assert len(found) == 1
    assert "10 of 200 boxes cover their whole photo" in found[0].detail


def test_crowds_are_not_judged(examination_of: Make, found_by: Find) -> None:
    assert found_by(check_box_sizes, examination_of([(0, "cat", [0, 0, 400, 300])], crowd=[0])) == []


def test_photos_of_unknown_size_are_never_covered(examination_of: Make, found_by: Find) -> None:
    assert found_by(check_box_sizes, examination_of([(0, "cat", [0, 0, 40, 30])], size=(0, 0))) == []


def test_sizes_tell_nothing_if_all_coordinates_are_wrong(examination_of: Make) -> None:
    findings = Findings()
    findings.add(Finding(Kind("coordinates-fractions", "error", "", ""), Location("labels.csv")))
    check_box_sizes(examination_of([(0, "cat", [0.1, 0.1, 0.2, 0.2])]), findings)
    assert len(findings) == 1
