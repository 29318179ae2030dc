"""SSD's extra feature layers: ever coarser maps behind the last one of the backbone.

Liu et al. 2016 (arXiv:1512.02325), figure 2; the light form is SSDLite's (Sandler et al. 2018, MobileNetV2,
arXiv:1801.04381, section 6.2). No batch norm: the layers are new, and batches are too small to measure it on.
"""

from __future__ import annotations

from torch import Tensor, nn

from boxmask.errors import UsageError

Row = tuple[
    int, int, int, int
]  # channels; kernel, stride and padding of the layer that makes the map smaller


class ExtraLayers(nn.Module):
    """The coarsest map of a backbone, (B, C, H, W) -> one more map a row, each made from the one before.

    Each is a 1x1 convolution to half of its channels, then the one that makes the map smaller; with `light`
    that one is depthwise, and another 1x1 across channels follows.
    """

    def __init__(self, in_channels: int, rows: tuple[Row, ...], light: bool) -> None:
        super().__init__()
        self.rows = rows
        self.channels = [row[0] for row in rows]
        self.layers = nn.ModuleList()
        for row in rows:
            self.layers.append(_light(in_channels, row) if light else _full(in_channels, row))
            in_channels = row[0]

    def forward(self, coarsest: Tensor) -> list[Tensor]:
        """Maps from fine to coarse; UsageError where the photo is too small for so many."""
        maps: list[Tensor] = [coarsest]
        for layer, (_, kernel, _, padding) in zip(self.layers, self.rows, strict=True):
            height, width = maps[-1].shape[-2:]
            if min(height, width) + 2 * padding < kernel:
                raise UsageError(
                    f"the photos are too small for these layers: a map of {height} x {width} was to be read "
                    f"in windows of {kernel}; give a larger --size"
                )
            maps.append(layer(maps[-1]))
        return maps[1:]


def _full(in_channels: int, row: Row) -> nn.Sequential:
    channels, kernel, stride, padding = row
    return nn.Sequential(
        rectified(nn.Conv2d(in_channels, channels // 2, 1)),
        nn.ReLU(),
        rectified(nn.Conv2d(channels // 2, channels, kernel, stride, padding)),
        nn.ReLU(),
    )


def _light(in_channels: int, row: Row) -> nn.Sequential:
    channels, kernel, stride, padding = row
    half = channels // 2
    return nn.Sequential(
        rectified(nn.Conv2d(in_channels, half, 1)),
        nn.ReLU6(inplace=True),
        rectified(nn.Conv2d(half, half, kernel, stride, padding, groups=half)),
        nn.ReLU6(inplace=True),
        rectified(nn.Conv2d(half, channels, 1)),
        nn.ReLU6(inplace=True),
    )


def rectified(conv: nn.Conv2d) -> nn.Conv2d:
    """Begin so that maps keep their spread through a convolution and the ReLU behind it (He et al. 2015)."""
    nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")
    if conv.bias is not None:
        nn.init.zeros_(conv.bias)
    return conv
