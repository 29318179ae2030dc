"""Building blocks of segmentation heads: a convolution with norm and ReLU, and a head that scores classes."""

from __future__ import annotations

import math

from torch import Tensor, nn
from torch.nn import functional as F

from boxmask.errors import UsageError
from boxmask.pipeline.layers import Conv3x3, depthwise_separable

NORMS = ("group", "batch", "none")
MAX_GROUPS = 16  # groups of a GroupNorm; narrow maps have fewer, so that each group has at least 4 channels


class ConvBlock(nn.Sequential):
    """Convolution, norm and ReLU, (B, C, H, W) -> (B, C', H, W).

    kernel, dilation: of the convolution, which is padded to keep the size of the map
    norm:      "group": group norm, which gives the same result for a photo alone and in a batch, in training
               and in evaluation; "batch": batch norm, as in the papers, with the statistics of the batch in
               training and the running statistics in evaluation; "none"
    depthwise: one filter per channel, then 1x1 across channels (MobileNets, arXiv:1704.04861, section 3.1)
    Raises UsageError for an unknown norm.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel: int = 3,
        norm: str = "group",
        dilation: int = 1,
        depthwise: bool = False,
    ) -> None:
        if norm not in NORMS:
            raise UsageError(f"norm {norm!r}: expected one of {', '.join(NORMS)}")
        convs = _convs(in_channels, out_channels, kernel, dilation, depthwise, bias=norm == "none")
        for conv in convs:
            assert isinstance(conv, nn.Conv2d)
            nn.init.kaiming_normal_(conv.weight, nonlinearity="relu" if conv is convs[-1] else "linear")
            if conv.bias is not None:
                nn.init.zeros_(conv.bias)
        super().__init__(*convs, *_norm(norm, out_channels), nn.ReLU())


class BatchNorm(nn.BatchNorm2d):
    """Batch norm that accepts a single value per channel.

    A single value has no variance, and the norm would erase it. The running statistics are used instead. This
    happens to the pooled map of a batch of one photo.
    """

    def forward(self, input: Tensor) -> Tensor:
        """(B, C, H, W) -> the same shape."""
        if self.training and input.numel() == input.shape[1]:
            return F.batch_norm(
                input, self.running_mean, self.running_var, self.weight, self.bias, False, 0.0, self.eps
            )
        return super().forward(input)


class ScoreHead(nn.Sequential):
    """Hidden blocks, dropout and a 1x1 convolution: features (B, C, H, W) -> class logits (B, K, H, W).

    hidden:  (channels, kernel) of each block
    dropout: probability of zeroing an element in training
    """

    def __init__(
        self,
        in_channels: int,
        hidden: tuple[tuple[int, int], ...],
        num_classes: int,
        norm: str,
        dropout: float = 0.0,
        depthwise: bool = False,
    ) -> None:
        super().__init__()
        for channels, kernel in hidden:
            self.append(ConvBlock(in_channels, channels, kernel, norm, depthwise=depthwise and kernel > 1))
            in_channels = channels
        if dropout:
            self.append(nn.Dropout(dropout))
        self.append(score_layer(in_channels, num_classes))


def score_layer(in_channels: int, num_classes: int) -> nn.Conv2d:
    """A 1x1 convolution to class logits, initialized so that their standard deviation is about 0.2.

    Class probabilities start nearly uniform, but the layers before still get a gradient.
    """
    layer = nn.Conv2d(in_channels, num_classes, 1)
    nn.init.normal_(layer.weight, std=0.3 / in_channels**0.5)  # the inputs come from a norm and ReLU
    assert layer.bias is not None
    nn.init.zeros_(layer.bias)
    return layer


def upsample(x: Tensor, size: tuple[int, int]) -> Tensor:
    """Bilinear interpolation to `size`, (B, C, H, W) -> (B, C, *size)."""
    return F.interpolate(x, size=size, mode="bilinear")


def _convs(
    in_channels: int, out_channels: int, kernel: int, dilation: int, depthwise: bool, bias: bool
) -> list[nn.Module]:
    padding = dilation * (kernel - 1) // 2
    if depthwise:
        return depthwise_separable(
            in_channels, out_channels, kernel, padding=padding, dilation=dilation, bias=bias
        )
    if (kernel, dilation) == (3, 1):
        return [Conv3x3(in_channels, out_channels, bias)]
    return [nn.Conv2d(in_channels, out_channels, kernel, padding=padding, dilation=dilation, bias=bias)]


def _norm(norm: str, channels: int) -> list[nn.Module]:
    if norm == "batch":
        return [BatchNorm(channels)]
    if norm == "group":
        return [nn.GroupNorm(math.gcd(MAX_GROUPS, max(1, channels // 4)), channels)]
    return []
