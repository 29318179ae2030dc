import numpy as np
import pytest

from boxmask.evaluation.detection.boundary_ap import boundaries, boundary_distance, boundary_overlaps
from boxmask.evaluation.detection.matching import match
from boxmask.masks import Masks


def slowly(mask: np.ndarray, distance: int) -> np.ndarray:
    """Pixels of the mask with one outside of it, or outside of the photo, within `distance` king's moves."""
    padded = np.pad(mask, distance)
    side = 2 * distance + 1
    rim = np.zeros_like(mask)
    for y, x in np.argwhere(mask):
        rim[y, x] = not padded[y : y + side, x : x + side].all()
    return rim


def test_the_distance_is_a_fiftieth_of_the_diagonal():
    assert boundary_distance((480, 640)) == 16
    assert boundary_distance((1, 1)) == 1
    assert boundary_distance((100, 125)) == 3


@pytest.mark.parametrize("seed", range(5))
def test_boundaries_are_those_of_looking_around_each_pixel(seed):
    rng = np.random.default_rng(seed)
    dense = np.zeros((6, 60, 80), bool)
    dense[0, 5:50, 10:70] = True
    dense[1] = True  # the photo's rim is outline
    dense[2, 20:40, 30:35] = rng.random((20, 5)) < 0.9
    dense[3, :, :] = rng.random((60, 80)) < 0.99
    dense[4, 0:30, 0:30] = True
    dense[4, 12:15, 12:15] = False  # a hole
    expected = [slowly(mask, boundary_distance((60, 80))) for mask in dense]
    assert np.array_equal(boundaries(Masks.from_dense(dense)).dense(), expected)
    assert not expected[1][30, 40]
    assert expected[1][0].all()


def test_a_blurred_rim_of_a_large_object_shows():
    dense = np.zeros((3, 200, 200), bool)
    dense[0, 20:180, 20:180] = True
    dense[1, 23:177, 23:177] = True
    dense[2, 23:177, 23:177] = True
    plain = (154 * 154) / (160 * 160)
    masks = Masks.from_dense(dense)
    overlaps = boundary_overlaps(masks[:1], masks[1:], np.array([False, True]))
    rims = [160**2 - 148**2, 154**2 - 142**2]  # six pixels wide
    shared = 154**2 - 148**2
    assert overlaps[0, 0] == pytest.approx(shared / (sum(rims) - shared))
    assert overlaps[0, 0] < 0.5 < plain
    assert overlaps[0, 1] == pytest.approx(plain)  # a crowd takes by its area


def test_nothing_found_or_nothing_there():
    masks = Masks.from_dense(np.ones((2, 5, 5), bool))
    assert boundary_overlaps(masks[:0], masks, np.zeros(2, bool)).shape == (0, 2)
    assert boundary_overlaps(masks, masks[:0], np.zeros(0, bool)).shape == (2, 0)
    right, judged = match(np.zeros((2, 0)), np.zeros(0, bool), np.zeros(0, bool))
    assert not right.any()
    assert judged.all()


def test_an_object_is_taken_once_a_crowd_often_and_one_that_counts_comes_first():
    overlaps = np.array([[0.6, 0.9, 0.0], [0.7, 0.9, 0.0], [0.7, 0.0, 0.8], [0.0, 0.0, 0.8]])
    crowd = np.array([False, False, True])
    right, judged = match(overlaps, crowd, crowd)
    assert right[0].tolist() == [True, True, False, False]  # the second takes what the first has left
    assert judged[0].tolist() == [True, True, False, False]
    assert right[8].tolist() == [True, False, False, False]  # at 0.9
    assert judged[8].all()
    difficult = np.array([False, True, False])
    right, judged = match(overlaps[:2, :2], np.zeros(2, bool), difficult[:2])
    assert right[0].tolist() == [True, False]  # 0.6 of one that counts before 0.9 of one that does not
    assert judged[0].tolist() == [True, False]
