"""Masks that do not fit the boxes of their objects."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from boxmask.data.checks.examination import Examination
from boxmask.data.checks.outline_boxes import check_outline_boxes
from boxmask.data.findings import Finding
from boxmask.data.outlines import Polygons

Make = Callable[..., Examination]
Find = Callable[..., list[Finding]]


def rectangle(x1: float, y1: float, x2: float, y2: float) -> Polygons:
    return Polygons((np.array([[x1, y1], [x2, y1], [x2, y2], [x1, y2]]),))


@pytest.mark.parametrize(
    ("box", "is_found"),
    [
        ([100, 100, 200, 200], False),
        ([97, 98, 204, 203], False),
        ([100, 100, 260, 200], False),  # IoU 0.625
        ([100, 100, 268, 200], True),
        ([150, 100, 250, 200], True),
        ([300, 100, 350, 200], True),
        ([-50, 100, 200, 200], False),  # clipped to the photo, IoU 0.5 beyond it
    ],
)
def test_the_limit(examination_of: Make, found_by: Find, box: Sequence[float], is_found: bool) -> None:
    outline = rectangle(0, 100, 200, 200) if box[0] < 0 else rectangle(100, 100, 200, 200)
    found = found_by(check_outline_boxes, examination_of([(0, "cat", box)], outlines={0: outline}))
    assert [finding.kind.id for finding in found] == ["outline-misfits-box"] * is_found


def test_a_finding_tells_where_the_outline_is(examination_of: Make, found_by: Find) -> None:
    objects = [(0, "cat", [150, 100, 250, 200])]
    found = found_by(
        check_outline_boxes, examination_of(objects, outlines={0: rectangle(100, 100, 200, 200)})
    )
    assert str(found[0]) == (
        "labels.csv:1: cat in 000.jpg has an outline at x 100 to 200, y 100 to 200, "
        "whose IoU with its box is 0.33"
    )


def test_small_objects_may_differ_by_pixels(examination_of: Make, found_by: Find) -> None:
    objects = [(0, "cat", [100, 100, 104, 104])]
    assert (
        found_by(check_outline_boxes, examination_of(objects, outlines={0: rectangle(102, 102, 105, 105)}))
        == []
    )


def test_crowds_and_objects_without_mask_are_left_alone(examination_of: Make, found_by: Find) -> None:
    objects = [(0, "cat", [150, 100, 250, 200])] * 2
    examination = examination_of(objects, outlines={0: rectangle(10, 10, 20, 20)}, crowd=[0])
    assert found_by(check_outline_boxes, examination) == []


def shifted(examination_of: Make, count: int, shift: Sequence[float], num_others: int = 0) -> Examination:
    rng = np.random.default_rng(3)
    corners = rng.integers(20, 150, (count, 2))
    boxes = np.concatenate([corners, corners + rng.integers(40, 100, (count, 2))], axis=1).astype(float)
    moves = [np.zeros(2)] * num_others + [np.array(shift, dtype=float)] * (count - num_others)
    outlines = {n: rectangle(*(boxes[n] + np.tile(moves[n], 2))) for n in range(count)}
    return examination_of([(0, "cat", box) for box in boxes], outlines=outlines)


@pytest.mark.parametrize("shift", [(5, 0), (-8, 6), (0, 2)])
def test_a_shift_of_all_outlines_is_reported_once(
    examination_of: Make, found_by: Find, shift: Sequence[float]
) -> None:
    found = found_by(check_outline_boxes, shifted(examination_of, 20, shift, num_others=3))
    assert len(found) == 1
    assert f"outlines lie {shift[0]:+.3g} pixels in x and {shift[1]:+.3g} in y" in found[0].detail
    assert "in 20 objects" in found[0].detail


@pytest.mark.parametrize(
    ("count", "shift", "num_others"),
    [(20, (1, 1), 0), (9, (5, 0), 0), (20, (5, 0), 10)],  # roundings, few objects, half of them
)
def test_shifts_that_may_be_right(
    examination_of: Make, found_by: Find, count: int, shift: Sequence[float], num_others: int
) -> None:
    assert found_by(check_outline_boxes, shifted(examination_of, count, shift, num_others)) == []


def test_outlines_at_another_scale_are_reported_once(examination_of: Make, found_by: Find) -> None:
    examination = shifted(examination_of, 20, (0, 0))
    outlines = {n: rectangle(*(box / 2)) for n, box in enumerate(examination.labels.boxes)}
    objects = [(0, "cat", box) for box in examination.labels.boxes]
    found = found_by(check_outline_boxes, examination_of(objects, outlines=outlines))
    assert len(found) == 1
    assert "are 0.5 times those of boxes in x, 0.5 in y" in found[0].detail
