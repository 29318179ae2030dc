"""Properties of non-maximum suppression, for all boxes."""

from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torchvision.ops import box_iou

from boxmask.kernels import batched_nms, nms

small = st.integers(0, 12)
rows = st.lists(st.tuples(small, small, small, small, small, st.integers(0, 2)), max_size=40)
thresholds = st.sampled_from([0.0, 0.25, 1 / 3, 0.5, 0.7, 1.0])


def columns(table: list[tuple[int, ...]]) -> tuple[Tensor, Tensor, Tensor]:
    """Return boxes with an area, scores with ties, and classes."""
    values = torch.tensor(table, dtype=torch.float32).reshape(-1, 6)
    boxes = torch.cat([values[:, :2], values[:, :2] + values[:, 2:4] + 1], dim=1)
    return boxes, values[:, 4] / 12, values[:, 5].long()


@given(rows, thresholds)
@settings(deadline=None)
def test_kept_boxes_do_not_overlap_and_dropped_boxes_overlap_a_kept_one(
    table: list[tuple[int, ...]], threshold: float
) -> None:
    boxes, scores, _ = columns(table)
    kept = nms(boxes, scores, threshold)
    over = box_iou(boxes, boxes).double() > threshold  # a threshold in float32 may be larger
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
def test_classes_do_not_compete(table: list[tuple[int, ...]], threshold: float) -> None:
    boxes, scores, classes = columns(table)
    kept = batched_nms(boxes, scores, classes, threshold)
    for label in range(3):
        members = torch.nonzero(classes == label)[:, 0]
        alone = members[nms(boxes[members], scores[members], threshold)]
        assert torch.equal(kept[classes[kept] == label], alone)


@given(rows, st.sampled_from([-8.0, 0.5, 64.0]))
@settings(deadline=None)
def test_scale_and_position_do_not_matter(table: list[tuple[int, ...]], factor: float) -> None:
    boxes, scores, _ = columns(table)
    moved = boxes * abs(factor) + factor  # powers of two and small integers are exact
    assert torch.equal(nms(moved, scores, 0.5), nms(boxes, scores, 0.5))
