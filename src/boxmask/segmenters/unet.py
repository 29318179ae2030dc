"""U-Net: Convolutional Networks for Biomedical Image Segmentation.

Ronneberger, Fischer, Brox, MICCAI 2015 (arXiv:1505.04597).

    image -> features -> heads -> postprocess

What the paper adds to FCN: where FCN adds scores of finer maps, U-Net has a second half as rich as the first.
On the way up, features of the finer maps themselves are joined and convolved, so that borders are drawn with
many channels; and pixels at borders may count more in the loss.

Shapes: B images, K classes (a background, if the labels have one, is a class like others), L maps.
Pixels: of the resized photo or of a tile, until `postprocess` (pipeline/segmentation/inference.py) returns
to its own.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, UInt8
from scipy.ndimage import distance_transform_edt
from torch import Tensor, nn

from boxmask.errors import UsageError
from boxmask.photos.read import accepts_photos
from boxmask.pipeline.features.backbone import Backbone
from boxmask.pipeline.features.contracting_path import PLAIN, ContractingPath
from boxmask.pipeline.images import Batch, Size, grid_of, prepare
from boxmask.pipeline.segmentation.blocks import ConvBlock, score_layer, upsample
from boxmask.pipeline.segmentation.inference import preparation, segment
from boxmask.pipeline.segmentation.losses import check_losses, labels_of_batch, pixel_losses
from boxmask.pipeline.segmentation.tiling import check_tiling
from boxmask.segmenters.contract import Segmenter
from boxmask.types import IGNORED, SegmentationMap, SegmentationTarget


@dataclass(frozen=True)
class UNetConfig:
    """Every number of the method; the defaults suit small photos on a CPU, PRESETS hold the paper's own."""

    class_names: tuple[str, ...]
    backbone: str = "tf_efficientnet_lite0"  # "plain": the paper's contracting path, from scratch
    # image
    shorter_side: int = 320
    longer_side: int = 544
    antialias: bool = True
    multiple_of: int = 32  # photos are padded to it, so that maps fit when they are doubled
    tile: int = 0  # > 0: photos keep their resolution, and are looked at in tiles of so many pixels; figure 2
    tile_overlap: float = 0.25  # part of a tile that it shares with the next
    # features (section 2)
    strides: tuple[int, ...] = (2, 4, 8, 16, 32)  # of the backbone's maps; "plain" has 1, 2, 4, 8, 16
    dropout: float = 0.0  # of the coarsest map, in training; section 3.1
    # heads (section 2)
    channels: tuple[int, ...] = (96, 64, 48, 32)  # on the way up, coarse to fine; figure 1: 512 to 64
    learned_upsampling: bool = False  # 2x2 "up-convolutions" that halve the channels; False: bilinear
    depthwise: bool = False  # convolutions on the way up are separable: cheaper, and slower to learn
    norm: str = "group"  # the paper: "none"
    # loss (section 3)
    border_weight: float = 0.0  # w0 of equation 2: how much more pixels at borders count; the paper: 10
    border_sigma: float = 5.0  # pixels; how quickly that fades
    class_weights: tuple[float, ...] = ()  # w_c of equation 2; empty: none
    region_loss: str = "none"  # "dice", "lovasz": in addition to the cross-entropy


