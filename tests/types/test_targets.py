"""What crosses rooms is checked at birth."""

import numpy as np
import pytest
import torch
from torch import Tensor

from boxmask.masks import Masks
from boxmask.types import ClassificationTarget, Target

BOXES = torch.tensor([[0.0, 0.0, 10.0, 20.0], [5.0, 5.0, 6.0, 7.0]])
LABELS = torch.tensor([1, 0])
KEPT = torch.zeros(2, dtype=torch.bool)


def test_a_target_of_lists() -> None:
    target = Target.of([[0, 0, 10, 20], [5, 5, 6, 7]], [1, 0], [False, True])
    assert torch.equal(target.boxes, BOXES)
    assert target.boxes.dtype == torch.float32
    assert target.labels.tolist() == [1, 0]
    assert target.ignore.tolist() == [False, True]
    assert target.masks is None


def test_a_target_of_nothing() -> None:
    target = Target.of([], [])
    assert target.boxes.shape == (0, 4)
    assert target.labels.dtype == torch.int64
    assert target.ignore.dtype == torch.bool


@pytest.mark.parametrize(
    ("boxes", "labels", "ignore", "says"),
    [
        (BOXES.double(), LABELS, KEPT, r"boxes: expected torch.float32 \(any, 4\), found torch.float64"),
        (BOXES[:, :3], LABELS, KEPT, r"boxes: .*found torch.float32 \(2, 3\)"),
        (BOXES, LABELS[:1], KEPT, r"labels: expected torch.int64 \(2\), found torch.int64 \(1,\)"),
        (BOXES, LABELS.int(), KEPT, r"labels: .*found torch.int32"),
        (BOXES, LABELS, KEPT.int(), r"ignore: expected torch.bool"),
        (BOXES[:, [2, 1, 0, 3]], LABELS, KEPT, r"x2 > x1 and y2 > y1, found \[\[10.0, 0.0, 0.0, 20.0\]"),
        (BOXES * torch.tensor([1, 1, 1, 0]), LABELS, KEPT, r"x2 > x1 and y2 > y1"),
        (BOXES * torch.nan, LABELS, KEPT, r"x2 > x1 and y2 > y1, found \[\[nan"),
    ],
)
def test_a_target_that_cannot_be(boxes: Tensor, labels: Tensor, ignore: Tensor, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Target(boxes, labels, ignore)


def test_masks_are_one_an_object() -> None:
    assert Target(BOXES, LABELS, KEPT, Masks.unknown(2, (30, 40))).masks is not None
    with pytest.raises(ValueError, match="masks: expected 2, found 1"):
        Target(BOXES, LABELS, KEPT, Masks.unknown(1, (30, 40)))


def test_a_target_moves_with_all_it_has() -> None:
    masks = Masks.from_dense(np.ones((2, 3, 4), dtype=bool))
    target = Target(BOXES, LABELS, KEPT, masks).to("cpu")
    assert torch.equal(target.boxes, BOXES)
    assert target.masks is not None
    assert np.array_equal(target.masks.dense(), masks.dense())


def test_a_class_target_is_no_negative_number() -> None:
    assert ClassificationTarget(0).label == 0
    with pytest.raises(ValueError, match="label: expected 0 or more, found -1"):
        ClassificationTarget(-1)


def test_targets_are_equal_by_value() -> None:
    masks = Masks.from_dense(np.ones((2, 3, 4), dtype=bool))
    target = Target(BOXES, LABELS, KEPT, masks)
    assert target == Target(BOXES.clone(), LABELS.clone(), KEPT.clone(), masks)
    assert target != Target(BOXES, LABELS, KEPT)
    assert target != Target(BOXES, LABELS.flip(0), KEPT, masks)
    assert target != "a target"
