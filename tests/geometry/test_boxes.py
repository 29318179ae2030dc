"""Boxes with continuous edges: width is x2 - x1."""

import math

import torch
from torchvision.ops import box_iou

from boxmask.geometry import boxes as box


def random_boxes(count: int, seed: int) -> torch.Tensor:
    values = torch.rand(count, 4, generator=torch.Generator().manual_seed(seed)) * 100
    return torch.cat([values[:, :2], values[:, :2] + values[:, 2:]], dim=1)


def test_areas_do_not_add_one_to_sides() -> None:
    assert box.areas(torch.tensor([[2.0, 3.0, 5.0, 7.0], [0.0, 0.0, 0.5, 0.5]])).tolist() == [12.0, 0.25]


def test_iou_by_hand() -> None:
    a = torch.tensor([[0.0, 0.0, 4.0, 4.0]])
    b = torch.tensor([[2.0, 2.0, 6.0, 6.0], [4.0, 0.0, 8.0, 4.0], [0.0, 0.0, 4.0, 2.0]])
    torch.testing.assert_close(box.iou(a, b), torch.tensor([[4 / 28, 0.0, 0.5]]))


def test_iou_equals_torchvision() -> None:
    a, b = random_boxes(40, 0), random_boxes(60, 1)
    torch.testing.assert_close(box.iou(a, b), box_iou(a, b))


def test_coverage_is_a_fraction_of_the_box_not_of_the_region() -> None:
    region = torch.tensor([[0.0, 0.0, 10.0, 10.0]])
    boxes = torch.tensor([[1.0, 1.0, 2.0, 2.0], [8.0, 0.0, 12.0, 4.0], [5.0, 5.0, 5.0, 9.0]])
    assert box.coverage(region, boxes).tolist() == [[1.0, 0.5, 0.0]]


def test_sizes_are_height_then_width() -> None:
    boxes = torch.tensor([[-5.0, -5.0, 100.0, 100.0]])
    assert box.clip(boxes, (20, 30)).tolist() == [[0.0, 0.0, 30.0, 20.0]]
    half_wide = box.rescale(torch.tensor([[10.0, 10.0, 20.0, 20.0]]), (100, 100), (300, 50))
    assert half_wide.tolist() == [[5.0, 30.0, 10.0, 60.0]]


def test_no_boxes() -> None:
    empty, single = torch.zeros(0, 4), torch.tensor([[0.0, 0.0, 1.0, 1.0]])
    assert box.iou(empty, single).shape == (0, 1)
    assert box.iou(single, empty).shape == (1, 0)
    assert box.clip(empty, (3, 3)).shape == (0, 4)
    assert box.large_enough(empty, 1).shape == (0,)


# ---------------------------------------------------------------- deltas (R-CNN, appendix C)


def test_encode_by_hand() -> None:
    anchor = torch.tensor([[0.0, 0.0, 10.0, 20.0]])  # center (5, 10), 10 x 20
    target = torch.tensor([[5.0, 0.0, 25.0, 20.0]])  # center (15, 10), 20 x 20
    torch.testing.assert_close(box.encode(anchor, target), torch.tensor([[1.0, 0.0, math.log(2), 0.0]]))


def test_weights_multiply_the_deltas() -> None:
    anchor, target = torch.tensor([[0.0, 0.0, 10.0, 20.0]]), torch.tensor([[5.0, 0.0, 25.0, 20.0]])
    weighted = box.encode(anchor, target, (10.0, 10.0, 5.0, 5.0))
    torch.testing.assert_close(weighted, torch.tensor([[10.0, 0.0, 5 * math.log(2), 0.0]]))
    torch.testing.assert_close(box.decode(anchor, weighted, (10.0, 10.0, 5.0, 5.0)), target)


def test_decode_by_hand() -> None:
    anchor = torch.tensor([[0.0, 0.0, 8.0, 4.0]])  # center (4, 2)
    moved = box.decode(anchor, torch.tensor([[0.5, -0.5, 0.0, math.log(3)]]))
    torch.testing.assert_close(moved, torch.tensor([[4.0, -6.0, 12.0, 6.0]]))
