"""Boxes of several images as rows of image number and box."""

import torch

from boxmask.kernels.rois import to_rois


def test_one_row_per_box() -> None:
    rois = to_rois([torch.ones(2, 4), torch.zeros(0, 4), torch.full((1, 4), 7.0)])
    assert rois.tolist() == [[0, 1, 1, 1, 1], [0, 1, 1, 1, 1], [2, 7, 7, 7, 7]]


def test_no_boxes_at_all() -> None:
    assert to_rois([torch.zeros(0, 4)] * 2).shape == (0, 5)
