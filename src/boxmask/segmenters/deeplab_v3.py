"""DeepLabv3: Rethinking Atrous Convolution for Semantic Image Segmentation.

Chen, Papandreou, Schroff, Adam, 2017 (arXiv:1706.05587).

    image -> features -> heads -> postprocess

What the paper adds to FCN: instead of scores of finer maps, features that are not so coarse in the first
place. The backbone's last stages are dilated ("atrous") where others stride, and "atrous spatial pyramid
pooling" looks at their map with kernels of several widths and at its mean over the whole photo.

Shapes: B images, K classes (a background, if the labels have one, is a class like others).
Pixels: of the resized photo or of a tile, until `postprocess` (pipeline/segmentation/inference.py) returns
to its own.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from boxmask.errors import UsageError
from boxmask.photos.read import accepts_photos
from boxmask.pipeline.features.backbone import Backbone
from boxmask.pipeline.features.mobilenet import DilatedMobileNetV3
from boxmask.pipeline.images import Batch, Size, grid_of, prepare
from boxmask.pipeline.segmentation.blocks import ConvBlock, ScoreHead, upsample
from boxmask.pipeline.segmentation.inference import preparation, segment
from boxmask.pipeline.segmentation.losses import auxiliary_loss, check_losses, labels_of_batch, pixel_losses
from boxmask.pipeline.segmentation.tiling import check_tiling
from boxmask.segmenters.contract import Segmenter
from boxmask.types import SegmentationMap, SegmentationTarget

MOBILENET = "mobilenet_v3_large"  # torchvision's; all others are timm's


@dataclass(frozen=True)
class DeepLabV3Config:
    """Every number of the method; the defaults suit small photos on a CPU, PRESETS hold the paper's own."""

    class_names: tuple[str, ...]
    backbone: str = "tf_efficientnet_lite0"
    # image
    shorter_side: int = 320  # the paper: crops of 513 (section 4.1, "Crop size")
    longer_side: int = 544
    antialias: bool = True
    multiple_of: int = 32
    tile: int = 0  # > 0: photos keep their resolution, and are looked at in tiles of so many pixels
    tile_overlap: float = 0.25  # part of a tile that it shares with the next
    # features (section 3.1)
    output_stride: int = 16  # of the last map; 8 is finer and dearer
    # heads: atrous spatial pyramid pooling (section 3.3)
    atrous_rates: tuple[int, ...] = (6, 12, 18)  # of the dilated kernels, at output stride 16; doubled at 8
    channels: int = 128  # of each branch; the paper: 256
    last_conv: bool = False  # a 3x3 convolution before the scores; torchvision has it, the paper has not
    norm: str = "group"  # the paper: "batch" (section 4.1, "Batch normalization")
    dropout: float = 0.0  # behind the joined branches; torchvision: 0.5
    auxiliary: float = 0.0  # weight of the loss of a second head on the map before; torchvision: 0.5
    # loss
    class_weights: tuple[float, ...] = ()  # empty: none
    region_loss: str = "none"  # "dice", "lovasz": in addition to the cross-entropy


RESNET: dict[str, object] = {  # with the other numbers of section 4.1
    "backbone": "resnet50",
    "shorter_side": 513,
    "longer_side": 1026,
    "antialias": False,
    "multiple_of": 16,
    "channels": 256,
    "norm": "batch",
}
PRESETS: dict[str, dict[str, object]] = {
    "default": {},
    "paper": RESNET,
    "paper-8": {**RESNET, "output_stride": 8},  # as tested for the best figures; section 4.3
}


