"""FCN: Fully Convolutional Networks for Semantic Segmentation.

Long, Shelhamer, Darrell, CVPR 2015 (arXiv:1411.4038).

    image -> features -> heads -> postprocess

The first network that is trained to tell the class of every pixel: a classifier whose fully connected layers
are convolutions says coarsely what is where, scores of finer maps are added on the way up, and the whole
photo is learned at once.

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
from boxmask.pipeline.features.vgg_classifier import load_vgg_classifier
from boxmask.pipeline.images import Batch, Size, grid_of, prepare
from boxmask.pipeline.segmentation.blocks import ConvBlock, ScoreHead, score_layer, upsample
from boxmask.pipeline.segmentation.inference import preparation, segment
from boxmask.pipeline.segmentation.losses import auxiliary_loss, check_losses, labels_of_batch, pixel_losses
from boxmask.pipeline.segmentation.tiling import check_tiling
from boxmask.segmenters.contract import Segmenter
from boxmask.types import SegmentationMap, SegmentationTarget

COARSEST = 32  # stride of the map that is scored first; finer ones are added to it
OF_AUXILIARY = 16  # stride of the map that the auxiliary head looks at (before dilation); torchvision


@dataclass(frozen=True)
class FCNConfig:
    """Every number of the method; the defaults suit small photos on a CPU, PRESETS hold the paper's own."""

    class_names: tuple[str, ...]
    backbone: str = "tf_efficientnet_lite0"
    # image
    shorter_side: int = 320  # the paper: whole photos as they are (section 4.3)
    longer_side: int = 544
    antialias: bool = True
    multiple_of: int = 32  # photos are padded to it, so that maps fit when they are doubled
    tile: int = 0  # > 0: photos keep their resolution, and are looked at in tiles of so many pixels
    tile_overlap: float = 0.25  # part of a tile that it shares with the next
    # features
    output_stride: int = 32  # 8, 16: dilated instead of strided from there on; torchvision's FCN
    # heads
    finest_stride: int = (
        8  # stride of the finest map whose scores are added: FCN-8s; 16, 32: -16s, -32s; section 4.2
    )
    hidden: tuple[tuple[int, int], ...] = ((256, 3),)  # (channels, kernel) before the scores
    norm: str = "group"  # of the hidden layers; the paper: "none", torchvision: "batch"
    dropout: float = 0.0  # before the scores; section 4.3, "Optimization"
    auxiliary: float = 0.0  # weight of a second head's loss; torchvision: 0.5
    # loss
    class_weights: tuple[float, ...] = ()  # empty: none, as in section 4.3, "Class Balancing"
    region_loss: str = "none"  # "dice", "lovasz": in addition to the cross-entropy


PRESETS: dict[str, dict[str, object]] = {
    "default": {},
    "paper": {  # FCN-8s with VGG16
        "backbone": "vgg16",
        "shorter_side": 500,  # the long side of most photos of PASCAL VOC
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
        "finest_stride": COARSEST,
        "hidden": ((512, 3),),
        "norm": "batch",
        "dropout": 0.1,
        "auxiliary": 0.5,
    },
}


