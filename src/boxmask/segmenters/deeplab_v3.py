"""DeepLabv3: Rethinking Atrous Convolution for Semantic Image Segmentation.

Chen, Papandreou, Schroff, Adam, 2017 (arXiv:1706.05587).

    image -> features -> heads -> postprocess

What the paper adds to FCN: a finer feature map instead of skips from finer maps. The backbone's last stages
are dilated ("atrous") instead of strided. "Atrous spatial pyramid pooling" (ASPP) reads their map with 3x3
kernels of several dilation rates, and adds its mean over the whole photo.

Shapes: B images, K classes; a background, if the labels have one, is a class like any other.
Pixels: of the resized photo or of a tile, until `postprocess` (pipeline/segmentation/inference.py) returns to
        the photo's own.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from boxmask.errors import UsageError
from boxmask.photos.read import accepts_photos
from boxmask.pipeline.features.backbone import Backbone
from boxmask.pipeline.features.mobilenet import MOBILENET, DilatedMobileNetV3
from boxmask.pipeline.images import Batch, Size, prepare, spatial_size
from boxmask.pipeline.segmentation.blocks import ConvBlock, ScoreHead, upsample
from boxmask.pipeline.segmentation.inference import preparation_for, segment
from boxmask.pipeline.segmentation.losses import batch_labels, check_losses, segmentation_losses
from boxmask.pipeline.segmentation.tiling import check_tiling
from boxmask.segmenters.contract import Segmenter
from boxmask.types import SegmentationMap, SegmentationTarget


@dataclass(frozen=True)
class DeepLabV3Config:
    """Hyperparameters of the method; the defaults suit small photos on a CPU, PRESETS hold the paper's."""

    class_names: tuple[str, ...]
    backbone: str = "tf_efficientnet_lite0"
    # image
    shorter_side: int = 320  # the paper: crops of 513 (section 4.1, "Crop size")
    longer_side: int = 544
    antialias: bool = True
    multiple_of: int = 32
    tile: int = 0  # > 0: photos keep their resolution and are segmented in tiles of this side, in pixels
    tile_overlap: float = 0.25  # fraction of a tile shared with the next
    # features (section 3.1)
    output_stride: int = 16  # of the last map; 8 is finer and slower
    # heads: atrous spatial pyramid pooling (section 3.3)
    atrous_rates: tuple[int, ...] = (
        6,
        12,
        18,
    )  # dilation of the 3x3 kernels at output stride 16; doubled at 8
    channels: int = 128  # of each ASPP branch; the paper: 256
    last_conv: bool = False  # a 3x3 convolution before the scores, as in torchvision; not in the paper
    norm: str = "group"  # the paper: "batch" (section 4.1, "Batch normalization")
    dropout: float = 0.0  # after ASPP; torchvision: 0.5
    auxiliary: float = 0.0  # weight of a second head's loss, on the map before the last; torchvision: 0.5
    # loss
    class_weights: tuple[float, ...] = ()  # one per class; empty: all 1
    region_loss: str = "none"  # "dice", "lovasz": added to the cross-entropy


RESNET: dict[str, object] = {  # section 4.1
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
    "paper-8": {**RESNET, "output_stride": 8},  # the paper's best results; section 4.3
}


