from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from boxmask.pipeline.heads.mask import MaskHead


def head_and_rois() -> tuple[MaskHead, Tensor, Tensor]:
    torch.manual_seed(0)
    head = MaskHead(6, 5, 2, 3).double()
    for parameter in head.parameters():
        torch.nn.init.normal_(parameter, std=0.4)
    rois = torch.randn(4, 6, 7, 7, dtype=torch.float64, requires_grad=True)
    return head, rois, torch.tensor([2, 0, 1, 2])


def plainly(head: MaskHead, rois: Tensor, labels: Tensor) -> Tensor:
    """Computed as in figure 4: the masks of all classes, of which the requested one is taken."""
    x = rois
    for conv, _ in head.convs:
        x = F.relu(F.conv2d(x, conv.weight, conv.bias, padding=1))
    every: Tensor = head.logits(F.relu(head.deconv(x)))
    return every[torch.arange(len(rois)), labels]


def test_the_masks_of_figure_4() -> None:
    head, rois, labels = head_and_rois()
    found = head(rois, labels)
    assert found.shape == (4, 14, 14)
    torch.testing.assert_close(found, plainly(head, rois, labels))


def test_gradients() -> None:
    head, rois, labels = head_and_rois()
    leaves, weight = [rois, *head.parameters()], torch.randn(4, 14, 14, dtype=torch.float64)
    found = torch.autograd.grad((head(rois, labels) * weight).sum(), leaves)
    expected = torch.autograd.grad((plainly(head, rois, labels) * weight).sum(), leaves)
    torch.testing.assert_close(found, expected)


def test_only_the_requested_class_gets_a_gradient() -> None:
    head, rois, _ = head_and_rois()
    head(rois, torch.tensor([2, 0, 0, 2])).square().sum().backward()
    assert head.logits.weight.grad.flatten(1).any(dim=1).tolist() == [True, False, True]
    assert head.logits.bias.grad.bool().tolist() == [True, False, True]


def test_without_rois_every_gradient_is_zero() -> None:
    head, rois, labels = head_and_rois()
    found = head(rois[:0], labels[:0])
    assert found.shape == (0, 14, 14)
    found.sum().backward()
    for parameter in head.parameters():
        assert parameter.grad is not None
        assert not parameter.grad.any()


def test_depth_0_upsamples_the_rois_directly() -> None:
    head = MaskHead(6, 4, 0, 3)
    assert head(torch.randn(2, 6, 7, 7), torch.tensor([0, 1])).shape == (2, 14, 14)


def test_initially_every_pixel_is_undecided() -> None:
    torch.manual_seed(0)
    scores = MaskHead(64, 64, 4, 3)(torch.rand(2, 64, 14, 14), torch.tensor([0, 1])).sigmoid()
    assert (scores - 0.5).abs().amax() < 0.05
