from __future__ import annotations

import numpy as np
import torch

from boxmask.visualization.boxes import draw_boxes, draw_lines
from boxmask.visualization.style import PALETTE, rgb

BOXES = torch.tensor([[2.0, 2, 12, 12], [2, 2, 20, 18], [5, 5, 5.5, 5.5]])


def test_the_first_box_is_on_top_and_the_photo_is_kept() -> None:
    photo = np.zeros((24, 24, 3), dtype=np.uint8)
    drawn = draw_boxes(photo, BOXES)
    assert not photo.any()
    assert tuple(drawn[2, 5]) == rgb(PALETTE[0])  # where both edges lie
    assert tuple(drawn[2, 18]) == rgb(PALETTE[1])
    assert tuple(drawn[17, 10]) == rgb(PALETTE[1])  # the last row inside the box
    assert not drawn[18].any()


def test_colors_follow_the_labels() -> None:
    drawn = draw_boxes(np.zeros((24, 24, 3), dtype=np.uint8), BOXES[:1], [3])
    assert tuple(drawn[2, 5]) == rgb(PALETTE[3])


def test_no_boxes() -> None:
    photo = np.full((5, 5, 3), 7, dtype=np.uint8)
    assert np.array_equal(draw_boxes(photo, torch.zeros(0, 4)), photo)


def test_lines_start_with_a_dot() -> None:
    photo = np.zeros((60, 90, 3), np.uint8)
    picture = draw_lines(photo, np.array([[10, 30, 80, 30]], np.float32), [0], 2)
    drawn = picture.any(axis=2)
    assert drawn[30, 10:80].all()
    assert drawn[27, 10]
    assert not drawn[25:28, 40].any()
    assert not photo.any()
