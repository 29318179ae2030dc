"""Properties of all boxes."""

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from boxmask.geometry import boxes as box

sizes = st.tuples(st.integers(1, 4000), st.integers(1, 4000))


@st.composite
def random_boxes(draw: st.DrawFn) -> Tensor:
    """(N, 4), some partly or entirely outside the photo."""
    corner, side = st.floats(-500, 4500, width=32), st.floats(0.5, 3000, width=32)
    rows = draw(st.lists(st.tuples(corner, corner, side, side), max_size=8))
    xywh = torch.tensor(rows, dtype=torch.float32).reshape(-1, 4)
    return torch.cat([xywh[:, :2], xywh[:, :2] + xywh[:, 2:]], dim=1)


@given(random_boxes(), random_boxes())
def test_iou_is_symmetric_and_between_0_and_1(a: Tensor, b: Tensor) -> None:
    iou = box.iou(a, b)
    assert iou.shape == (len(a), len(b))
    assert torch.equal(iou, box.iou(b, a).T)
    assert (iou >= 0).all()
    assert (iou <= 1 + 1e-6).all()


@given(random_boxes())
def test_a_box_covers_itself(boxes: Tensor) -> None:
    assert torch.equal(box.iou(boxes, boxes).diagonal(), torch.ones(len(boxes)))
    torch.testing.assert_close(box.coverage(boxes, boxes).diagonal(), torch.ones(len(boxes)))


@given(random_boxes(), random_boxes())
def test_iou_never_exceeds_coverage(regions: Tensor, boxes: Tensor) -> None:
    assert (box.iou(regions, boxes) <= box.coverage(regions, boxes) + 1e-6).all()


@given(random_boxes(), sizes)
def test_clipped_boxes_are_inside_and_clipping_is_idempotent(boxes: Tensor, size: tuple[int, int]) -> None:
    clipped = box.clip(boxes, size)
    assert (clipped >= 0).all()
    assert (clipped <= torch.tensor([size[1], size[0]] * 2)).all()
    assert (clipped[:, 2:] >= clipped[:, :2]).all()
    assert torch.equal(box.clip(clipped, size), clipped)


@given(random_boxes(), sizes)
def test_clipping_keeps_coordinates_inside_the_photo(boxes: Tensor, size: tuple[int, int]) -> None:
    inside = box.clip(boxes, size) == boxes
    assert torch.equal(inside, (boxes >= 0) & (boxes <= torch.tensor([size[1], size[0]] * 2)))


@given(random_boxes(), sizes, sizes)
def test_rescaling_back_restores_the_boxes(
    boxes: Tensor, source: tuple[int, int], target: tuple[int, int]
) -> None:
    back = box.rescale(box.rescale(boxes, source, target), target, source)
    torch.testing.assert_close(back, boxes, rtol=1e-5, atol=1e-3)


@given(sizes, sizes)
def test_a_box_around_the_photo_stays_around_it(source: tuple[int, int], target: tuple[int, int]) -> None:
    box_of_photo = torch.tensor([[0.0, 0.0, source[1], source[0]]])
    torch.testing.assert_close(
        box.rescale(box_of_photo, source, target)[0, 2:], torch.tensor(target[::-1]).float()
    )


@given(random_boxes(), st.floats(0, 100))
def test_large_enough_compares_the_shorter_side(boxes: Tensor, side: float) -> None:
    expected = [min(x2 - x1, y2 - y1) >= side for x1, y1, x2, y2 in boxes]
    assert box.large_enough(boxes, side).tolist() == expected
