"""SSD's extra feature layers: ever coarser maps after the last map of the backbone.

Liu et al. 2016 (arXiv:1512.02325), figure 2. The depthwise form is SSDLite's (Sandler et al. 2018,
MobileNetV2, arXiv:1801.04381, section 6.2). There is no batch norm: the layers are new, and batches are too
small to measure it on.
"""

from __future__ import annotations

from torch import Tensor, nn

from boxmask.errors import UsageError
from boxmask.pipeline.layers import depthwise_separable, init_for_relu

Row = tuple[
    int, int, int, int
]  # channels; kernel, stride and padding of the convolution that shrinks the map


class ExtraLayers(nn.Module):
    """The coarsest map of a backbone, (B, C, H, W) -> one more map per row, each made from the one before.

    Each is a 1x1 convolution to half of its channels, then the convolution that shrinks the map. With
    `depthwise`, that one is depthwise, and another 1x1 across channels follows.
    """

    def __init__(self, in_channels: int, rows: tuple[Row, ...], depthwise: bool) -> None:
        super().__init__()
        self.rows = rows
        self.channels = [row[0] for row in rows]
        inputs = [in_channels, *self.channels]
        self.layers = nn.ModuleList(
            _extra_layer(channels, row, depthwise) for channels, row in zip(inputs, rows, strict=False)
        )

    def forward(self, coarsest: Tensor) -> list[Tensor]:
        """Maps from fine to coarse. Raises UsageError if the photo is too small for that many."""
        maps: list[Tensor] = [coarsest]
        for layer, (_, kernel, _, padding) in zip(self.layers, self.rows, strict=True):
            height, width = maps[-1].shape[-2:]
            if min(height, width) + 2 * padding < kernel:
                raise UsageError(
                    f"the photos are too small for the extra layers: a kernel of {kernel} does not fit a map "
                    f"of {height} x {width}. Give a larger --size."
                )
            maps.append(layer(maps[-1]))
        return maps[1:]


def _extra_layer(in_channels: int, row: Row, depthwise: bool) -> nn.Sequential:
    channels, kernel, stride, padding = row
    half = channels // 2
    if depthwise:
        shrink = depthwise_separable(half, channels, kernel, stride=stride, padding=padding, relu6=True)
        layer = nn.Sequential(
            nn.Conv2d(in_channels, half, 1), nn.ReLU6(inplace=True), *shrink, nn.ReLU6(inplace=True)
        )
    else:
        layer = nn.Sequential(
            nn.Conv2d(in_channels, half, 1),
            nn.ReLU(),
            nn.Conv2d(half, channels, kernel, stride, padding),
            nn.ReLU(),
        )
    init_for_relu(layer)
    return layer
