"""What the decoders of segmenters are made of: a convolution, its norm and ReLU; and a head that scores."""

from __future__ import annotations

import math

from torch import Tensor, nn
from torch.nn import functional as F

from boxmask.errors import UsageError
from boxmask.pipeline.layers import Conv3x3, depthwise_separable

NORMS = ("group", "batch", "none")
GROUPS = 16  # of a GroupNorm; fewer where channels are few, so that each has four at least


class ConvBlock(nn.Sequential):
    """(B, C, H, W) -> (B, C', H, W): convolution, norm, ReLU.

    kernel, dilation: of the convolution, which keeps the size of the map
    norm:      "group": the same numbers alone and in a batch, in training and after it; "batch": as the
               papers have it, over the photos of a batch in training, by the statistics of training after
               it; "none"
    depthwise: a convolution a channel, then 1x1 across channels (MobileNets, arXiv:1704.04861, section 3.1)
    Raises UsageError for a norm that there is not.
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
    """Batch norm that a single pixel does not break.

    One value a channel has no spread; its mean is all there is, and the norm would erase it. It is seen by
    the statistics so far instead: the pooled map of a batch of one photo.
    """

    def forward(self, input: Tensor) -> Tensor:
        """(B, C, H, W) -> the same."""
        if self.training and input.numel() == input.shape[1]:
            return F.batch_norm(
                input, self.running_mean, self.running_var, self.weight, self.bias, False, 0.0, self.eps
            )
        return super().forward(input)


class ScoreHead(nn.Sequential):
    """Hidden blocks, dropout, and 1x1: the logits of each class in each cell, (B, C, H, W) -> (B, K, H, W).

    hidden:  (channels, kernel) of each block
    dropout: which part of the channels is left out in training
    """

    def __init__(
        self,
        in_channels: int,
        hidden: tuple[tuple[int, int], ...],
        classes: int,
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
        self.append(score_layer(in_channels, classes))


def score_layer(in_channels: int, classes: int) -> nn.Conv2d:
    """A 1x1 convolution with logits of spread 0.2 at first: near guessing, and soon away from it."""
    layer = nn.Conv2d(in_channels, classes, 1)
    nn.init.normal_(layer.weight, std=0.3 / in_channels**0.5)  # of inputs that went through a norm and ReLU
    assert layer.bias is not None
    nn.init.zeros_(layer.bias)
    return layer


def upsample(x: Tensor, size: tuple[int, int]) -> Tensor:
    """A map at another size, (B, C, H, W) -> (B, C, *size): bilinear."""
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
    return [nn.GroupNorm(math.gcd(GROUPS, max(1, channels // 4)), channels)] if norm == "group" else []
