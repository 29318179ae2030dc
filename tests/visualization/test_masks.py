from dataclasses import replace

import numpy as np
import pytest
import torch

from boxmask.masks import Masks
from boxmask.types import Detections
from boxmask.visualization.detections import draw
from boxmask.visualization.masks import inner, with_masks
from boxmask.visualization.style import PALETTE, rgb


def gray(height, width):
    return np.full((height, width, 3), 128, dtype=np.uint8)


def of_masks(dense: np.ndarray, labels: list[int]) -> Detections:
    masks = Masks.from_dense(dense)
    scores = torch.linspace(0.9, 0.6, len(dense))
    names = tuple("abc")
    return Detections(
        torch.from_numpy(masks.boxes()),
        scores,
        torch.tensor(labels, dtype=torch.int64),
        names,
        dense.shape[1:],
        masks,
    )


def test_the_rim_has_the_classs_color_and_the_photo_shines_through(outlined):
    photo = gray(60, 80)
    picture = with_masks(photo, outlined, thickness=1)
    assert (photo == 128).all()
    dense = outlined.masks.dense()
    ring, parts = dense[0], dense[1]
    assert tuple(picture[10, 25]) == rgb(PALETTE[1])
    assert tuple(picture[19, 35]) == rgb(PALETTE[1])  # around the hole
    assert tuple(picture[54, 5]) == rgb(PALETTE[0])
    assert tuple(picture[59, 79]) == rgb(PALETTE[1])
    inside = np.array(rgb(PALETTE[1])) * 0.4 + 128 * 0.6
    assert picture[15, 25] == pytest.approx(inside, abs=1)
    assert (picture[~(ring | parts | dense[3])] == 128).all()  # the hole, and the one without outline
    assert tuple(picture[38, 47]) != (128, 128, 128)


def test_one_without_outline_has_its_box_and_the_others_have_none(outlined):
    picture = draw(gray(60, 80), outlined)
    boxed = draw(gray(60, 80), replace(outlined, masks=None))
    assert tuple(picture[5, 1]) == rgb(PALETTE[1])
    assert tuple(boxed[45, 5]) == rgb(PALETTE[0])
    assert tuple(picture[45, 5]) == (128, 128, 128)  # on the box of the second, outside of its parts


def test_neighbors_of_a_class_can_be_told_apart():
    dense = np.zeros((3, 40, 60), bool)
    dense[0, 5:35, 5:20] = dense[1, 5:35, 20:35] = dense[2, 5:35, 35:50] = True
    picture = with_masks(gray(40, 60), of_masks(dense, [2, 2, 2]), thickness=2)
    line = [tuple(pixel) == rgb(PALETTE[2]) for pixel in picture[20]]
    assert [x for x, on in enumerate(line) if on] == [5, 6, 18, 19, 20, 21, 33, 34, 35, 36, 48, 49]
    assert len({tuple(picture[20, x]) for x in (12, 27, 42)}) == 3


def test_the_surest_lies_on_top():
    dense = np.ones((2, 30, 30), bool)
    dense[0, :, 15:] = False
    picture = with_masks(gray(30, 30), of_masks(dense, [0, 1]), thickness=1)
    assert tuple(picture[10, 14]) == rgb(PALETTE[0])
    assert tuple(picture[10, 29]) == rgb(PALETTE[1])


def test_thin_objects_are_all_rim_and_one_pixel_is_drawn():
    assert not inner(np.ones((2, 9), bool), 1).any()
    assert inner(np.ones((3, 9), bool), 1).sum() == 7
    dot = of_masks(np.ones((1, 1, 1), bool), [0])
    assert tuple(draw(gray(1, 1), dot)[0, 0]) == rgb(PALETTE[0])
    assert np.array_equal(draw(gray(4, 4), of_masks(np.zeros((0, 4, 4), bool), [])), gray(4, 4))
