"""FCN: Fully Convolutional Networks for Semantic Segmentation.

Long, Shelhamer, Darrell, CVPR 2015 (arXiv:1411.4038).

    image -> features -> heads -> postprocess

The first network trained end to end to classify every pixel. The fully connected layers of a classifier
become convolutions, which score a coarse map. Scores of finer maps are added on the way up to the photo's
resolution. The loss is the cross-entropy of all pixels of whole photos.

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
from boxmask.pipeline.features.vgg_classifier import load_vgg_classifier
from boxmask.pipeline.images import Batch, Size, prepare, spatial_size
from boxmask.pipeline.segmentation.blocks import ConvBlock, ScoreHead, score_layer, upsample
from boxmask.pipeline.segmentation.inference import preparation_for, segment
from boxmask.pipeline.segmentation.losses import batch_labels, check_losses, segmentation_losses
from boxmask.pipeline.segmentation.tiling import check_tiling
from boxmask.segmenters.contract import Segmenter
from boxmask.types import SegmentationMap, SegmentationTarget

COARSEST_STRIDE = 32  # of the map that is scored first; scores of finer maps are added to it
AUXILIARY_STRIDE = 16  # of the map that the auxiliary head scores (before dilation); torchvision


@dataclass(frozen=True)
class FCNConfig:
    """Hyperparameters of the method; the defaults suit small photos on a CPU, PRESETS hold the paper's."""

    class_names: tuple[str, ...]
    backbone: str = "tf_efficientnet_lite0"
    # image
    shorter_side: int = 320  # the paper: photos at their own size (section 4.3)
    longer_side: int = 544
    antialias: bool = True
    multiple_of: int = 32  # photos are padded to a multiple of it, so that every map is twice the coarser one
    tile: int = 0  # > 0: photos keep their resolution and are segmented in tiles of this side, in pixels
    tile_overlap: float = 0.25  # fraction of a tile shared with the next
    # features
    output_stride: int = 32  # 8, 16: later stages are dilated instead of strided; torchvision's FCN: 8
    # heads
    finest_stride: int = (
        8  # of the finest map whose scores are added; 8, 16, 32: FCN-8s, -16s, -32s; section 4.2
    )
    hidden: tuple[tuple[int, int], ...] = ((256, 3),)  # (channels, kernel) of each layer before the scores
    norm: str = "group"  # of the hidden layers; the paper: "none", torchvision: "batch"
    dropout: float = 0.0  # before the scores; section 4.3, "Optimization"
    auxiliary: float = 0.0  # weight of the auxiliary head's loss, 0: no such head; torchvision: 0.5
    # loss
    class_weights: tuple[float, ...] = ()  # one per class; empty: all 1, as in section 4.3, "Class Balancing"
    region_loss: str = "none"  # "dice", "lovasz": added to the cross-entropy


PRESETS: dict[str, dict[str, object]] = {
    "default": {},
    "paper": {  # FCN-8s with VGG16
        "backbone": "vgg16",
        "shorter_side": 500,  # the longer side of most PASCAL VOC photos
        "longer_side": 500,
        "antialias": False,
        "hidden": ((4096, 7), (4096, 1)),  # fc6 and fc7; section 4.1
        "norm": "none",
        "dropout": 0.5,
    },
    "dilated": {  # torchvision's fcn_resnet50: no skips, but features of stride 8
        "backbone": "resnet50",
        "shorter_side": 520,
        "longer_side": 1040,
        "antialias": False,
        "multiple_of": 8,
        "output_stride": 8,
        "finest_stride": COARSEST_STRIDE,
        "hidden": ((512, 3),),
        "norm": "batch",
        "dropout": 0.1,
        "auxiliary": 0.5,
    },
}