class DeepLabV3(Segmenter):
    """`predict` and `loss` read top to bottom like the paper; `forward` is the network.

    The paper trains it with a rate of base x (1 - step / steps) ^ 0.9 ("poly", section 4.1).
    backbone_weights: a state dict of timm's network, or None for random numbers
    """

    config: DeepLabV3Config

    def __init__(self, config: DeepLabV3Config, backbone_weights: dict[str, Tensor] | None = None) -> None:
        super().__init__()
        check(config)
        self.config = c = config
        self.backbone = make_backbone(config, backbone_weights)
        classes, deep = len(c.class_names), self.backbone.channels[-1]
        atrous_rates = tuple(rate * 16 // c.output_stride for rate in c.atrous_rates)
        self.pyramid = ASPP(deep, c.channels, atrous_rates, c.norm)
        self.dropout = nn.Dropout(c.dropout)
        self.head = ScoreHead(c.channels, ((c.channels, 3),) if c.last_conv else (), classes, c.norm)
        if c.auxiliary:
            earlier = self.backbone.channels[0]
            self.auxiliary_head = ScoreHead(earlier, ((earlier // 4, 3),), classes, c.norm, dropout=0.1)

    # ------------------------------------------------------------------ the two ways through

    @accepts_photos
    @torch.inference_mode()
    def predict(self, images: list[Tensor]) -> list[SegmentationMap]:
        """Photos -> the class of every pixel, at each one's own size."""
        return segment(images, self, self.backbone.mean, self.backbone.std)

    def loss(self, images: list[Tensor], targets: list[SegmentationTarget]) -> dict[str, Tensor]:
        """Cross-entropy at the labels' resolution (section 4.1, "Upsampling logits"), and what is asked."""
        c, batch = self.config, self.prepare(images)
        labels = labels_of_batch(targets, batch, len(c.class_names))
        maps = self.features(batch.pixels)
        losses = pixel_losses(self.heads(maps, grid_of(batch.pixels)), labels, c)
        if c.auxiliary:
            logits = self.auxiliary_head(maps[0])
            losses |= auxiliary_loss(upsample(logits, grid_of(batch.pixels)), labels, c)
        return losses

    def forward(self, pixels: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B K H W"]:
        """Pixels -> logits of the same size."""
        return self.heads(self.features(pixels), grid_of(pixels))

    # ------------------------------------------------------------------ image

    def prepare(self, images: list[Tensor]) -> Batch:
        """Resize, unless photos are looked at in tiles; normalize and pad."""
        return prepare(images, preparation(self.config, self.backbone.mean, self.backbone.std))

    # ------------------------------------------------------------------ features (section 3.1)

    def features(self, pixels: Tensor) -> list[Tensor]:
        """(B, 3, H, W) -> the map that is scored, the last; before it that of the auxiliary head, if any."""
        maps: list[Tensor] = self.backbone(pixels)
        return maps

    # ------------------------------------------------------------------ heads (section 3.3)

    def heads(self, maps: list[Tensor], size: Size) -> Float[Tensor, "B K H W"]:
        """The last map through pyramid pooling to scores; then bilinear."""
        scores: Tensor = self.head(self.dropout(self.pyramid(maps[-1])))
        return upsample(scores, size)


# ---------------------------------------------------------------------- parts


class ASPP(nn.Module):
    """Atrous spatial pyramid pooling (section 3.3): (B, C, H, W) -> (B, channels, H, W).

    A 1x1 convolution, 3x3 ones at several atrous_rates, and the mean of the map; joined by a 1x1 convolution.
    """

    def __init__(self, in_channels: int, channels: int, atrous_rates: tuple[int, ...], norm: str) -> None:
        super().__init__()
        wide = [ConvBlock(in_channels, channels, 3, norm, dilation=rate) for rate in atrous_rates]
        self.branches = nn.ModuleList([ConvBlock(in_channels, channels, 1, norm), *wide])
        self.of_image = ConvBlock(in_channels, channels, 1, norm)
        self.join = ConvBlock(channels * (len(atrous_rates) + 2), channels, 1, norm)

    def forward(self, x: Tensor) -> Tensor:
        """All branches look at the same map."""
        looks = [branch(x) for branch in self.branches]
        mean = self.of_image(x.mean(dim=(2, 3), keepdim=True))
        joined: Tensor = self.join(torch.cat([*looks, mean.expand_as(looks[0])], dim=1))
        return joined


def make_backbone(
    config: DeepLabV3Config, weights: dict[str, Tensor] | None
) -> Backbone | DilatedMobileNetV3:
    """The dilated network, which gives the auxiliary head's map, too, where there is one."""
    if config.backbone == MOBILENET:
        return DilatedMobileNetV3(weights, earlier=bool(config.auxiliary))
    strides = (16, 32) if config.auxiliary else (32,)
    return Backbone(config.backbone, strides, weights, config.output_stride)


def check(config: DeepLabV3Config) -> None:
    """Raise UsageError for numbers that cannot be meant."""
    check_losses(config)
    check_tiling(config.tile, config.tile_overlap)
    allowed = (16,) if config.backbone == MOBILENET else (8, 16, 32)
    if config.output_stride not in allowed:
        found = f"output_stride {config.output_stride} with backbone {config.backbone}"
        raise UsageError(f"deeplab-v3: {found}: expected one of {', '.join(map(str, allowed))}")
    if not config.atrous_rates or min(config.atrous_rates) < 2:
        raise UsageError(f"deeplab-v3: atrous_rates: expected numbers from 2 on, found {config.atrous_rates}")
