from __future__ import annotations

import numpy as np

from boxmask.visualization.bars import Bar, BarRow, draw_bars
from boxmask.visualization.style import RGBImage

RED, BLUE = "#FF0000", "#0000FF"
THUMBNAIL = np.full((100, 100, 3), 50, np.uint8)


def columns_of(picture: RGBImage, color: tuple[int, int, int]) -> tuple[int, int]:
    """The first and the last column with a pixel of a color."""
    columns = np.flatnonzero((picture == color).all(axis=2).any(axis=0))
    return int(columns[0]), int(columns[-1])


def test_bars_are_as_long_as_their_values() -> None:
    rows = [BarRow((THUMBNAIL,), (Bar("cat", 0.8, RED), Bar("dog", 0.2, BLUE)))]
    picture = draw_bars(rows, (0.0, 1.0), width=600)
    assert picture.shape == (116, 600, 3)
    left, right = columns_of(picture, (255, 0, 0))
    blue_left, blue_right = columns_of(picture, (0, 0, 255))
    assert abs(left - blue_left) <= 1
    assert abs((right - left) / (blue_right - left) - 4) < 0.2
    assert right < 600 - 20  # room for the value


def test_negative_bars_go_to_the_left() -> None:
    picture = draw_bars([BarRow((), (Bar("a", -1.0, RED), Bar("b", 1.0, BLUE)))], (-1.0, 1.0))
    assert columns_of(picture, (255, 0, 0))[1] <= columns_of(picture, (0, 0, 255))[0] + 1


def test_rows_stand_below_one_another_and_long_names_are_cut() -> None:
    row = BarRow((THUMBNAIL, THUMBNAIL), (Bar("a name without an end " * 20, 0.5, RED),))
    assert draw_bars([row, row], (0.0, 1.0), width=800).shape == (232, 800, 3)
