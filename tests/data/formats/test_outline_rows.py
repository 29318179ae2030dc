from __future__ import annotations

import numpy as np
import pytest

from boxmask.data.formats.corners import is_upright, rotated_box
from boxmask.data.formats.outline_rows import OutlineRows
from boxmask.data.outlines import Ellipse, Polygons, RotatedBox, RunLengths

SQUARE = np.array([[2.0, 2], [12, 2], [12, 12], [2, 12]])


def test_every_outline_is_kept() -> None:
    mask = RunLengths(np.array([3, 2, 1]), (2, 3))
    outlines = [
        Ellipse((1, 2), (3, 4), 5),
        Polygons((SQUARE, SQUARE[:3]), (SQUARE + 1,)),
        RotatedBox((1, 2), (3, 4), -5),
        mask,
    ]
    rows = OutlineRows()
    assert rows.is_empty
    rows.add_none()
    assert rows.is_empty
    for outline in outlines:
        rows.add(outline)
    rows.add_polygon(SQUARE.ravel())
    rows.add(lambda: mask)
    assert len(rows) == 7
    assert rows(0) is None
    assert rows(1) == outlines[0]
    polygons = rows(2)
    assert isinstance(polygons, Polygons)
    assert [len(part) for part in (*polygons.parts, *polygons.holes)] == [4, 3, 4]
    assert np.array_equal(polygons.holes[0], SQUARE + 1)
    assert rows(3) == outlines[2]
    assert rows(4) is mask
    assert rows(6) is mask
    assert np.array_equal(rows(5).parts[0], SQUARE)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        ([1, 1, 2, 2], "a polygon of 2 points"),
        ([], "a polygon of 0 points"),
        ([1, 1, 2, float("nan"), 3, 3], "not finite"),
    ],
)
def test_polygons_that_are_none(numbers: list[float], message: str) -> None:
    rows = OutlineRows()
    rows.add_polygon(numbers)
    with pytest.raises(ValueError, match=message):
        rows(0)


@pytest.mark.parametrize("rotation", [0, 30, 90, 135, 180, -45])
def test_a_rotated_box_is_found_by_its_corners(rotation: float) -> None:
    box = RotatedBox((20, 30), (8, 5), rotation)
    found = rotated_box(box.polygons().parts[0].ravel().tolist())
    assert isinstance(found, RotatedBox)
    assert (*found.center, *found.size) == pytest.approx((20, 30, 8, 5))
    assert abs((found.rotation - rotation + 180) % 360 - 180) < 1e-9


def test_four_points_may_be_no_box() -> None:
    assert isinstance(rotated_box([0, 0, 5, 0, 6, 5, 0, 5]), Polygons)
    assert isinstance(rotated_box([0, 0, 5, 0, 7, 5, 2, 5]), Polygons)
    assert isinstance(rotated_box([0, 0, float("nan"), 0, 7, 5, 2, 5]), Polygons)
    assert is_upright([5, 7, 5, 1, 0, 1, 0, 7])
    assert not is_upright([0, 0, 5, 1, 5, 7, 0, 7])
