"""What non-maximum suppression promises for any boxes."""

from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torchvision.ops import box_iou

from boxmask.kernels import batched_nms, nms

numbers = st.integers(0, 12)
rows = st.lists(st.tuples(numbers, numbers, numbers, numbers, numbers, st.integers(0, 2)), max_size=40)
thresholds = st.sampled_from([0.0, 0.25, 1 / 3, 0.5, 0.7, 1.0])


def columns(table: list[tuple[int, ...]]) -> tuple[Tensor, Tensor, Tensor]:
    """Boxes with area, scores with ties, classes."""
    all_of = torch.tensor(table, dtype=torch.float32).reshape(-1, 6)
    boxes = torch.cat([all_of[:, :2], all_of[:, :2] + all_of[:, 2:4] + 1], dim=1)
    return boxes, all_of[:, 4] / 12, all_of[:, 5].long()


@given(rows, thresholds)
@settings(deadline=None)
def test_survivors_do_not_overlap_and_the_rest_overlap_a_better_survivor(
    table: list[tuple[int, ...]], threshold: float
) -> None:
    boxes, scores, _ = columns(table)
    kept = nms(boxes, scores, threshold)
    over = box_iou(boxes, boxes).double() > threshold  # a threshold in float32 may be a larger number
    among = over[kept][:, kept]
    assert not among.triu(1).any()
    dropped = torch.ones(len(boxes), dtype=torch.bool).index_fill(0, kept, False)
    better = scores[kept][None] >= scores[dropped][:, None]
    assert (over[dropped][:, kept] & better).any(dim=1).all()


@given(rows, thresholds)
@settings(deadline=None)
def test_idempotent_and_sorted(table: list[tuple[int, ...]], threshold: float) -> None:
    boxes, scores, _ = columns(table)
    kept = nms(boxes, scores, threshold)
    assert (scores[kept].diff() <= 0).all()
    again = nms(boxes[kept], scores[kept], threshold)
    assert torch.equal(again, torch.arange(len(kept)))


@given(rows, thresholds)
@settings(deadline=None)
def test_classes_do_not_see_each_other(table: list[tuple[int, ...]], threshold: float) -> None:
    boxes, scores, classes = columns(table)
    kept = batched_nms(boxes, scores, classes, threshold)
    for number in range(3):
        members = torch.nonzero(classes == number)[:, 0]
        alone = members[nms(boxes[members], scores[members], threshold)]
        assert torch.equal(kept[classes[kept] == number], alone)


@given(rows, st.sampled_from([-8.0, 0.5, 64.0]))
@settings(deadline=None)
def test_neither_scale_nor_place_matters(table: list[tuple[int, ...]], factor: float) -> None:
    boxes, scores, _ = columns(table)
    moved = boxes * abs(factor) + factor  # powers of two and small whole numbers: nothing is rounded
    assert torch.equal(nms(moved, scores, 0.5), nms(boxes, scores, 0.5))
