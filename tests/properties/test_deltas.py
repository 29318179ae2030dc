"""Encoding and decoding deltas are inverse."""

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from boxmask.geometry.boxes import decode, encode

corner, side = st.floats(-200, 1500, width=32), st.floats(8, 400, width=32)
boxes = st.tuples(corner, corner, side, side).map(
    lambda row: torch.tensor([[row[0], row[1], row[0] + row[2], row[1] + row[3]]])
)
small = st.floats(-1.5, 1.5, width=32)
deltas = st.tuples(small, small, small, small).map(lambda row: torch.tensor([row]))
positive = st.floats(0.5, 20)
weights = st.tuples(positive, positive, positive, positive)
Weights = tuple[float, float, float, float]


@given(boxes, boxes, weights)
def test_decode_inverts_encode(anchor: Tensor, box: Tensor, weights: Weights) -> None:
    moved = decode(anchor, encode(anchor, box, weights), weights)
    torch.testing.assert_close(moved, box, rtol=1e-4, atol=1e-2)


@given(boxes, deltas, weights)
def test_encode_inverts_decode(anchor: Tensor, delta: Tensor, weights: Weights) -> None:
    back = encode(anchor, decode(anchor, delta, weights), weights)
    torch.testing.assert_close(back, delta, rtol=1e-2, atol=2e-2)


@given(boxes)
def test_zero_deltas_keep_the_anchor(anchor: Tensor) -> None:
    torch.testing.assert_close(encode(anchor, anchor), torch.zeros(1, 4))
    torch.testing.assert_close(decode(anchor, torch.zeros(1, 4)), anchor, rtol=1e-6, atol=1e-3)


@given(boxes, st.floats(4.25, 1e4, width=32))
def test_growth_is_limited(anchor: Tensor, log_scale: float) -> None:
    moved = decode(anchor, torch.tensor([[0.0, 0.0, log_scale, log_scale]]))
    growth = (moved[:, 2:] - moved[:, :2]) / (anchor[:, 2:] - anchor[:, :2])
    torch.testing.assert_close(growth, torch.full((1, 2), 62.5), rtol=1e-3, atol=0)
