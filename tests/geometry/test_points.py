"""Matching of points to boxes, worked by hand."""

from __future__ import annotations

import math

import pytest
import torch

from boxmask.geometry import points as module
from boxmask.geometry.boxes import pad
from boxmask.geometry.matching import BACKGROUND, IGNORE
from boxmask.geometry.points import Points, boxes_from_distances, centerness_targets, match_points

POINTS = torch.tensor([[20.0, 20], [12, 20], [20, 31], [50, 50], [20, 20]])
FINE, COARSE = [0.0, 32.0], [32.0, math.inf]
LEVEL_POINTS = Points(POINTS, torch.tensor([8.0, 8, 8, 8, 16]), torch.tensor([FINE] * 4 + [COARSE]))
SMALL, LARGE = [10.0, 10, 30, 30], [0.0, 0, 100, 100]


def matched(boxes: list[list[float]], radius: float = 1.5, ignored: list[bool] | None = None) -> list[int]:
    flags = torch.tensor(ignored or [False] * len(boxes), dtype=torch.bool)
    rows: list[int] = match_points(LEVEL_POINTS, torch.tensor(boxes).reshape(-1, 4), flags, radius).tolist()
    return rows


def test_inside_and_near_the_center() -> None:
    """The second point is 8 pixels off center, the third outside; the last is on a level for larger boxes."""
    assert matched([SMALL]) == [0, 0, BACKGROUND, BACKGROUND, BACKGROUND]
    assert matched([SMALL], radius=0.9) == [0, BACKGROUND, BACKGROUND, BACKGROUND, BACKGROUND]


def test_without_a_radius_the_whole_box_counts() -> None:
    assert matched([LARGE], radius=0.0) == [BACKGROUND] * 4 + [0]
    assert matched([[0.0, 0, 40, 40]], radius=0.0) == [0, 0, 0, BACKGROUND, BACKGROUND]


def test_the_smallest_box_wins() -> None:
    boxes = [[8.0, 8, 32, 32], SMALL, [9.0, 9, 31, 31]]
    assert matched(boxes)[:2] == [1, 1]
    assert matched([SMALL, SMALL])[0] == 0


@pytest.mark.parametrize(("side", "fine", "coarse"), [(31.9, 0, -1), (32.0, 0, 0), (32.1, -1, 0)])
def test_the_farthest_edge_chooses_the_level(side: float, fine: int, coarse: int) -> None:
    """On the border both levels match, as in section 3.2."""
    found = matched([[10.0, 10, 20 + side, 30]], radius=0.0)
    assert (found[0], found[4]) == (fine, coarse)


def test_points_in_ignored_boxes_are_not_background() -> None:
    aside = [40.0, 40, 60, 60]
    assert matched([SMALL, aside], ignored=[True, False]) == [
        IGNORE,
        IGNORE,
        BACKGROUND,
        1,
        IGNORE,
    ]
    assert matched([SMALL, LARGE], ignored=[False, True]) == [0, 0, IGNORE, IGNORE, IGNORE]


def test_no_boxes() -> None:
    assert matched([]) == [BACKGROUND] * 5


def test_chunks_do_not_change_the_result(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = matched([SMALL, LARGE, [40.0, 40, 60, 60]])
    monkeypatch.setattr(module, "POINTS_PER_CHUNK", 2)
    assert matched([SMALL, LARGE, [40.0, 40, 60, 60]]) == expected


def test_boxes_from_distances() -> None:
    boxes = boxes_from_distances(torch.tensor([[10.0, 20]]), torch.tensor([[1.0, 2, 3, 4]]))
    assert boxes.tolist() == [[9, 18, 13, 24]]


def test_centerness() -> None:
    """It is 1 at the center, and sqrt(1 / 3) at a quarter of the side on one axis."""
    points = torch.tensor([[20.0, 20], [15, 20], [15, 25]])
    expected = torch.tensor([1, math.sqrt(1 / 3), 1 / 3])
    torch.testing.assert_close(centerness_targets(points, torch.tensor([SMALL] * 3)), expected)


def test_matches_of_a_batch_are_those_of_its_photos() -> None:
    photos = [torch.tensor([SMALL, LARGE]), torch.zeros(0, 4), torch.tensor([LARGE])]
    found = match_points(LEVEL_POINTS, pad(photos), None, 1.5)
    assert torch.equal(found, torch.stack([match_points(LEVEL_POINTS, boxes, None, 1.5) for boxes in photos]))
