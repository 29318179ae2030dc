"""U-Net: Convolutional Networks for Biomedical Image Segmentation.

Ronneberger, Fischer, Brox, MICCAI 2015 (arXiv:1505.04597).

    image -> features -> heads -> postprocess

What the paper adds to FCN: a decoder as rich as the encoder. FCN adds class scores of finer maps; U-Net
concatenates their features and convolves them, so that many channels describe each border. Pixels at borders
may count more in the loss.

Shapes: B images, L maps, K classes; a background, if the labels have one, is a class like any other.
Pixels: of the resized photo or of a tile, until `postprocess` (pipeline/segmentation/inference.py) returns to
        the photo's own.
"""

from __future__ import annotations

from dataclasses import dataclass

import scipy
import torch
from jaxtyping import Bool, Float, UInt8
from torch import Tensor, nn

from boxmask.errors import UsageError
from boxmask.kernels.tracing import is_exporting
from boxmask.photos.read import accepts_photos
from boxmask.pipeline.features.backbone import Backbone
from boxmask.pipeline.features.contracting_path import PLAIN, ContractingPath
from boxmask.pipeline.images import Batch, Size, prepare, spatial_size
from boxmask.pipeline.segmentation.blocks import ConvBlock, score_layer, upsample
from boxmask.pipeline.segmentation.inference import preparation_for, segment
from boxmask.pipeline.segmentation.losses import batch_labels, check_losses, segmentation_losses
from boxmask.pipeline.segmentation.tiling import check_tiling
from boxmask.segmenters.contract import Segmenter
from boxmask.types import IGNORED, SegmentationMap, SegmentationTarget


@dataclass(frozen=True)
class UNetConfig:
    """Hyperparameters of the method; the defaults suit small photos on a CPU, PRESETS hold the paper's."""

    class_names: tuple[str, ...]
    backbone: str = "tf_efficientnet_lite0"  # "plain": the paper's contracting path, without pretraining
    # image
    shorter_side: int = 320
    longer_side: int = 544
    antialias: bool = True
    multiple_of: int = 32  # photos are padded to a multiple of it, so that every map is twice the coarser one
    tile: int = 0  # > 0: photos keep their resolution and are segmented in tiles of this side; figure 2
    tile_overlap: float = 0.25  # fraction of a tile shared with the next
    # features (section 2)
    strides: tuple[int, ...] = (2, 4, 8, 16, 32)  # of the backbone's maps; "plain" has 1, 2, 4, 8, 16
    dropout: float = 0.0  # of the coarsest map; section 3.1
    # heads (section 2)
    channels: tuple[int, ...] = (96, 64, 48, 32)  # of the decoder's maps, coarse to fine; figure 1: 512 to 64
    learned_upsampling: bool = False  # True: 2x2 "up-convolutions" that halve the channels; False: bilinear
    depthwise: bool = False  # separable convolutions in the decoder: a faster step, but more steps needed
    norm: str = "group"  # the paper: "none"
    # loss (section 3)
    border_weight: float = 0.0  # w0 of equation 2: extra weight of pixels at borders; the paper: 10
    border_sigma: float = 5.0  # sigma of equation 2, in pixels: how far that weight extends
    class_weights: tuple[float, ...] = ()  # w_c of equation 2, one per class; empty: all 1
    region_loss: str = "none"  # "dice", "lovasz": added to the cross-entropy


PRESETS: dict[str, dict[str, object]] = {
    "default": {},
    "paper": {  # figure 1 and section 3
        "backbone": PLAIN,
        "shorter_side": 512,  # the photos of section 4
        "longer_side": 1024,
        "antialias": False,
        "multiple_of": 16,
        "tile": 576,  # section 2: 572, of which the inner 388 are segmented
        "tile_overlap": 0.32,  # (572 - 388) / 572
        "strides": (1, 2, 4, 8, 16),
        "dropout": 0.5,  # the authors' code
        "channels": (512, 256, 128, 64),
        "learned_upsampling": True,
        "norm": "none",
        "border_weight": 10.0,
    },
}


