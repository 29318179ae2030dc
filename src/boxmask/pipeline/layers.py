"""The layers that backbones, pyramids and heads are built from.

Those with a compiled loop on a CPU call `boxmask.kernels`; elsewhere, and for shapes that do not pay, they
compute what PyTorch's own layers compute.
"""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from boxmask.kernels import conv3x3, depthwise, linear
from boxmask.torchvision_import import timm


class Linear(nn.Linear):
    """A fully connected layer with a bias, (R, C) -> (R, C'); see `kernels.linear`."""

    def __init__(self, in_features: int, out_features: int) -> None:
        super().__init__(in_features, out_features)

    def forward(self, input: Tensor) -> Tensor:
        """(R, C) -> (R, C')."""
        return linear(input, self.weight, self.bias)


class Conv3x3(nn.Conv2d):
    """A 3x3 convolution that keeps the size of the map; see `kernels.conv3x3`.

    per_roi: whether it runs over small feature maps, one per RoI
    """

    def __init__(self, in_channels: int, out_channels: int, bias: bool = True, per_roi: bool = False) -> None:
        super().__init__(in_channels, out_channels, 3, padding=1, bias=bias)
        self.per_roi = per_roi

    def forward(self, input: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C', H, W)."""
        return conv3x3(input, self.weight, self.bias, self.per_roi)


class RegionConvs(nn.Sequential):
    """`depth` 3x3 convolutions with ReLU over the small maps of RoIs, (R, C, h, w) -> (R, channels, h, w)."""

    def __init__(self, in_channels: int, channels: int, depth: int) -> None:
        super().__init__()
        for inputs in [in_channels, *[channels] * depth][:depth]:
            conv = Conv3x3(inputs, channels, per_roi=True)
            nn.init.kaiming_normal_(conv.weight, mode="fan_out", nonlinearity="relu")
            nn.init.zeros_(cast(Tensor, conv.bias))
            self.append(nn.Sequential(conv, nn.ReLU()))


def depthwise_separable(
    in_channels: int,
    out_channels: int,
    kernel: int = 3,
    *,
    stride: int = 1,
    padding: int = 1,
    dilation: int = 1,
    relu6: bool = False,
    bias: bool = True,
) -> list[nn.Module]:
    """A convolution per channel, then 1x1 across channels: a ninth of the multiplications, or less.

    Howard et al. 2017 (MobileNets, arXiv:1704.04861), section 3.1.

    relu6: put a ReLU6 between the two; the first convolution then has a bias
    bias:  of the 1x1 convolution
    """
    per_channel = nn.Conv2d(
        in_channels,
        in_channels,
        kernel,
        stride=stride,
        padding=padding,
        dilation=dilation,
        groups=in_channels,
        bias=relu6,
    )
    between: list[nn.Module] = [nn.ReLU6(inplace=True)] if relu6 else []
    return [per_channel, *between, nn.Conv2d(in_channels, out_channels, 1, bias=bias)]


def init_for_relu(layers: nn.Module) -> None:
    """Initialize the convolutions so that a ReLU after each keeps the variance (He et al. 2015); bias 0."""
    for layer in layers.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


# ---------------------------------------------------------------------- frozen batch norm


class FoldedConv2d(nn.Module):
    """A convolution and the frozen batch norm after it, in one pass over the pixels.

    With frozen statistics, batch norm is `scale * x + shift` per channel, and a convolution is linear:
    `norm(conv(x, w)) = conv(x, scale * w) + shift`. Scaling a few million weights is cheaper than a pass over
    every feature map, forward and backward. The parameter stays `w`, so that the gradient and the optimizer
    see the network of the paper.
    """

    scale: Tensor
    shift: Tensor

    def __init__(self, conv: nn.Conv2d, norm: nn.BatchNorm2d) -> None:
        super().__init__()
        self.weight = nn.Parameter(conv.weight.detach().clone())
        scale, shift = _scale_and_shift(norm)
        if conv.bias is not None:
            shift = shift + scale * conv.bias.detach()
        self.register_buffer("scale", scale)
        self.register_buffer("shift", shift)
        self.cached: tuple[Any, Tensor] | None = None
        self.stride, self.padding = conv.stride, conv.padding
        self.dilation, self.groups = conv.dilation, conv.groups
        self.pad_same = isinstance(conv, timm.layers.Conv2dSame)  # TensorFlow's, by the size of the map
        shape = (conv.kernel_size, conv.stride, conv.padding, conv.dilation, conv.groups)
        self.plain_3x3 = shape == ((3, 3), (1, 1), (1, 1), (1, 1), 1)
        self.depthwise = conv.groups == conv.in_channels == conv.out_channels and _is_square(conv)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C', H', W')."""
        weight = self.scaled_weight()
        padding = self.padding
        if self.pad_same:
            x, padding = timm.layers.pad_same(x, weight.shape[-2:], self.stride, self.dilation), (0, 0)
        if self.plain_3x3:
            return conv3x3(x, weight, self.shift)
        if self.depthwise:
            return depthwise(x, weight, self.shift, self.stride[0], int(padding[0]))
        return F.conv2d(x, weight, self.shift, self.stride, padding, self.dilation, self.groups)

    def scaled_weight(self) -> Tensor:
        """The weight times the scale per channel; if it has no gradient, it is kept until one changes."""
        if torch.compiler.is_compiling() or (self.weight.requires_grad and torch.is_grad_enabled()):
            return self.weight * self.scale[:, None, None, None]
        # A change in place keeps the address and raises `_version`, which has no public name in PyTorch.
        parts = tuple((part.data_ptr(), part._version, part.device) for part in (self.weight, self.scale))
        state = (parts, torch.is_inference_mode_enabled())  # autograd takes no tensors of inference mode
        if self.cached is None or self.cached[0] != state:
            self.cached = (state, self.weight * self.scale[:, None, None, None])
        return self.cached[1]

    def __getstate__(self) -> dict[str, Any]:
        """Copies compute their own scaled weight."""
        return {**self.__dict__, "cached": None}


class FrozenNorm2d(nn.Module):
    """A frozen batch norm with no convolution right before it."""

    scale: Tensor
    shift: Tensor

    def __init__(self, norm: nn.BatchNorm2d) -> None:
        super().__init__()
        scale, shift = _scale_and_shift(norm)
        self.register_buffer("scale", scale)
        self.register_buffer("shift", shift)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C, H, W)."""
        return x * self.scale[:, None, None] + self.shift[:, None, None]


def _is_square(conv: nn.Conv2d) -> bool:
    """Whether stride and padding are the same along both axes, without dilation."""
    sides = (conv.stride, conv.padding)
    return conv.dilation == (1, 1) and all(len(set(s)) == 1 and not isinstance(s, str) for s in sides)


def _scale_and_shift(norm: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
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