PRESETS: dict[str, dict[str, object]] = {
    "default": {},
    "paper": {  # figure 1 and section 3
        "backbone": PLAIN,
        "shorter_side": 512,  # the photos of section 4
        "longer_side": 1024,
        "antialias": False,
        "multiple_of": 16,
        "tile": 576,  # section 2: 572, of which the inner 388 are told
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

    backbone_weights: a state dict of timm's network, or None for random numbers
    """

    config: UNetConfig

    def __init__(self, config: UNetConfig, backbone_weights: dict[str, Tensor] | None = None) -> None:
        super().__init__()
        check(config)
        self.config = c = config
        plain = c.backbone == PLAIN
        self.backbone = (
            ContractingPath(c.norm, backbone_weights)
            if plain
            else Backbone(c.backbone, c.strides, backbone_weights)
        )
        self.dropout = nn.Dropout(c.dropout)
        finer, inputs = self.backbone.channels[-2::-1], (self.backbone.channels[-1], *c.channels)
        self.floors = nn.ModuleList(
            UpBlock(below, skip, channels, c)
            for below, skip, channels in zip(inputs, finer, c.channels, strict=False)
        )
        self.last = score_layer(c.channels[-1], len(c.class_names))

    # ------------------------------------------------------------------ the two ways through

    @accepts_photos
    @torch.inference_mode()
    def predict(self, images: list[Tensor]) -> list[SegmentationMap]:
        """Photos -> the class of every pixel, at each one's own size."""
        return segment(images, self, self.backbone.mean, self.backbone.std)

    def loss(self, images: list[Tensor], targets: list[SegmentationTarget]) -> dict[str, Tensor]:
        """Cross-entropy (equation 1), in which pixels at borders may count more, and what else is asked."""
        c, batch = self.config, self.prepare(images)
        labels = labels_of_batch(targets, batch, len(c.class_names))
        logits = self(batch.pixels)
        weights = border_weights(labels, c.border_weight, c.border_sigma) if c.border_weight else None
        return pixel_losses(logits, labels, c, weights)

    def forward(self, pixels: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B K H W"]:
        """Pixels -> logits of the same size."""
        return self.heads(self.features(pixels), grid_of(pixels))

    # ------------------------------------------------------------------ image

    def prepare(self, images: list[Tensor]) -> Batch:
        """Resize, unless photos are looked at in tiles; normalize and pad."""
        return prepare(images, preparation(self.config, self.backbone.mean, self.backbone.std))

    # ------------------------------------------------------------------ features (section 2)

    def features(self, pixels: Tensor) -> list[Tensor]:
        """(B, 3, H, W) -> L maps, fine to coarse: the contracting path."""
        maps: list[Tensor] = self.backbone(pixels)
        return [*maps[:-1], self.dropout(maps[-1])]

    # ------------------------------------------------------------------ heads (section 2)

    def heads(self, maps: list[Tensor], size: Size) -> Float[Tensor, "B K H W"]:
        """The expansive path: from the coarsest map up, each finer one joined on the way; then 1x1."""
        x = maps[-1]
        for floor, skip in zip(self.floors, maps[-2::-1], strict=True):
            x = floor(x, skip)
        return upsample(self.last(x), size)


# ---------------------------------------------------------------------- parts


class UpBlock(nn.Module):
    """One step up: double the coarse map, join the finer one, and two 3x3 convolutions (section 2)."""

    def __init__(self, below: int, skip: int, channels: int, config: UNetConfig) -> None:
        super().__init__()
        learned = config.learned_upsampling
        self.enlarged = nn.ConvTranspose2d(below, channels, 2, stride=2) if learned else nn.Identity()
        joined = skip + (channels if learned else below)
        self.convs = nn.Sequential(
            ConvBlock(joined, channels, norm=config.norm, depthwise=config.depthwise),
            ConvBlock(channels, channels, norm=config.norm, depthwise=config.depthwise),
        )

    def forward(self, coarse: Tensor, skip: Tensor) -> Tensor:
        """(B, C, h, w) and (B, C', H, W) -> (B, channels, H, W)."""
        doubled = self.enlarged(coarse)
        if doubled.shape[-2:] != skip.shape[-2:]:
            doubled = upsample(doubled, grid_of(skip))
        joined: Tensor = self.convs(torch.cat([skip, doubled], dim=1))
        return joined


def check(config: UNetConfig) -> None:
    """Raise UsageError for numbers that cannot be meant."""
    check_losses(config)
    check_tiling(config.tile, config.tile_overlap)
    if len(config.channels) != len(config.strides) - 1 or not config.channels:
        found = f"{len(config.channels)} of channels {config.channels} for strides {config.strides}"
        raise UsageError(f"unet: expected a number of channels for each map but the coarsest, found {found}")
    if config.backbone == PLAIN and config.strides != (1, 2, 4, 8, 16):
        raise UsageError(f"unet: backbone {PLAIN} has strides (1, 2, 4, 8, 16), found {config.strides}")
    if config.border_weight < 0 or config.border_sigma <= 0:
        found = f"{config.border_weight} and {config.border_sigma}"
        raise UsageError(f"unet: border_weight and border_sigma: expected positive numbers, found {found}")


@torch.no_grad()
def border_weights(labels: UInt8[Tensor, "B H W"], weight: float, sigma: float) -> Float[Tensor, "B H W"]:
    """1 + w0 exp(-d^2 / (2 sigma^2)), d being how far it is to the nearest border of two classes.

    Equation 2 has d1 + d2, to the borders of the two nearest cells: it marks the gaps between cells. Labels
    of pixels do not say which cell is which, so that here it is the borders of classes that are marked.
    """
    weights = torch.ones(labels.shape)
    for slot, border in zip(weights, borders(labels).cpu(), strict=True):
        if border.any():
            distance = torch.from_numpy(distance_transform_edt(~border.numpy())).float()
            slot += weight * torch.exp(-(distance**2) / (2 * sigma**2))
    return weights.to(labels.device)


def borders(labels: UInt8[Tensor, "B H W"]) -> Bool[Tensor, "B H W"]:
    """Pixels beside (right, left, above or below) one of another class; IGNORED is no class."""
    found = torch.zeros(labels.shape, dtype=torch.bool, device=labels.device)
    for dim in (1, 2):
        near, far = labels.narrow(dim, 0, labels.shape[dim] - 1), labels.narrow(dim, 1, labels.shape[dim] - 1)
        differ = (near != far) & (near != IGNORED) & (far != IGNORED)
        found.narrow(dim, 0, differ.shape[dim]).logical_or_(differ)
        found.narrow(dim, 1, differ.shape[dim]).logical_or_(differ)
    return found