class UNet(Segmenter):
    """`predict` and `loss` read top to bottom like the paper; `forward` is the network.

    backbone_weights: state dict of timm's network, or None for random weights
    """

    config: UNetConfig

    def __init__(self, config: UNetConfig, backbone_weights: dict[str, Tensor] | None = None) -> None:
        super().__init__()
        check_config(config)
        self.config = c = config
        self.backbone = make_backbone(config, backbone_weights)
        self.dropout = nn.Dropout(c.dropout)
        coarsest, skips = self.backbone.channels[-1], self.backbone.channels[-2::-1]
        self.up_blocks = nn.ModuleList(
            UpBlock(coarse, skip, channels, c)
            for coarse, skip, channels in zip((coarsest, *c.channels), skips, c.channels, strict=False)
        )
        self.logits = score_layer(c.channels[-1], len(c.class_names))

    # ------------------------------------------------------------------ predict and loss

    @accepts_photos
    @torch.inference_mode()
    def predict(self, images: list[Tensor]) -> list[SegmentationMap]:
        """Photos -> the label map of each at its own size."""
        return segment(images, self, self.backbone.mean, self.backbone.std)

    def loss(self, images: list[Tensor], targets: list[SegmentationTarget]) -> dict[str, Tensor]:
        """The cross-entropy (equation 1), weighted at borders (equation 2), and others."""
        c, batch = self.config, self.prepare(images)
        labels = batch_labels(targets, batch, len(c.class_names))
        logits = self(batch.pixels)
        weights = border_weights(labels, c.border_weight, c.border_sigma) if c.border_weight else None
        return segmentation_losses(logits, labels, c, weights)

    def forward(self, pixels: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B K H W"]:
        """Normalized pixels -> logits of the same size."""
        return self.heads(self.features(pixels), spatial_size(pixels))

    # ------------------------------------------------------------------ image

    def prepare(self, images: list[Tensor]) -> Batch:
        """Resize, unless the config asks for tiles; normalize and pad."""
        return prepare(images, preparation_for(self.config, self.backbone.mean, self.backbone.std))

    # ------------------------------------------------------------------ features (section 2)

    def features(self, pixels: Tensor) -> list[Tensor]:
        """The contracting path: (B, 3, H, W) -> L maps, fine to coarse."""
        maps: list[Tensor] = self.backbone(pixels)
        return [*maps[:-1], self.dropout(maps[-1])]

    # ------------------------------------------------------------------ heads (section 2)

    def heads(self, maps: list[Tensor], size: Size) -> Float[Tensor, "B K H W"]:
        """The expansive path: upsample the coarsest map and merge each finer one; class scores; bilinear."""
        x = maps[-1]
        for up_block, skip in zip(self.up_blocks, maps[-2::-1], strict=True):
            x = up_block(x, skip)
        return upsample(self.logits(x), size)


# ---------------------------------------------------------------------- parts


class UpBlock(nn.Module):
    """Upsample the coarse map by 2, concatenate the finer map, and apply two 3x3 convolutions (section 2)."""

    def __init__(self, coarse: int, skip: int, channels: int, config: UNetConfig) -> None:
        super().__init__()
        learned = config.learned_upsampling
        self.upsample = nn.ConvTranspose2d(coarse, channels, 2, stride=2) if learned else nn.Identity()
        inputs = skip + (channels if learned else coarse)
        self.convs = nn.Sequential(
            ConvBlock(inputs, channels, norm=config.norm, depthwise=config.depthwise),
            ConvBlock(channels, channels, norm=config.norm, depthwise=config.depthwise),
        )

    def forward(self, coarse: Tensor, skip: Tensor) -> Tensor:
        """(B, C, h, w) and (B, C', H, W) -> (B, channels, H, W)."""
        upsampled = self.upsample(coarse)
        # bilinear, or maps of odd sizes, which an exported network has to allow for
        if is_exporting() or upsampled.shape[-2:] != skip.shape[-2:]:
            upsampled = upsample(upsampled, spatial_size(skip))
        merged: Tensor = self.convs(torch.cat([skip, upsampled], dim=1))
        return merged


def make_backbone(config: UNetConfig, weights: dict[str, Tensor] | None) -> Backbone | ContractingPath:
    """The paper's own contracting path, or a network of timm."""
    if config.backbone == PLAIN:
        return ContractingPath(config.norm, weights)
    return Backbone(config.backbone, config.strides, weights)


def check_config(config: UNetConfig) -> None:
    """Raise UsageError for invalid hyperparameters."""
    check_losses(config)
    check_tiling(config.tile, config.tile_overlap)
    if len(config.channels) != len(config.strides) - 1 or not config.channels:
        expected = f"one value per map except the coarsest ({max(1, len(config.strides) - 1)})"
        raise UsageError(
            f"unet: channels: expected {expected}, found {config.channels} for strides {config.strides}"
        )
    if config.backbone == PLAIN and config.strides != (1, 2, 4, 8, 16):
        raise UsageError(f"unet: strides: backbone {PLAIN} has (1, 2, 4, 8, 16), found {config.strides}")
    if config.border_weight < 0 or config.border_sigma <= 0:
        found = f"{config.border_weight} and {config.border_sigma}"
        raise UsageError(
            f"unet: border_weight and border_sigma: expected 0 or more and above 0, found {found}"
        )


@torch.no_grad()
def border_weights(labels: UInt8[Tensor, "B H W"], weight: float, sigma: float) -> Float[Tensor, "B H W"]:
    """w0 exp(-d^2 / (2 sigma^2)), where d is the distance to the nearest border between two classes.

    Equation 2 adds it to the weight of the class. It has d1 + d2, the distances to the two nearest cells, and
    so marks the gaps between cells. A label map does not tell the cells of a class apart, so borders between
    classes are marked instead.
    """
    weights = torch.zeros(labels.shape)
    for image_weights, border in zip(weights, borders(labels).cpu(), strict=True):
        if border.any():
            distance = torch.from_numpy(scipy.ndimage.distance_transform_edt(~border.numpy())).float()
            image_weights += weight * torch.exp(-(distance**2) / (2 * sigma**2))
    return weights.to(labels.device)


def borders(labels: UInt8[Tensor, "B H W"]) -> Bool[Tensor, "B H W"]:
    """Pixels with one of another class to the left, right, above or below; IGNORED is not a class."""
    border = torch.zeros(labels.shape, dtype=torch.bool, device=labels.device)
    for dim in (1, 2):
        length = labels.shape[dim] - 1
        first, second = labels.narrow(dim, 0, length), labels.narrow(dim, 1, length)
        differ = (first != second) & (first != IGNORED) & (second != IGNORED)
        border.narrow(dim, 0, length).logical_or_(differ)
        border.narrow(dim, 1, length).logical_or_(differ)
    return border
