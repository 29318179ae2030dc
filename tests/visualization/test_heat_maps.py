from __future__ import annotations

import numpy as np

from boxmask.visualization.heat_maps import append_scale, draw_cells, draw_heat_map, spread_cells


def brightness(picture: np.ndarray) -> np.ndarray:
    return picture.astype(int).sum(axis=-1)


def test_cells_are_spread_over_the_part_of_the_map_that_the_photo_covers() -> None:
    cells = np.array([[1, 2, 9], [3, 4, 9], [9, 9, 9]], np.float32)  # 9: padding
    spread = spread_cells(cells, (2 / 3, 2 / 3), (4, 6))
    assert spread.tolist() == [[1, 1, 1, 2, 2, 2]] * 2 + [[3, 3, 3, 4, 4, 4]] * 2
    assert spread_cells(cells, (1.0, 1.0), (1, 1)).tolist() == [[4]]


def test_a_value_may_stand_at_the_corner_of_its_cell() -> None:
    cells = np.array([[1, 2, 3]], np.float32)
    assert spread_cells(cells, (1.0, 1.0), (1, 12), center=0.0).tolist() == [[1] * 2 + [2] * 4 + [3] * 6]


def test_higher_values_are_brighter() -> None:
    photo = np.full((2, 5, 3), 120, np.uint8)
    values = np.array([[-1, 0, 0.5, 1, 2]] * 2, np.float32)
    shown = brightness(draw_heat_map(photo, values, (0.0, 1.0)))[0]
    assert shown[0] == shown[1] < shown[2] < shown[3] == shown[4]
    assert photo.min() == 120  # kept


def test_a_map_of_one_value_is_dark() -> None:
    photo = np.full((3, 3, 3), 120, np.uint8)
    assert draw_heat_map(photo, np.full((3, 3), 7, np.float32), (7.0, 7.0)).max() < 120


def test_a_map_alone_is_a_square() -> None:
    picture = draw_cells(np.arange(6, dtype=np.float32).reshape(2, 3), 30, (0.0, 5.0))
    assert picture.shape == (30, 30, 3)
    assert (np.diff(brightness(picture)[0, ::10]) > 0).all()


def test_the_scale_lies_below_the_picture() -> None:
    photo = np.full((200, 300, 3), 120, np.uint8)
    scaled = append_scale(photo, (0.0, 0.5))
    assert scaled.shape[0] > 200
    assert np.array_equal(scaled[:200], photo)
