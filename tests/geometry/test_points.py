"""Points and the boxes that they answer for, by hand."""

from __future__ import annotations

import math

import pytest
import torch

from boxmask.geometry import points as module
from boxmask.geometry.matching import BACKGROUND, IGNORE
from boxmask.geometry.points import Points, boxes_from_distances, centerness_targets, match_points

POINTS = torch.tensor([[20.0, 20], [12, 20], [20, 31], [50, 50], [20, 20]])
FINE, COARSE = [0.0, 32.0], [32.0, math.inf]
PLACES = Points(POINTS, torch.tensor([8.0, 8, 8, 8, 16]), torch.tensor([FINE] * 4 + [COARSE]))
SMALL, LARGE = [10.0, 10, 30, 30], [0.0, 0, 100, 100]


def matched(boxes: list[list[float]], radius: float = 1.5, ignored: list[bool] | None = None) -> list[int]:
    flags = torch.tensor(ignored or [False] * len(boxes), dtype=torch.bool)
    found: list[int] = match_points(PLACES, torch.tensor(boxes).reshape(-1, 4), flags, radius).tolist()
    return found


def test_inside_and_near_the_center() -> None:
    """The second place is 8 pixels off, the third outside; the last is of a level for larger boxes."""
    assert matched([SMALL]) == [0, 0, BACKGROUND, BACKGROUND, BACKGROUND]
    assert matched([SMALL], radius=0.9) == [0, BACKGROUND, BACKGROUND, BACKGROUND, BACKGROUND]


def test_without_a_radius_all_of_a_box_counts() -> None:
    assert matched([LARGE], radius=0.0) == [BACKGROUND] * 4 + [0]
    assert matched([[0.0, 0, 40, 40]], radius=0.0) == [0, 0, 0, BACKGROUND, BACKGROUND]


def test_the_smallest_box_wins() -> None:
    twice = [[8.0, 8, 32, 32], SMALL, [9.0, 9, 31, 31]]
    assert matched(twice)[:2] == [1, 1]
    assert matched([SMALL, SMALL])[0] == 0


@pytest.mark.parametrize(("side", "fine", "coarse"), [(31.9, 0, -1), (32.0, 0, 0), (32.1, -1, 0)])
def test_the_farthest_edge_chooses_the_level(side: float, fine: int, coarse: int) -> None:
    """On the border both levels answer, as section 3.2 has it."""
    found = matched([[10.0, 10, 20 + side, 30]], radius=0.0)
    assert (found[0], found[4]) == (fine, coarse)


def test_ignored_boxes_are_no_background() -> None:
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


def test_parts_make_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = matched([SMALL, LARGE, [40.0, 40, 60, 60]])
    monkeypatch.setattr(module, "POINTS_PER_CHUNK", 2)
    assert matched([SMALL, LARGE, [40.0, 40, 60, 60]]) == expected


def test_distances_become_boxes() -> None:
    found = boxes_from_distances(torch.tensor([[10.0, 20]]), torch.tensor([[1.0, 2, 3, 4]]))
    assert found.tolist() == [[9, 18, 13, 24]]


def test_centerness() -> None:
    """1 in the middle; a quarter of the way in on one axis it is sqrt(1 / 3)."""
    points = torch.tensor([[20.0, 20], [15, 20], [15, 25]])
    expected = torch.tensor([1, math.sqrt(1 / 3), 1 / 3])
    torch.testing.assert_close(centerness_targets(points, torch.tensor([SMALL] * 3)), expected)