class FCN(Segmenter):
    """`predict` and `loss` read top to bottom like the paper; `forward` is the network.

    backbone_weights: state dict of timm's network, or None for random weights
    """

    config: FCNConfig

    def __init__(self, config: FCNConfig, backbone_weights: dict[str, Tensor] | None = None) -> None:
        super().__init__()
        check_config(config)
        self.config = config
        self.strides = strides(config)
        self.backbone = Backbone(config.backbone, self.strides, backbone_weights, config.output_stride)
        num_classes = len(config.class_names)
        channels = dict(zip(self.strides, self.backbone.channels, strict=True))
        self.head = ScoreHead(
            channels[COARSEST_STRIDE], config.hidden, num_classes, config.norm, config.dropout
        )
        self.skips = nn.ModuleDict({str(s): skip_layer(channels[s], num_classes) for s in self.skip_strides})
        self.upsamples = nn.ModuleDict({str(s): Upsample2x(num_classes) for s in self.skip_strides})
        if config.auxiliary:
            inputs = channels[AUXILIARY_STRIDE]
            hidden = ((inputs // 4, 3),)
            self.auxiliary_head = ScoreHead(inputs, hidden, num_classes, config.norm, config.dropout)
        convs = [block[0] for block in self.head if isinstance(block, ConvBlock)]
        load_vgg_classifier(convs, backbone_weights)  # section 4.1

    @property
    def skip_strides(self) -> list[int]:
        """Strides of the maps whose scores are added, coarsest first."""
        finest = self.config.finest_stride
        return [stride for stride in reversed(self.strides) if finest <= stride < COARSEST_STRIDE]

    # ------------------------------------------------------------------ predict and loss

    @accepts_photos
    @torch.inference_mode()
    def predict(self, images: list[Tensor]) -> list[SegmentationMap]:
        """Photos -> the label map of each at its own size."""
        return segment(images, self, self.backbone.mean, self.backbone.std)

    def loss(self, images: list[Tensor], targets: list[SegmentationTarget]) -> dict[str, Tensor]:
        """The cross-entropy of all pixels (section 3), and others."""
        batch = self.prepare(images)
        labels = batch_labels(targets, batch, len(self.config.class_names))
        maps = self.features(batch.pixels)
        logits = self.heads(maps, spatial_size(batch.pixels))
        auxiliary = self.auxiliary_head(maps[AUXILIARY_STRIDE]) if self.config.auxiliary else None
        return segmentation_losses(logits, labels, self.config, auxiliary_logits=auxiliary)

    def forward(self, pixels: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B K H W"]:
        """Normalized pixels -> logits of the same size."""
        return self.heads(self.features(pixels), spatial_size(pixels))

    # ------------------------------------------------------------------ image

    def prepare(self, images: list[Tensor]) -> Batch:
        """Resize, unless the config asks for tiles; normalize and pad."""
        return prepare(images, preparation_for(self.config, self.backbone.mean, self.backbone.std))

    # ------------------------------------------------------------------ features (section 4.1)

    def features(self, pixels: Tensor) -> dict[int, Tensor]:
        """(B, 3, H, W) -> the backbone's maps by their strides (before dilation)."""
        return dict(zip(self.strides, self.backbone(pixels), strict=True))

    # ------------------------------------------------------------------ heads (section 4.2)

    def heads(self, maps: dict[int, Tensor], size: Size) -> Float[Tensor, "B K H W"]:
        """Score the coarsest map; upsample by 2 and add the scores of the next finer map; last, bilinear."""
        scores: Tensor = self.head(maps[COARSEST_STRIDE])
        for stride in self.skip_strides:
            skip = self.skips[str(stride)](maps[stride])
            upsampled = self.upsamples[str(stride)](scores)
            scores = skip + upsampled[..., : skip.shape[-2], : skip.shape[-1]]
        return upsample(scores, size)


# ---------------------------------------------------------------------- parts


class Upsample2x(nn.ConvTranspose2d):
    """Learned upsampling of scores by 2, initialized to bilinear interpolation (section 4.3)."""

    def __init__(self, num_classes: int) -> None:
        super().__init__(num_classes, num_classes, 4, stride=2, padding=1, bias=False)
        row = torch.tensor([0.25, 0.75, 0.75, 0.25])
        with torch.no_grad():
            self.weight.copy_(torch.eye(num_classes)[:, :, None, None] * torch.outer(row, row))


def skip_layer(channels: int, num_classes: int) -> nn.Conv2d:
    """Scores of a finer map, initialized to zero: training starts from the coarse scores (section 4.2)."""
    layer = score_layer(channels, num_classes)
    nn.init.zeros_(layer.weight)
    return layer


def strides(config: FCNConfig) -> tuple[int, ...]:
    """Strides of the backbone's maps that the network reads, finest first."""
    wanted = {stride for stride in (4, 8, 16) if stride >= config.finest_stride} | {COARSEST_STRIDE}
    if config.auxiliary:
        wanted.add(AUXILIARY_STRIDE)
    return tuple(sorted(wanted))


def check_config(config: FCNConfig) -> None:
    """Raise UsageError for invalid hyperparameters."""
    check_losses(config)
    check_tiling(config.tile, config.tile_overlap)
    if config.finest_stride not in (4, 8, 16, COARSEST_STRIDE):
        raise UsageError(f"fcn: finest_stride {config.finest_stride}: expected 4, 8, 16 or {COARSEST_STRIDE}")
    if config.output_stride < COARSEST_STRIDE and config.finest_stride < COARSEST_STRIDE:
        found = f"output_stride {config.output_stride} and finest_stride {config.finest_stride}"
        raise UsageError(
            f"fcn: {found}: dilated features need no skips; set finest_stride to {COARSEST_STRIDE}"
        )
