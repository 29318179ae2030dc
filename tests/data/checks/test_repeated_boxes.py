"""Objects with exactly the same box."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from boxmask.data.checks.examination import Examination
from boxmask.data.checks.repeated_boxes import check_repeated_boxes
from boxmask.data.findings import Finding
from boxmask.data.outlines import Polygons

Make = Callable[..., Examination]
Find = Callable[..., list[Finding]]
BOX = (20.0, 30.0, 60.0, 90.0)


def test_each_copy_is_found_once(examination_of: Make, found_by: Find) -> None:
    objects = [(0, "cat", BOX), (0, "dog", (1, 2, 30, 40)), (0, "cat", BOX), (1, "cat", BOX), (0, "cat", BOX)]
    found = found_by(check_repeated_boxes, examination_of(objects, files=2))
    assert [str(finding) for finding in found] == [
        "labels.csv:3: cat in 000.jpg has the box of cat in line 1: x 20 to 60, y 30 to 90",
        "labels.csv:5: cat in 000.jpg has the box of cat in line 1: x 20 to 60, y 30 to 90",
    ]
    assert found[0].kind.id == "box-repeated"


def test_boxes_that_differ_in_the_last_digit_are_not_equal(examination_of: Make, found_by: Find) -> None:
    near = (20.0, 30.0, 60.0, np.nextafter(90, 91))
    assert found_by(check_repeated_boxes, examination_of([(0, "cat", BOX), (0, "cat", near)])) == []


def test_zero_has_no_sign(examination_of: Make, found_by: Find) -> None:
    objects = [(0, "cat", (0.0, 0, 60, 90)), (0, "cat", (-0.0, 0, 60, 90))]
    assert len(found_by(check_repeated_boxes, examination_of(objects))) == 1


def test_objects_with_different_masks_are_no_copies(examination_of: Make, found_by: Find) -> None:
    square = Polygons((np.array([[20.0, 30], [60, 30], [60, 90], [20, 90]]),))
    triangle = Polygons((np.array([[20.0, 30], [60, 30], [20, 90]]),))
    objects = [(0, "cat", BOX)] * 3
    different = examination_of(objects[:2], outlines={0: square, 1: triangle})
    assert found_by(check_repeated_boxes, different) == []
    with_copy = examination_of(objects, outlines={0: square, 1: triangle, 2: square})
    assert [finding.location.line for finding in found_by(check_repeated_boxes, with_copy)] == [3]


def test_two_classes_with_one_box(examination_of: Make, found_by: Find) -> None:
    objects = [(0, "dog", BOX), (0, "cat", BOX), (0, "cat", BOX)]
    found = found_by(check_repeated_boxes, examination_of(objects))
    assert [(finding.kind.id, finding.location.line) for finding in found] == [
        ("box-repeated", 3),
        ("box-repeated-other-class", 2),
    ]
    assert "cat in 000.jpg has the box of dog in line 1" in found[1].detail


def test_classes_that_often_share_a_box_are_reported_once(examination_of: Make, found_by: Find) -> None:
    def pairs(count: int, num_children: int) -> list[tuple[int, str, tuple[float, ...]]]:
        boxes = [(5.0 + row, 5, 50 + row, 60) for row in range(num_children)]
        return [(0, "person", box) for box in boxes[:count]] + [(0, "child", box) for box in boxes]

    assert len(found_by(check_repeated_boxes, examination_of(pairs(9, 9)))) == 9
    assert len(found_by(check_repeated_boxes, examination_of(pairs(10, 10)))) == 1
    found = found_by(check_repeated_boxes, examination_of([*pairs(30, 40), (0, "person", (1, 1, 9, 9))]))
    assert len(found) == 1
    assert found[0].detail.endswith("and so do 29 boxes of these classes")
    many_others = [(0, "person", (1.0 + n, 1, 99 + n, 99)) for n in range(60)]
    assert len(found_by(check_repeated_boxes, examination_of([*pairs(10, 40), *many_others]))) == 10


def test_crowds_are_not_compared(examination_of: Make, found_by: Find) -> None:
    assert found_by(check_repeated_boxes, examination_of([(0, "cat", BOX)] * 2, crowd=[1])) == []


def test_empty_boxes_are_not_compared(examination_of: Make, found_by: Find) -> None:
    objects = [(0, "cat", (5.0, 5, 5, 5)), (0, "cat", (5.0, 5, 5, 5)), (0, "cat", (np.nan,) * 4)]
    assert found_by(check_repeated_boxes, examination_of([*objects, objects[-1]])) == []
