"""The numbers of a data set."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pytest

from boxmask.data.checks.examination import Examination
from boxmask.data.checks.summary import GRID, Histogram, summarize
from boxmask.data.outlines import Polygons

Make = Callable[..., Examination]


def test_photos_and_objects_are_counted_per_split_and_class(examination_of: Make) -> None:
    objects = [(0, "cat", [0, 0, 9, 9]), (0, "cat", [0, 0, 9, 9]), (2, "dog", [5, 5, 9, 9])]
    summary = summarize(
        examination_of(
            objects, files=4, splits=["train", "train", "test", None], classes=["dog", "cat", "cow"]
        )
    )
    assert (summary.photos, summary.objects) == (4, 3)
    assert [(s.name, s.photos, s.objects, s.photos_without_objects) for s in summary.splits] == [
        ("train", 2, 2, 1),
        ("test", 1, 1, 0),
        ("", 1, 0, 1),
    ]
    assert [(c.name, c.objects, c.photos) for c in summary.classes] == [
        ("dog", (0, 1, 0), (0, 1, 0)),
        ("cat", (2, 0, 0), (1, 0, 0)),
        ("cow", (0, 0, 0), (0, 0, 0)),
    ]
    assert summary.objects_per_photo == Histogram((0, 1, 2, 3), (2, 1, 1))


def test_boxes_are_measured_inside_their_photo(examination_of: Make) -> None:
    objects = [
        (0, "cat", [-100, 0, 31, 31]),  # 31 × 31 inside
        (0, "cat", [0, 0, 32, 32]),
        (0, "cat", [0, 0, 96, 96]),
        (0, "cat", [0, 0, 400, 300]),
        (0, "cat", [10, 10, 10, 20]),  # no width
        (0, "cat", [500, 10, 510, 20]),  # outside
        (0, "cat", [np.nan] * 4),
    ]
    summary = summarize(examination_of(objects, crowd=[1], difficult=[2, 3]))
    assert summary.box_sizes == {"small": 1, "medium": 1, "large": 2}
    assert summary.unsound_boxes == 3
    assert summary.median_box == (64, 64)
    assert (summary.crowd, summary.difficult) == (1, 2)
    assert sum(summary.box_sides.counts) == sum(summary.aspect_ratios.counts) == 4
    assert summary.box_sides.counts[-1] == 1


def test_sizes_of_objects_are_those_of_their_masks(examination_of: Make) -> None:
    triangle = Polygons((np.array([[0.0, 0], [40, 0], [0, 40]]),))
    summary = summarize(examination_of([(0, "cat", [0, 0, 40, 40])], outlines={0: triangle}))
    assert summary.box_sizes == {"small": 1, "medium": 0, "large": 0}
    assert summary.with_outline == 1


def test_the_heat_map_counts_the_boxes_over_each_cell(examination_of: Make) -> None:
    objects = [
        (0, "cat", [0, 0, 400, 300]),
        (0, "cat", [300, 0, 400, 75]),
        (0, "cat", [399.5, 299.5, 400, 300]),
    ]
    heat_map = np.array(summarize(examination_of(objects)).heat_map)
    expected = np.ones((GRID, GRID), dtype=int)
    expected[:8, 24:] += 1
    expected[-1, -1] += 1
    np.testing.assert_array_equal(heat_map, expected)


@pytest.mark.parametrize("files", [0, 3])
def test_a_data_set_without_objects_has_a_summary(examination_of: Make, files: int) -> None:
    summary = summarize(examination_of(files=files))
    assert (summary.photos, summary.objects, summary.median_box) == (files, 0, None)
    assert sum(summary.objects_per_photo.counts) == files
    json.dumps(summary.to_dict(), allow_nan=False)


def test_common_photo_sizes_come_first(examination_of: Make) -> None:
    sizes = [(10, 20), (30, 40), (30, 40), *((5, n) for n in range(50, 80))]
    summary = summarize(examination_of(files=len(sizes), sizes=sizes))
    assert (summary.photo_sizes[0].width, summary.photo_sizes[0].height, summary.photo_sizes[0].photos) == (
        40,
        30,
        2,
    )
    assert len(summary.photo_sizes) + summary.other_photo_sizes == 32


def test_a_summary_is_json(examination_of: Make) -> None:
    values = summarize(examination_of([(0, "cat", [0, 0, 400, 300])])).to_dict()
    loaded = json.loads(json.dumps(values, allow_nan=False))
    assert loaded["classes"] == [{"name": "cat", "objects": [1], "photos": [1]}]
    assert loaded["median_box"] == [400, 300]
