from __future__ import annotations

import numpy as np
import torch

from boxmask.masks import Masks
from boxmask.types import Detections
from boxmask.visualization.overview import CAPTIONS, draw_overview
from boxmask.visualization.style import class_colors, rgb

SIZE = (60, 80)


def detections(score: float) -> Detections:
    """One cat in the upper left quarter."""
    dense = np.zeros((1, *SIZE), dtype=bool)
    dense[0, :30, :40] = True
    boxes = torch.tensor([[0.0, 0.0, 40.0, 30.0]])
    masks = Masks.from_dense(dense)
    return Detections(boxes, torch.tensor([score]), torch.tensor([0]), ("cat", "dog"), SIZE, masks)


def test_three_pictures_per_photo_and_a_legend() -> None:
    photo = np.full((*SIZE, 3), 90, dtype=np.uint8)
    one = draw_overview([photo], [detections(0.9)])
    two = draw_overview([photo, photo], [detections(0.9), detections(0.9)])
    assert one.shape[1] == 320 * len(CAPTIONS)
    assert two.shape[1] == 2 * one.shape[1]
    for color in class_colors(("cat", "dog")):  # patches of the legend, unblended
        assert (one[-40:] == rgb(color)).all(axis=2).any()


def test_low_scores_are_left_out() -> None:
    photo = np.full((*SIZE, 3), 90, dtype=np.uint8)
    shown, hidden = draw_overview([photo], [detections(0.9)]), draw_overview([photo], [detections(0.2)])
    assert (shown != hidden).any()
    cells = hidden[40:200].reshape(160, 3, 320, 3)
    assert (cells[:, :, 40:280] == 90).all()


def test_objects_of_a_class_have_the_color_that_the_legend_gives() -> None:
    """In the outlines as well: the second cat is as the first."""
    photo = np.full((*SIZE, 3), 90, dtype=np.uint8)
    dense = np.zeros((2, *SIZE), dtype=bool)
    dense[0, :30, :40] = dense[1, 35:, 45:] = True
    boxes = np.array([[0, 0, 40, 30], [45, 35, 80, 60]], dtype=np.float32)
    scores, labels = np.array([0.9, 0.8], dtype=np.float32), np.array([1, 1])
    found = Detections(boxes, scores, labels, ("cat", "dog"), SIZE, Masks.from_dense(dense))
    outlines = draw_overview([photo], [found])[:, 320:640]
    cat, dog = (rgb(color) for color in class_colors(("cat", "dog")))
    assert (outlines[40:-60] == dog).all(axis=2).any()
    assert not (outlines[40:-60] == cat).all(axis=2).any()
