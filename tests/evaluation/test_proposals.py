from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from boxmask.data.detection.dataset import DetectionDataset
from boxmask.evaluation.proposals import proposal_recall, recall_table


def labeled(crowd: tuple[bool, ...] = (False,) * 4) -> DetectionDataset:
    """Two photos: a cat and a dog, and two cats."""
    boxes = [[0, 0, 10, 10], [20, 20, 40, 40], [0, 0, 10, 20], [50, 50, 60, 60]]
    return DetectionDataset(
        root=Path(),
        class_names=("cat", "dog", "never seen"),
        files=np.array(["a.jpg", "b.jpg"]),
        image_ids=np.arange(2),
        sizes=np.full((2, 2), 100, np.int32),
        splits=np.array(["test", "test"]),
        offsets=np.array([0, 2, 4]),
        boxes=np.array(boxes, np.float32),
        labels=np.array([0, 1, 0, 0]),
        areas=np.ones(4, np.float32),
        crowd=np.array(crowd),
        difficult=np.zeros(4, bool),
    )


PROPOSALS = [
    torch.tensor([[0.0, 0, 10, 10], [20, 20, 40, 32], [0, 0, 3, 3]]),  # IoU 1 with the cat, 0.6 with the dog
    torch.tensor([[0.0, 0, 10, 12]]),  # IoU 0.6 with the first cat, 0 with the second
]


def test_recall_and_best_overlap_by_hand() -> None:
    recall = proposal_recall(labeled(), PROPOSALS)
    assert (recall.photos, recall.objects, recall.mean_proposals) == (2, 4, 2.0)
    assert recall.recall_50 == pytest.approx(3 / 4)
    assert recall.recall_70 == pytest.approx(1 / 4)
    assert recall.ABO == pytest.approx((1 + 0.6 + 0.6 + 0) / 4)
    assert recall.per_class["cat"].ABO == pytest.approx(1.6 / 3)
    assert recall.per_class["dog"].ABO == pytest.approx(0.6)
    assert recall.MABO == pytest.approx((1.6 / 3 + 0.6) / 2)
    assert list(recall.per_class) == ["cat", "dog"]


def test_ignored_objects_do_not_count() -> None:
    recall = proposal_recall(labeled((False, False, False, True)), PROPOSALS)
    assert recall.objects == 3
    assert recall.recall_50 == 1


def test_no_proposals_and_no_objects() -> None:
    nothing = [torch.zeros(0, 4), torch.zeros(0, 4)]
    assert proposal_recall(labeled(), nothing).recall_50 == 0
    empty = proposal_recall(labeled((True,) * 4), PROPOSALS)
    assert (empty.objects, empty.recall_50, empty.MABO, empty.per_class) == (0, None, None, {})
    assert recall_table(empty).row_count == 0


def test_table_has_a_row_per_class_with_objects_and_the_means() -> None:
    assert recall_table(proposal_recall(labeled(), PROPOSALS)).row_count == 4