class DeepLabV3(Segmenter):
    """`predict` and `loss` read top to bottom like the paper; `forward` is the network.

    The paper's learning rate is base x (1 - step / steps) ^ 0.9 ("poly", section 4.1).
    backbone_weights: state dict of timm's network, or None for random weights
    """

    config: DeepLabV3Config

    def __init__(self, config: DeepLabV3Config, backbone_weights: dict[str, Tensor] | None = None) -> None:
        super().__init__()
        check_config(config)
        self.config = c = config
        self.backbone = make_backbone(config, backbone_weights)
        num_classes = len(c.class_names)
        atrous_rates = tuple(rate * 16 // c.output_stride for rate in c.atrous_rates)
        self.aspp = ASPP(self.backbone.channels[-1], c.channels, atrous_rates, c.norm)
        self.dropout = nn.Dropout(c.dropout)
        self.head = ScoreHead(c.channels, ((c.channels, 3),) if c.last_conv else (), num_classes, c.norm)
        if c.auxiliary:
            inputs = self.backbone.channels[0]
            self.auxiliary_head = ScoreHead(inputs, ((inputs // 4, 3),), num_classes, c.norm, dropout=0.1)

    # ------------------------------------------------------------------ predict and loss

    @accepts_photos
    @torch.inference_mode()
    def predict(self, images: list[Tensor]) -> list[SegmentationMap]:
        """Photos -> the label map of each at its own size."""
        return segment(images, self, self.backbone.mean, self.backbone.std)

    def loss(self, images: list[Tensor], targets: list[SegmentationTarget]) -> dict[str, Tensor]:
        """The cross-entropy at the input's resolution (section 4.1, "Upsampling logits"), and others."""
        batch = self.prepare(images)
        labels = batch_labels(targets, batch, len(self.config.class_names))
        maps = self.features(batch.pixels)
        logits = self.heads(maps, spatial_size(batch.pixels))
        auxiliary = self.auxiliary_head(maps[0]) if self.config.auxiliary else None
        return segmentation_losses(logits, labels, self.config, auxiliary_logits=auxiliary)

    def forward(self, pixels: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B K H W"]:
        """Normalized pixels -> logits of the same size."""
        return self.heads(self.features(pixels), spatial_size(pixels))

    # ------------------------------------------------------------------ image

    def prepare(self, images: list[Tensor]) -> Batch:
        """Resize, unless the config asks for tiles; normalize and pad."""
        return prepare(images, preparation_for(self.config, self.backbone.mean, self.backbone.std))

    # ------------------------------------------------------------------ features (section 3.1)

    def features(self, pixels: Tensor) -> list[Tensor]:
        """(B, 3, H, W) -> the map for ASPP, the last; before it the auxiliary head's, if there is one."""
        maps: list[Tensor] = self.backbone(pixels)
        return maps

    # ------------------------------------------------------------------ heads (section 3.3)

    def heads(self, maps: list[Tensor], size: Size) -> Float[Tensor, "B K H W"]:
        """ASPP and class scores of the last map; then bilinear."""
        scores: Tensor = self.head(self.dropout(self.aspp(maps[-1])))
        return upsample(scores, size)


# ---------------------------------------------------------------------- parts


class ASPP(nn.Module):
    """Atrous spatial pyramid pooling (section 3.3): (B, C, H, W) -> (B, channels, H, W).

    A 1x1 convolution, one 3x3 convolution per dilation rate, and the mean of the map are concatenated and
    projected by a 1x1 convolution.
    """

    def __init__(self, in_channels: int, channels: int, atrous_rates: tuple[int, ...], norm: str) -> None:
        super().__init__()
        atrous = [ConvBlock(in_channels, channels, 3, norm, dilation=rate) for rate in atrous_rates]
        self.branches = nn.ModuleList([ConvBlock(in_channels, channels, 1, norm), *atrous])
        self.image_pooling = ConvBlock(in_channels, channels, 1, norm)
        self.project = ConvBlock(channels * (len(atrous_rates) + 2), channels, 1, norm)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, channels, H, W)."""
        features = [branch(x) for branch in self.branches]
        mean = self.image_pooling(x.mean(dim=(2, 3), keepdim=True))
        projected: Tensor = self.project(torch.cat([*features, mean.expand_as(features[0])], dim=1))
        return projected


def make_backbone(
    config: DeepLabV3Config, weights: dict[str, Tensor] | None
) -> Backbone | DilatedMobileNetV3:
    """The dilated backbone: its last map, and before it the auxiliary head's, if there is one."""
    if config.backbone == MOBILENET:
        return DilatedMobileNetV3(weights, auxiliary=bool(config.auxiliary))
    strides = (16, 32) if config.auxiliary else (32,)
    return Backbone(config.backbone, strides, weights, config.output_stride)


def check_config(config: DeepLabV3Config) -> None:
    """Raise UsageError for invalid hyperparameters."""
    check_losses(config)
    check_tiling(config.tile, config.tile_overlap)
    allowed = (16,) if config.backbone == MOBILENET else (8, 16, 32)
    if config.output_stride not in allowed:
        found = f"output_stride {config.output_stride} with backbone {config.backbone}"
        expected = "16" if config.backbone == MOBILENET else "8, 16 or 32"
        raise UsageError(f"deeplab-v3: {found}: expected {expected}")
    if config.channels < 1:
        raise UsageError(f"deeplab-v3: channels: expected 1 or more, found {config.channels}")
    if not config.atrous_rates or min(config.atrous_rates) < 2:
        raise UsageError(
            f"deeplab-v3: atrous_rates: expected rates of 2 or more, found {config.atrous_rates}"
        )
