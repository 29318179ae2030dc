from dataclasses import replace

import numpy as np
import pytest
import torch

from boxmask.masks import Masks
from boxmask.types import Detections
from boxmask.visualization.detections import draw_detections
from boxmask.visualization.masks import draw_masks, interior
from boxmask.visualization.object_colors import object_colors
from boxmask.visualization.style import PALETTE, rgb


def gray(height, width):
    return np.full((height, width, 3), 128, dtype=np.uint8)


def detections_of(dense: np.ndarray, labels: list[int]) -> Detections:
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


def test_edge_has_the_color_of_the_object_and_the_inside_is_tinted(masked_detections):
    photo = gray(60, 80)
    picture = draw_masks(photo, masked_detections, 1, object_colors(masked_detections))
    assert (photo == 128).all()
    dense = masked_detections.masks.dense()
    ring, parts = dense[0], dense[1]
    assert tuple(picture[10, 25]) == rgb(PALETTE[0])
    assert tuple(picture[19, 35]) == rgb(PALETTE[0])  # around the hole
    assert tuple(picture[54, 5]) == rgb(PALETTE[1])
    assert tuple(picture[59, 79]) == rgb(PALETTE[2])
    inside = np.array(rgb(PALETTE[0])) * 0.4 + 128 * 0.6
    assert picture[15, 25] == pytest.approx(inside, abs=1)
    assert (picture[~(ring | parts | dense[3])] == 128).all()  # the hole, and the object without mask
    assert tuple(picture[38, 47]) != (128, 128, 128)


def test_only_an_object_without_mask_has_a_box(masked_detections):
    picture = draw_detections(gray(60, 80), masked_detections)
    boxed = draw_detections(gray(60, 80), replace(masked_detections, masks=None))
    assert tuple(picture[5, 1]) == rgb(PALETTE[1])
    assert tuple(boxed[45, 5]) == rgb(PALETTE[0])
    assert tuple(picture[45, 5]) == (128, 128, 128)  # on the box of the second object, outside its mask


def test_neighbors_of_one_class_have_different_colors():
    dense = np.zeros((3, 40, 60), bool)
    dense[0, 5:35, 5:20] = dense[1, 5:35, 20:35] = dense[2, 5:35, 35:50] = True
    detections = detections_of(dense, [2, 2, 2])
    picture = draw_masks(gray(40, 60), detections, 2, object_colors(detections))
    for number, left in enumerate((5, 20, 35)):
        line = [tuple(pixel) == rgb(PALETTE[number]) for pixel in picture[20]]
        assert [x for x, on in enumerate(line) if on] == [left, left + 1, left + 13, left + 14]
    assert len({tuple(picture[20, x]) for x in (12, 27, 42)}) == 3


def test_every_object_has_another_color():
    dense = np.zeros((40, 1, 40), bool)
    dense[np.arange(40), 0, np.arange(40)] = True
    assert len(set(object_colors(detections_of(dense, [0] * 40)))) == 40


def test_the_tag_has_the_color_of_the_mask():
    dense = np.zeros((2, 60, 60), bool)
    dense[0, 40:, :20] = dense[1, 40:, 30:50] = True
    picture = draw_detections(gray(60, 60), detections_of(dense, [2, 2]))
    assert (picture[:40] == rgb(PALETTE[0])).all(axis=-1).any()
    assert (picture[:40] == rgb(PALETTE[1])).all(axis=-1).any()
    assert not (picture[:40] == rgb(PALETTE[2])).all(axis=-1).any()


def test_highest_score_is_drawn_on_top():
    dense = np.ones((2, 30, 30), bool)
    dense[0, :, 15:] = False
    picture = draw_masks(gray(30, 30), detections_of(dense, [0, 1]), 1, (PALETTE[0], PALETTE[1]))
    assert tuple(picture[10, 14]) == rgb(PALETTE[0])
    assert tuple(picture[10, 29]) == rgb(PALETTE[1])


def test_thin_objects_are_all_edge_and_one_pixel_is_drawn():
    assert not interior(np.ones((2, 9), bool), 1).any()
    assert interior(np.ones((3, 9), bool), 1).sum() == 7
    dot = detections_of(np.ones((1, 1, 1), bool), [0])
    assert tuple(draw_detections(gray(1, 1), dot)[0, 0]) == rgb(PALETTE[0])
    assert np.array_equal(
        draw_detections(gray(4, 4), detections_of(np.zeros((0, 4, 4), bool), [])), gray(4, 4)
    )
