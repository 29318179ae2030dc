"""Fold the frozen batch norms of a backbone into the convolutions before them."""

from __future__ import annotations

import torch
from torch import nn

from boxmask.pipeline.layers import FoldedConv2d, FrozenNorm2d
from boxmask.torchvision_import import timm


@torch.no_grad()
def fold_batch_norm(module: nn.Module) -> nn.Module:
    """Freeze every batch norm below `module`, in place, and return `module`.

    A norm that is defined right after a convolution with as many channels is folded into it. The network runs
    before and after, to check that layers are used in the order in which they are defined.

    Raises ValueError if they are not, or if a norm keeps no running statistics.
    """
    probe = torch.linspace(-1, 1, 3 * 64 * 64).reshape(1, 3, 64, 64)
    module.eval()
    before = module(probe)
    _fold_children(module)
    for old, new in zip(before, module(probe), strict=True):
        tolerance = 1e-3 * float(old.abs().max()) + 1e-6
        if not torch.allclose(old, new, atol=tolerance, rtol=1e-3):
            raise ValueError("this backbone uses its layers in another order than it defines them")
    return module


def _fold_children(module: nn.Module) -> None:
    previous: tuple[str, nn.Module] | None = None
    for name, child in list(module.named_children()):
        if isinstance(child, nn.BatchNorm2d):
            conv = previous[1] if previous else None
            if previous and isinstance(conv, nn.Conv2d) and conv.out_channels == child.num_features:
                setattr(module, previous[0], FoldedConv2d(conv, child))
                setattr(module, name, _with_activation(child, nn.Identity()))
            else:
                setattr(module, name, _with_activation(child, FrozenNorm2d(child)))
        else:
            _fold_children(child)
        previous = (name, child)


def _with_activation(norm: nn.BatchNorm2d, frozen: nn.Module) -> nn.Module:
    """`frozen`, followed by the activation that timm's norm carries, if any."""
    if isinstance(norm, timm.layers.BatchNormAct2d) and not isinstance(norm.act, nn.Identity):
        return norm.act if isinstance(frozen, nn.Identity) else nn.Sequential(frozen, norm.act)
    return frozen
