"""The box head of torchvision's second networks; the usual one is asked with its papers."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from boxmask.pipeline.heads.box import BoxHead


def test_convolutions_take_the_place_of_the_second_layer() -> None:
    torch.manual_seed(0)
    head, rois = BoxHead(6, 3, 7, 10, convs=2), torch.randn(4, 6, 7, 7)
    assert not any(key.startswith("fc7.") for key in head.state_dict())
    x = rois
    for conv, _ in head.convs:
        x = F.relu(F.conv2d(x, conv.weight, conv.bias, padding=1))
    hidden = F.relu(F.linear(x.flatten(1), head.fc6.weight, head.fc6.bias))
    logits, deltas = head(rois)
    torch.testing.assert_close(logits, head.logits(hidden))
    torch.testing.assert_close(deltas.flatten(1), head.deltas(hidden))


def test_without_convolutions_there_are_two_layers_and_nothing_else() -> None:
    head = BoxHead(6, 3, 7, 10)
    layers = {key.split(".")[0] for key in head.state_dict()}
    assert layers == {"fc6", "fc7", "logits", "deltas"}
    assert isinstance(head.fc7, nn.Linear)
