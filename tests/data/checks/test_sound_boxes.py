"""Which boxes can be used, and whether they tell anything."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from boxmask.data.checks.box_sizes import check_box_sizes
from boxmask.data.checks.examination import Examination
from boxmask.data.checks.nearly_repeated_boxes import check_nearly_repeated_boxes
from boxmask.data.checks.repeated_boxes import check_repeated_boxes
from boxmask.data.checks.scaled_coordinates import check_scaled_coordinates
from boxmask.data.checks.sound_boxes import photo_edges, sound_boxes
from boxmask.data.findings import Findings

Make = Callable[..., Examination]


def test_sound_boxes(examination_of: Make) -> None:
    boxes = [
        [0, 0, 400, 300],
        [-5, -5, 1, 1],
        [399, 299, 500, 500],
        [-5, -5, 0, 1],
        [400, 10, 500, 20],
        [10, 10, 10, 20],
        [20, 10, 10, 20],
        [np.nan] * 4,
        [0, 0, np.inf, 9],
    ]
    examination = examination_of([(0, "cat", box) for box in boxes])
    assert sound_boxes(examination).tolist() == [True] * 3 + [False] * 6


def test_photos_of_unknown_size_have_no_edges(examination_of: Make) -> None:
    objects = [(0, "cat", [5, 5, 500, 500]), (1, "cat", [5, 5, 500, 500])]
    examination = examination_of(objects, files=2, sizes=[(0, 0), (300, 400)])
    np.testing.assert_array_equal(photo_edges(examination), [[np.inf, np.inf], [400, 300]])
    assert sound_boxes(examination).all()


def test_boxes_around_masks_and_whole_photos_are_not_judged(examination_of: Make) -> None:
    objects = [(photo, name, [0, 0, 400, 300]) for photo in range(30) for name in ("sky", "sea", "sea")]
    findings = Findings()
    examination = examination_of(objects, files=30, box_form="mask")
    for check in (
        check_box_sizes,
        check_repeated_boxes,
        check_nearly_repeated_boxes,
        check_scaled_coordinates,
    ):
        check(examination, findings)
    assert len(findings) == 0
