"""The focal loss equals torchvision's, without its matrix of targets."""

from __future__ import annotations

import math

import pytest
import torch
from torchvision.ops import sigmoid_focal_loss

from boxmask.pipeline.heads import focal_loss as module
from boxmask.pipeline.heads.focal_loss import focal_loss

IMAGE, ROW, LABEL = torch.tensor([0, 0, 1]), torch.tensor([1, 4, 0]), torch.tensor([2, 0, 2])


@pytest.mark.parametrize(("alpha", "gamma"), [(0.25, 2.0), (0.5, 0.0), (0.75, 1.5)])
@pytest.mark.parametrize("spread", [1.0, 30.0])
def test_equal_to_torchvision(
    alpha: float, gamma: float, spread: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Loss and gradient, in chunks of four rows, with rows of weight 0."""
    monkeypatch.setattr(module, "ROWS_PER_CHUNK", 4)
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(2, 5, 3, generator=generator) * spread
    weights = torch.rand(2, 5, generator=generator)
    weights[0, [0, 4]] = 0
    ours, theirs = (logits.clone().requires_grad_() for _ in range(2))
    targets = torch.zeros(2, 5, 3)
    targets[IMAGE, ROW, LABEL] = 1
    expected = (sigmoid_focal_loss(theirs, targets, alpha, gamma) * weights[..., None]).sum()
    found = focal_loss(ours, weights, (IMAGE, ROW, LABEL), alpha, gamma)
    torch.testing.assert_close(found, expected)
    (expected * 3).backward()
    (found * 3).backward()
    torch.testing.assert_close(ours.grad, theirs.grad)


def test_by_hand() -> None:
    """Two logits of 0: an object's and a background's, (1/2)^2 log 2 times alpha and 1 - alpha."""
    at = torch.tensor([0]), torch.tensor([0]), torch.tensor([1])
    found = focal_loss(torch.zeros(1, 1, 2), torch.ones(1, 1), at)
    assert float(found) == pytest.approx(0.25 * math.log(2))


def test_no_rows_have_zero_loss() -> None:
    nothing = (torch.zeros(0, dtype=torch.int64),) * 3
    logits = torch.randn(2, 2, 3, requires_grad=True)
    loss = focal_loss(logits, torch.zeros(2, 2), nothing)
    loss.backward()
    assert loss.item() == 0
    assert logits.grad is not None
    assert not logits.grad.any()
    assert focal_loss(torch.zeros(1, 0, 2), torch.zeros(1, 0), nothing).item() == 0
