"""Boxes that are almost the same."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from boxmask.data.checks.contract import Examination
from boxmask.data.checks.nearly_repeated_boxes import MIN_IOU, check_nearly_repeated_boxes
from boxmask.data.findings import Finding

Make = Callable[..., Examination]
Find = Callable[..., list[Finding]]
BOX = (20.0, 30.0, 120.0, 130.0)


@pytest.mark.parametrize(
    ("box", "is_found"),
    [
        ((20.0, 30.0, 120.0, 125.0), True),  # IoU 0.95
        ((20.0, 30.0, 120.0, 124.9), False),
        ((21.0, 31.0, 121.0, 131.0), True),
        ((23.0, 33.0, 123.0, 133.0), False),
        (BOX, False),  # equal boxes are found elsewhere
    ],
)
def test_the_limit(examination_of: Make, found_by: Find, box: tuple[float, ...], is_found: bool) -> None:
    objects = [(0, "cat", BOX), (0, "dog", box), (1, "cat", box), (0, "cat", box)]
    found = found_by(check_nearly_repeated_boxes, examination_of(objects, files=2))
    assert [finding.location.line for finding in found] == [4] * is_found
    if is_found:
        assert found[0].detail.startswith("cat in 000.jpg has an IoU of 0.9")
        assert found[0].detail.endswith("with labels.csv:1")


def test_crowds_are_not_compared(examination_of: Make, found_by: Find) -> None:
    objects = [(0, "cat", BOX), (0, "cat", (20.0, 30, 120, 129))]
    assert found_by(check_nearly_repeated_boxes, examination_of(objects, crowd=[0])) == []


def test_many_boxes_at_one_place_take_bounded_time(examination_of: Make, found_by: Find) -> None:
    objects = [(0, "cat", (0.0, 0, 100, 1 + row)) for row in range(1500)]
    assert found_by(check_nearly_repeated_boxes, examination_of(objects, size=(2000, 2000)))


coordinates = st.integers(0, 60).map(float)


@given(
    st.lists(
        st.tuples(st.sampled_from("ab"), coordinates, coordinates, coordinates, coordinates), max_size=12
    )
)
def test_the_same_pairs_as_by_comparing_all(
    examination_of: Make, found_by: Find, entries: list[tuple[str, float, float, float, float]]
) -> None:
    objects = [(0, name, (x, y, x + 20 + w, y + 20 + h)) for name, x, y, w, h in entries]
    expected = sorted(
        later + 1
        for later, (_, name, box) in enumerate(objects)
        for _, earlier_name, earlier in objects[:later]
        if name == earlier_name and box != earlier and iou(box, earlier) >= MIN_IOU
    )
    found = found_by(check_nearly_repeated_boxes, examination_of(objects, size=(200, 200), classes="ab"))
    assert sorted(finding.location.line or 0 for finding in found) == expected


def iou(box: tuple[float, ...], other: tuple[float, ...]) -> float:
    corners = np.array([box, other])
    sides = np.clip(corners[:, 2:].min(axis=0) - corners[:, :2].max(axis=0), 0, None)
    areas = (corners[:, 2:] - corners[:, :2]).prod(axis=1)
    return float(sides.prod() / (areas.sum() - sides.prod()))
