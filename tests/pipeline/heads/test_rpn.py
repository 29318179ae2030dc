from __future__ import annotations

import torch
from torch import Tensor

from boxmask.pipeline.heads.rpn import RPNHead


def head_and_features() -> tuple[RPNHead, list[Tensor]]:
    torch.manual_seed(0)
    head = RPNHead(8, 12, 3).double()
    for parameter in head.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    features = [torch.randn(2, 8, *size, dtype=torch.float64) for size in ((6, 9), (3, 5), (1, 2))]
    return head, [x.requires_grad_() for x in features]


def every_anchor(features: list[Tensor]) -> tuple[Tensor, Tensor]:
    count = sum(3 * x[0, 0].numel() for x in features)
    images = torch.arange(2).repeat_interleave(count)
    order = torch.randperm(2 * count)
    return images[order], torch.arange(count).repeat(2)[order]


def test_outputs_at_single_anchors_equal_the_dense_head() -> None:
    head, features = head_and_features()
    images, anchors = every_anchor(features)
    logits, deltas = head.at_anchors(features, images, anchors)
    dense_logits, dense_deltas = (torch.cat(parts, 1) for parts in head(features))
    torch.testing.assert_close(logits, dense_logits[images, anchors])
    torch.testing.assert_close(deltas, dense_deltas[images, anchors])


def test_gradients_at_single_anchors_equal_the_dense_head() -> None:
    head, features = head_and_features()
    images, anchors = every_anchor(features)
    images, anchors = images[:40], anchors[:40]
    weight = torch.randn(40, dtype=torch.float64)
    leaves = [*features, *head.parameters()]

    def gradients(logits: Tensor, deltas: Tensor) -> tuple[Tensor, ...]:
        return torch.autograd.grad((logits * weight).sum() + (deltas**2).sum(), leaves)

    dense_logits, dense_deltas = (torch.cat(parts, 1) for parts in head(features))
    expected = gradients(dense_logits[images, anchors], dense_deltas[images, anchors])
    for found, wanted in zip(gradients(*head.at_anchors(features, images, anchors)), expected, strict=True):
        torch.testing.assert_close(found, wanted)


def test_no_anchors_give_no_outputs_and_zero_gradients() -> None:
    head, features = head_and_features()
    none = torch.zeros(0, dtype=torch.int64)
    logits, deltas = head.at_anchors(features, none, none)
    assert logits.shape == (0,)
    assert deltas.shape == (0, 4)
    (logits.sum() + deltas.sum()).backward()
    assert not features[0].grad.any()
    assert not head.conv.weight.grad.any()


def test_outputs_at_single_anchors_with_two_convolutions() -> None:
    """As in torchvision's second networks."""
    torch.manual_seed(0)
    head, (_, features) = RPNHead(8, 12, 3, depth=2).double(), head_and_features()
    for parameter in head.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    images, anchors = every_anchor(features)
    found = head.at_anchors(features, images, anchors)
    dense = [torch.cat(parts, 1)[images, anchors] for parts in head(features)]
    torch.testing.assert_close(list(found), dense)
    leaves = [*features, *head.parameters()]
    gradients = [torch.autograd.grad((a**2).sum() + (b**3).sum(), leaves) for a, b in (found, dense)]
    torch.testing.assert_close(*gradients)
