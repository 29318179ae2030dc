"""R-CNN's equations, worked by hand."""

import math

import torch

from boxmask.geometry.deltas import decode, encode


def test_encode_by_hand() -> None:
    anchor = torch.tensor([[0.0, 0.0, 10.0, 20.0]])  # center (5, 10), 10 x 20
    box = torch.tensor([[5.0, 0.0, 25.0, 20.0]])  # center (15, 10), 20 x 20
    torch.testing.assert_close(encode(anchor, box), torch.tensor([[1.0, 0.0, math.log(2), 0.0]]))


def test_weights_multiply_what_is_learned() -> None:
    anchor, box = torch.tensor([[0.0, 0.0, 10.0, 20.0]]), torch.tensor([[5.0, 0.0, 25.0, 20.0]])
    weighted = encode(anchor, box, (10.0, 10.0, 5.0, 5.0))
    torch.testing.assert_close(weighted, torch.tensor([[10.0, 0.0, 5 * math.log(2), 0.0]]))
    torch.testing.assert_close(decode(anchor, weighted, (10.0, 10.0, 5.0, 5.0)), box)


def test_decode_by_hand() -> None:
    anchor = torch.tensor([[0.0, 0.0, 8.0, 4.0]])  # center (4, 2)
    moved = decode(anchor, torch.tensor([[0.5, -0.5, 0.0, math.log(3)]]))
    torch.testing.assert_close(moved, torch.tensor([[4.0, -6.0, 12.0, 6.0]]))