class FCN(Segmenter):
    """`predict` and `loss` read top to bottom like the paper; `forward` is the network.

    backbone_weights: a state dict of timm's network, or None for random numbers
    """

    config: FCNConfig

    def __init__(self, config: FCNConfig, backbone_weights: dict[str, Tensor] | None = None) -> None:
        super().__init__()
        check(config)
        self.config = config
        self.strides = strides(config)
        self.backbone = Backbone(config.backbone, self.strides, backbone_weights, config.output_stride)
        classes, channels = (
            len(config.class_names),
            dict(zip(self.strides, self.backbone.channels, strict=True)),
        )
        self.head = ScoreHead(channels[COARSEST], config.hidden, classes, config.norm, config.dropout)
        self.skips = nn.ModuleDict({str(s): skip_layer(channels[s], classes) for s in self.fused})
        self.doublings = nn.ModuleDict({str(s): Upsample2x(classes) for s in self.fused})
        if config.auxiliary:
            narrow = ((channels[OF_AUXILIARY] // 4, 3),)
            self.auxiliary_head = ScoreHead(
                channels[OF_AUXILIARY], narrow, classes, config.norm, config.dropout
            )
        convs = [block[0] for block in self.head if isinstance(block, ConvBlock)]
        load_vgg_classifier(convs, backbone_weights)  # section 4.1

    @property
    def fused(self) -> list[int]:
        """Strides of the maps whose scores are added, coarsest first."""
        return [stride for stride in reversed(self.strides) if self.config.finest_stride <= stride < COARSEST]

    # ------------------------------------------------------------------ the two ways through

    @accepts_photos
    @torch.inference_mode()
    def predict(self, images: list[Tensor]) -> list[SegmentationMap]:
        """Photos -> the class of every pixel, at each one's own size."""
        return segment(images, self, self.backbone.mean, self.backbone.std)

    def loss(self, images: list[Tensor], targets: list[SegmentationTarget]) -> dict[str, Tensor]:
        """Cross-entropy of all pixels (section 3), and what else the config asks for."""
        c, batch = self.config, self.prepare(images)
        labels = labels_of_batch(targets, batch, len(c.class_names))
        maps = self.features(batch.pixels)
        losses = pixel_losses(self.heads(maps, grid_of(batch.pixels)), labels, c)
        if c.auxiliary:
            logits = self.auxiliary_head(maps[OF_AUXILIARY])
            losses |= auxiliary_loss(upsample(logits, grid_of(batch.pixels)), labels, c)
        return losses

    def forward(self, pixels: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B K H W"]:
        """Pixels -> logits of the same size."""
        return self.heads(self.features(pixels), grid_of(pixels))

    # ------------------------------------------------------------------ image

    def prepare(self, images: list[Tensor]) -> Batch:
        """Resize, unless photos are looked at in tiles; normalize and pad."""
        return prepare(images, preparation(self.config, self.backbone.mean, self.backbone.std))

    # ------------------------------------------------------------------ features (section 4.1)

    def features(self, pixels: Tensor) -> dict[int, Tensor]:
        """(B, 3, H, W) -> the backbone's maps by their strides (before dilation)."""
        return dict(zip(self.strides, self.backbone(pixels), strict=True))

    # ------------------------------------------------------------------ heads (section 4.2)

    def heads(self, maps: dict[int, Tensor], size: Size) -> Float[Tensor, "B K H W"]:
        """Scores of the coarsest map, doubled and added to those of the next, and so on; then bilinear."""
        scores: Tensor = self.head(maps[COARSEST])
        for stride in self.fused:
            skip = self.skips[str(stride)](maps[stride])
            doubled = self.doublings[str(stride)](scores)
            scores = skip + doubled[..., : skip.shape[-2], : skip.shape[-1]]
        return upsample(scores, size)


# ---------------------------------------------------------------------- parts


class Upsample2x(nn.ConvTranspose2d):
    """Scores at twice the size, by weights that begin as bilinear interpolation (section 4.3)."""

    def __init__(self, classes: int) -> None:
        super().__init__(classes, classes, 4, stride=2, padding=1, bias=False)
        row = torch.tensor([0.25, 0.75, 0.75, 0.25])
        with torch.no_grad():
            self.weight.copy_(torch.eye(classes)[:, :, None, None] * torch.outer(row, row))


def skip_layer(channels: int, classes: int) -> nn.Conv2d:
    """Scores of a finer map; zero at first, so that learning begins with the coarse ones (section 4.2)."""
    layer = score_layer(channels, classes)
    nn.init.zeros_(layer.weight)
    return layer


def strides(config: FCNConfig) -> tuple[int, ...]:
    """Of the maps that are looked at, finest first."""
    wanted = {COARSEST, *([OF_AUXILIARY] if config.auxiliary else [])}
    return tuple(sorted(wanted | {s for s in (4, 8, 16, COARSEST) if s >= config.finest_stride}))


def check(config: FCNConfig) -> None:
    """Raise UsageError for numbers that cannot be meant."""
    check_losses(config)
    check_tiling(config.tile, config.tile_overlap)
    if config.finest_stride not in (4, 8, 16, COARSEST):
        raise UsageError(f"fcn: finest {config.finest_stride}: expected 4, 8, 16 or {COARSEST}")
    if config.output_stride < COARSEST and config.finest_stride < COARSEST:
        found = f"output_stride {config.output_stride} and finest {config.finest_stride}"
        raise UsageError(f"fcn: {found}: dilated features need no skips; set finest to {COARSEST}")
