"""What holds for all boxes."""

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from boxmask.geometry import boxes as box

sizes = st.tuples(st.integers(1, 4000), st.integers(1, 4000))


@st.composite
def boxes_of(draw: st.DrawFn, least: int = 0, smallest: float = 0.5) -> Tensor:
    """(N, 4), some of them partly or wholly outside a photo."""
    place, side = st.floats(-500, 4500, width=32), st.floats(smallest, 3000, width=32)
    rows = draw(st.lists(st.tuples(place, place, side, side), min_size=least, max_size=8))
    xywh = torch.tensor(rows, dtype=torch.float32).reshape(-1, 4)
    return torch.cat([xywh[:, :2], xywh[:, :2] + xywh[:, 2:]], dim=1)


@given(boxes_of(), boxes_of())
def test_iou_is_symmetric_and_between_0_and_1(a: Tensor, b: Tensor) -> None:
    iou = box.iou(a, b)
    assert iou.shape == (len(a), len(b))
    assert torch.equal(iou, box.iou(b, a).T)
    assert (iou >= 0).all()
    assert (iou <= 1 + 1e-6).all()


@given(boxes_of())
def test_a_box_overlaps_itself_wholly(boxes: Tensor) -> None:
    assert torch.equal(box.iou(boxes, boxes).diagonal(), torch.ones(len(boxes)))
    torch.testing.assert_close(box.coverage(boxes, boxes).diagonal(), torch.ones(len(boxes)))


@given(boxes_of(), boxes_of())
def test_iou_never_exceeds_coverage(regions: Tensor, boxes: Tensor) -> None:
    assert (box.iou(regions, boxes) <= box.coverage(regions, boxes) + 1e-6).all()


@given(boxes_of(), sizes)
def test_clipping_lands_inside_and_twice_is_once(boxes: Tensor, size: tuple[int, int]) -> None:
    clipped = box.clip(boxes, size)
    assert (clipped >= 0).all()
    assert (clipped <= torch.tensor([size[1], size[0]] * 2)).all()
    assert (clipped[:, 2:] >= clipped[:, :2]).all()
    assert torch.equal(box.clip(clipped, size), clipped)


@given(boxes_of(), sizes)
def test_clipping_leaves_what_is_inside(boxes: Tensor, size: tuple[int, int]) -> None:
    inside = box.clip(boxes, size) == boxes
    assert torch.equal(inside, (boxes >= 0) & (boxes <= torch.tensor([size[1], size[0]] * 2)))


@given(boxes_of(), sizes, sizes)
def test_rescaling_there_and_back(boxes: Tensor, source: tuple[int, int], other: tuple[int, int]) -> None:
    back = box.rescale(box.rescale(boxes, source, other), other, source)
    torch.testing.assert_close(back, boxes, rtol=1e-5, atol=1e-3)


@given(sizes, sizes)
def test_the_whole_photo_stays_the_whole_photo(source: tuple[int, int], other: tuple[int, int]) -> None:
    whole = torch.tensor([[0.0, 0.0, source[1], source[0]]])
    torch.testing.assert_close(box.rescale(whole, source, other)[0, 2:], torch.tensor(other[::-1]).float())


@given(boxes_of(), st.floats(0, 100))
def test_at_least_looks_at_the_shorter_side(boxes: Tensor, side: float) -> None:
    expected = [min(x2 - x1, y2 - y1) >= side for x1, y1, x2, y2 in boxes]
    assert box.large_enough(boxes, side).tolist() == expected
