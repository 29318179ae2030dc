import numpy as np
import pytest

from boxmask.evaluation.detection.boundary_ap import boundaries, boundary_distance, boundary_overlaps
from boxmask.evaluation.detection.matching import match
from boxmask.masks import Masks


def slow_boundary(mask: np.ndarray, distance: int) -> np.ndarray:
    """Pixels of the mask within Chebyshev `distance` of a pixel outside it, or outside the photo."""
    padded = np.pad(mask, distance)
    side = 2 * distance + 1
    rim = np.zeros_like(mask)
    for y, x in np.argwhere(mask):
        rim[y, x] = not padded[y : y + side, x : x + side].all()
    return rim


def test_distance_is_two_percent_of_the_diagonal():
    assert boundary_distance((480, 640)) == 16
    assert boundary_distance((1, 1)) == 1
    assert boundary_distance((100, 125)) == 3


@pytest.mark.parametrize("seed", range(5))
def test_boundaries_equal_a_search_around_each_pixel(seed):
    rng = np.random.default_rng(seed)
    dense = np.zeros((6, 60, 80), bool)
    dense[0, 5:50, 10:70] = True
    dense[1] = True  # the edge of the photo is contour
    dense[2, 20:40, 30:35] = rng.random((20, 5)) < 0.9
    dense[3, :, :] = rng.random((60, 80)) < 0.99
    dense[4, 0:30, 0:30] = True
    dense[4, 12:15, 12:15] = False  # a hole
    expected = [slow_boundary(mask, boundary_distance((60, 80))) for mask in dense]
    assert np.array_equal(boundaries(Masks.from_dense(dense)).dense(), expected)
    assert not expected[1][30, 40]
    assert expected[1][0].all()


def test_blurred_contour_of_a_large_object_lowers_boundary_iou():
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
    assert overlaps[0, 1] == pytest.approx(plain)  # mask IoU for a crowd


def test_no_detections_or_no_objects():
    masks = Masks.from_dense(np.ones((2, 5, 5), bool))
    assert boundary_overlaps(masks[:0], masks, np.zeros(2, bool)).shape == (0, 2)
    assert boundary_overlaps(masks, masks[:0], np.zeros(0, bool)).shape == (2, 0)
    correct, counted = match(np.zeros((2, 0)), np.zeros(0, bool), np.zeros(0, bool))
    assert not correct.any()
    assert counted.all()


def test_match_takes_objects_once_crowds_often_and_counted_objects_first():
    overlaps = np.array([[0.6, 0.9, 0.0], [0.7, 0.9, 0.0], [0.7, 0.0, 0.8], [0.0, 0.0, 0.8]])
    crowd = np.array([False, False, True])
    correct, counted = match(overlaps, crowd, crowd)
    assert correct[0].tolist() == [
        True,
        True,
        False,
        False,
    ]  # the second takes the object that the first left
    assert counted[0].tolist() == [True, True, False, False]
    assert correct[8].tolist() == [True, False, False, False]  # at 0.9
    assert counted[8].all()
    difficult = np.array([False, True, False])
    correct, counted = match(overlaps[:2, :2], np.zeros(2, bool), difficult[:2])
    assert correct[0].tolist() == [True, False]  # 0.6 of a counted object before 0.9 of an ignored one
    assert counted[0].tolist() == [True, False]
