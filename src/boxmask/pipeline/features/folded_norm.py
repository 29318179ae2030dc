"""Frozen batch norm, computed inside the convolution before it.

With its statistics frozen, batch norm is `scale * x + shift` for each channel, and a convolution is linear:
`norm(conv(x, w)) = conv(x, scale * w) + shift`. Scaling a few million weights is cheaper than going over
every feature map twice, forward and backward. The trained parameter stays `w`, so that the gradient and
the optimizer see the network that the paper describes.
"""

from __future__ import annotations

from typing import Any

import torch
from timm.layers import BatchNormAct2d
from timm.layers.conv2d_same import Conv2dSame
from timm.layers.padding import pad_same
from torch import Tensor, nn
from torch.nn import functional as F

from boxmask.kernels import conv3x3, depthwise


class FoldedConv2d(nn.Module):
    """A convolution and the frozen batch norm after it, in one pass over the pixels."""

    scale: Tensor
    shift: Tensor

    def __init__(self, conv: nn.Conv2d, norm: nn.BatchNorm2d) -> None:
        super().__init__()
        self.weight = nn.Parameter(conv.weight.detach().clone())
        scale, shift = _affine(norm)
        if conv.bias is not None:
            shift = shift + scale * conv.bias.detach()
        self.register_buffer("scale", scale)
        self.register_buffer("shift", shift)
        self.scaled: tuple[Any, Tensor] | None = None
        self.stride, self.padding, self.dilation, self.groups = (
            conv.stride,
            conv.padding,
            conv.dilation,
            conv.groups,
        )
        self.pad_same = isinstance(conv, Conv2dSame)  # TensorFlow's padding depends on the size of the map
        form = (conv.kernel_size, conv.stride, conv.padding, conv.dilation, conv.groups)
        self.plain_3x3 = form == ((3, 3), (1, 1), (1, 1), (1, 1), 1)
        self.depthwise = conv.groups == conv.in_channels == conv.out_channels and _even(conv)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C', H', W')."""
        weight = self.scaled_weight()
        padding = self.padding
        if self.pad_same:
            x, padding = pad_same(x, weight.shape[-2:], self.stride, self.dilation), (0, 0)
        if self.plain_3x3:
            return conv3x3(x, weight, self.shift)
        if self.depthwise:
            return depthwise(x, weight, self.shift, self.stride[0], int(padding[0]))
        return F.conv2d(x, weight, self.shift, self.stride, padding, self.dilation, self.groups)

    def scaled_weight(self) -> Tensor:
        """The weight times the scale of each channel; in prediction it is kept until one of them changes."""
        if not torch.is_inference_mode_enabled():
            return self.weight * self.scale[:, None, None, None]
        parts = (self.weight, self.scale)
        state = tuple((part.data_ptr(), part._version, part.device) for part in parts)
        if self.scaled is None or self.scaled[0] != state:
            self.scaled = (state, self.weight * self.scale[:, None, None, None])
        return self.scaled[1]

    def __getstate__(self) -> dict[str, Any]:
        """Copies compute their own."""
        return {**self.__dict__, "scaled": None}


def _even(conv: nn.Conv2d) -> bool:
    """The same stride and padding both ways, and no holes."""
    sides = (conv.stride, conv.padding)
    return conv.dilation == (1, 1) and all(len(set(s)) == 1 and not isinstance(s, str) for s in sides)


class FrozenNorm2d(nn.Module):
    """A frozen batch norm with no convolution right before it."""

    scale: Tensor
    shift: Tensor

    def __init__(self, norm: nn.BatchNorm2d) -> None:
        super().__init__()
        scale, shift = _affine(norm)
        self.register_buffer("scale", scale)
        self.register_buffer("shift", shift)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> the same."""
        return x * self.scale[:, None, None] + self.shift[:, None, None]


def _affine(norm: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    """Scale and shift of a batch norm at its running statistics, each (C,)."""
    if norm.running_mean is None or norm.running_var is None:
        raise ValueError(f"{norm} keeps no running statistics and cannot be frozen")
    scale = torch.rsqrt(norm.running_var + norm.eps)
    if norm.affine:
        scale = scale * norm.weight.detach()
    shift = -norm.running_mean * scale
    if norm.affine:
        shift = shift + norm.bias.detach()
    return scale.clone(), shift.clone()


@torch.no_grad()
def fold_batch_norm(module: nn.Module) -> nn.Module:
    """Freeze every batch norm below `module`, in place, and return it.

    A norm that stands right after a convolution with as many channels is folded into it. That the order
    of definition is the order of use is checked by running the network before and after.
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
                setattr(module, name, _after(child, nn.Identity()))
            else:
                setattr(module, name, _after(child, FrozenNorm2d(child)))
        else:
            _fold_children(child)
        previous = (name, child)


def _after(norm: nn.BatchNorm2d, frozen: nn.Module) -> nn.Module:
    """timm's norms carry the activation that follows them; it stays."""
    if isinstance(norm, BatchNormAct2d) and not isinstance(norm.act, nn.Identity):
        return norm.act if isinstance(frozen, nn.Identity) else nn.Sequential(frozen, norm.act)
    return frozen
