"""Boxes that are almost the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from boxmask.data.checks.examination import Examination
from boxmask.data.checks.nearly_repeated_boxes import (
    MIN_IOU,
    MIN_ROUNDED_IOU,
    ROUNDING,
    check_nearly_repeated_boxes,
)
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


@pytest.mark.parametrize(
    ("box", "is_found"),
    [
        ((21.0, 31.0, 51.0, 61.0), True),  # a pixel aside, IoU 0.88
        ((21.5, 30.0, 51.5, 60.0), True),
        ((21.6, 30.0, 51.6, 60.0), False),
        ((20.0, 30.0, 50.0, 57.0), False),
    ],
)
def test_boxes_that_were_rounded(
    examination_of: Make, found_by: Find, box: tuple[float, ...], is_found: bool
) -> None:
    objects = [(0, "cat", (20.0, 30.0, 50.0, 60.0)), (0, "cat", box)]
    assert len(found_by(check_nearly_repeated_boxes, examination_of(objects))) == is_found


@pytest.mark.parametrize("factor", [0.5, 1, 2])
@pytest.mark.parametrize(("distance", "is_found"), [(1.5, True), (1.6, False)])
def test_scaled_boxes_were_rounded_before(
    examination_of: Make, found_by: Find, factor: float, distance: float, is_found: bool
) -> None:
    """The same photos in another size have the same findings."""
    box = np.array([20.0, 30, 50, 60])
    objects = [
        (0, "cat", tuple(factor * box)),
        (0, "cat", tuple(factor * (box + np.array([distance, 0, distance, 0])))),
    ]
    examination = examination_of(objects)
    height, width = examination.sizes[0].tolist()
    photos = [
        replace(examination.labels.photos[0], declared_size=(int(height / factor), int(width / factor)))
    ]
    labels = replace(examination.labels, photos=photos)
    assert len(found_by(check_nearly_repeated_boxes, replace(examination, labels=labels))) == is_found


def test_tiny_neighbors_are_no_copies(examination_of: Make, found_by: Find) -> None:
    objects = [(0, "star", (20.0, 30.0, 24.0, 34.0)), (0, "star", (21.0, 30.0, 25.0, 34.0))]
    assert found_by(check_nearly_repeated_boxes, examination_of(objects)) == []


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
    first = {labeled: row for row, labeled in reversed(list(enumerate(objects)))}  # equal boxes count once
    expected = sorted(
        max(row, other) + 1
        for (_, name, box), row in first.items()
        for (_, other_name, other_box), other in first.items()
        if row < other and name == other_name and are_near(box, other_box)
    )
    found = found_by(check_nearly_repeated_boxes, examination_of(objects, size=(200, 200), classes="ab"))
    assert sorted(finding.location.line or 0 for finding in found) == expected


def are_near(box: tuple[float, ...], other: tuple[float, ...]) -> bool:
    distance = max(abs(a - b) for a, b in zip(box, other, strict=True))
    return iou(box, other) >= (MIN_ROUNDED_IOU if distance <= ROUNDING else MIN_IOU)


def iou(box: tuple[float, ...], other: tuple[float, ...]) -> float:
    corners = np.array([box, other])
    sides = np.clip(corners[:, 2:].min(axis=0) - corners[:, :2].max(axis=0), 0, None)
    areas = (corners[:, 2:] - corners[:, :2]).prod(axis=1)
    return float(sides.prod() / (areas.sum() - sides.prod()))


def test_equal_boxes_are_compared_once(examination_of: Make, found_by: Find) -> None:
    objects = [(0, "cat", BOX)] * 3 + [(0, "cat", (21.0, 31.0, 121.0, 131.0))] * 2
    (found,) = found_by(check_nearly_repeated_boxes, examination_of(objects))
    assert found.location.line == 4
    assert found.detail.endswith("with labels.csv:1")


@pytest.mark.parametrize("spread", [0.0, 1.0])
def test_many_boxes_in_one_place_take_no_quadratic_time(
    examination_of: Make, found_by: Find, monkeypatch: pytest.MonkeyPatch, spread: float
) -> None:
    monkeypatch.setattr("boxmask.data.checks.nearly_repeated_boxes.MAX_COMPARISONS", 20_000)
    offsets = spread * np.random.default_rng(0).random((2000, 4))
    objects = [(0, "cat", tuple(np.add(BOX, offset).tolist())) for offset in offsets]
    found = found_by(check_nearly_repeated_boxes, examination_of(objects))
    assert (1000 < len(found) < 20_000) if spread else not found
