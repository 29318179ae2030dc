from __future__ import annotations

import pytest
import torch

from boxmask.kernels import batched_nms, nms

BOXES = torch.tensor([[0, 0, 10, 10], [1, 1, 11, 11], [20, 20, 30, 30], [0, 0, 10, 10.0]])
SCORES = torch.tensor([0.5, 0.9, 0.3, 0.5])


def test_keeps_the_highest_score_of_each_cluster() -> None:
    assert nms(BOXES, SCORES, 0.5).tolist() == [1, 2]
    assert nms(BOXES, SCORES, 0.9).tolist() == [1, 0, 2]  # of two equal scores, the first


def test_classes_do_not_compete() -> None:
    assert batched_nms(BOXES, SCORES, torch.tensor([0, 1, 1, 0]), 0.5).tolist() == [1, 0, 2]
    assert batched_nms(BOXES, SCORES, torch.tensor([5, -2, 5, 7]), 0.5).tolist() == [1, 0, 3, 2]


@pytest.mark.parametrize("dtype", [torch.int32, torch.int64, torch.uint8, torch.float32])
def test_class_indices_of_any_type(dtype: torch.dtype) -> None:
    assert batched_nms(BOXES, SCORES, torch.tensor([0, 1, 1, 0]).to(dtype), 0.5).tolist() == [1, 0, 2]


def test_a_box_with_iou_equal_to_the_threshold_is_kept() -> None:
    boxes = torch.tensor([[0.0, 0, 2, 1], [0, 0, 1, 1]])  # IoU is exactly 1/2
    assert nms(boxes, torch.tensor([0.9, 0.8]), 0.5).tolist() == [0, 1]
    assert nms(boxes, torch.tensor([0.9, 0.8]), 0.4999).tolist() == [0]


def test_a_threshold_between_two_floats() -> None:
    boxes = torch.tensor([[0.0, 0, 10, 1], [0, 0, 7, 1]])
    iou = float(torch.tensor(7.0) / torch.tensor(10.0))
    assert nms(boxes, torch.tensor([0.9, 0.8]), iou).tolist() == [0, 1]
    assert nms(boxes, torch.tensor([0.9, 0.8]), iou - 1e-12).tolist() == [0]


def test_works_on_tensors_that_require_gradients() -> None:
    kept = nms(BOXES.clone().requires_grad_(), SCORES.clone().requires_grad_(), 0.5)
    assert kept.tolist() == [1, 2]
    assert kept.dtype == torch.int64


def test_operator_is_registered_correctly() -> None:
    given = (BOXES, SCORES, torch.zeros(4, dtype=torch.int64), 0.5)
    torch.library.opcheck(torch.ops.boxmask.nms.default, given)


def kept_boxes(boxes: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
    return boxes[nms(boxes, scores, 0.5)]


def test_compiles_into_one_graph() -> None:
    compiled = torch.compile(kept_boxes, backend="aot_eager", fullgraph=True)
    with torch._dynamo.config.patch(capture_dynamic_output_shape_ops=True):
        assert torch.equal(compiled(BOXES, SCORES), BOXES[[1, 2]])


def test_invalid_arguments_are_rejected() -> None:
    with pytest.raises(ValueError, match=r"nms: expected shapes \(N, 4\), \(N,\), \(N,\), found"):
        nms(BOXES, SCORES[:3], 0.5)
    with pytest.raises(ValueError, match="nms: expected both float32 or both float64"):
        nms(BOXES, SCORES.double(), 0.5)
