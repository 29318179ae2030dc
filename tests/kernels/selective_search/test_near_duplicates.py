from __future__ import annotations

import numpy as np
import pytest
import torch

from boxmask.geometry.boxes import iou
from boxmask.kernels.selective_search.near_duplicates import drop_near_duplicates


@pytest.mark.parametrize("overlap", [0.1, 0.5, 0.85, 0.99])
@pytest.mark.parametrize("limit", [10, 10_000])
def test_equals_comparing_all_pairs(overlap: float, limit: int) -> None:
    rng = np.random.default_rng(0)
    centers, sides = rng.integers(20, 60, (900, 2)), rng.integers(1, 40, (900, 2))
    boxes = np.concatenate([centers - sides // 2, centers - sides // 2 + sides], axis=1).astype(np.int32)
    overlaps = iou(torch.from_numpy(boxes).double(), torch.from_numpy(boxes).double()).numpy()
    kept: list[int] = []
    for row in range(len(boxes)):
        if len(kept) < limit and not (overlaps[row, kept] > overlap).any():
            kept.append(row)
    assert drop_near_duplicates(boxes, overlap, limit).tolist() == kept


def test_no_boxes() -> None:
    assert drop_near_duplicates(np.empty((0, 4), np.int32), 0.85, 5).tolist() == []


def test_a_box_with_iou_equal_to_the_threshold_is_kept() -> None:
    boxes = np.array([[0, 0, 2, 2], [0, 0, 2, 1], [0, 0, 2, 2]], np.int32)
    assert drop_near_duplicates(boxes, 0.5, 9).tolist() == [0, 1]
