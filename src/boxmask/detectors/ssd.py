"""SSD: Single Shot MultiBox Detector.

Liu, Anguelov, Erhan, Szegedy, Reed, Fu, Berg, ECCV 2016 (arXiv:1512.02325), and its light form SSDLite
(Sandler et al. 2018, MobileNetV2, arXiv:1801.04381, section 6.2).

    image -> features -> default boxes -> heads -> postprocess

What the paper changes in Faster R-CNN: there is no second stage. The anchors, here "default boxes", are
classified at once, and objects of each size are detected on a map of suitable resolution.

Shapes: B images, L maps, A default boxes per cell, N per image (over all maps), K classes; background is the
        last logit.
Boxes:  xyxy, pixels of the square image, until `postprocess` returns them in pixels of the photo.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from boxmask.detectors.contract import Detector
from boxmask.errors import UsageError
from boxmask.geometry.boxes import decode, default_box_shapes, tile_default_boxes
from boxmask.geometry.kept import Kept
from boxmask.photos.read import accepts_photos
from boxmask.pipeline.features.atrous_vgg import AtrousVGG16, L2Norm
from boxmask.pipeline.features.backbone import Backbone
from boxmask.pipeline.features.extra_layers import ExtraLayers, Row
from boxmask.pipeline.features.mobilenet import MOBILENET, MobileNetV3
from boxmask.pipeline.heads.dense import top_k_of_each_class
from boxmask.pipeline.heads.multibox import MultiBoxHead, multibox_loss
from boxmask.pipeline.images import Batch, Preparation, Size, prepare, spatial_size
from boxmask.pipeline.postprocess import nms_top_k
from boxmask.types import Detections, Target


@dataclass(frozen=True)
class SSDConfig:
    """The hyperparameters. The defaults are a light form for CPUs; `presets.SSD` has the paper's."""

    class_names: tuple[str, ...]
    backbone: str = "tf_efficientnet_lite0"
    # image
    shorter_side: int = 320  # both sides of the square; section 3: 300 or 512, SSDLite: 320
    longer_side: int = 544  # limit of training photos, before they are resized to the square
    antialias: bool = True
    multiple_of: int = 1  # the square needs no padding
    # features
    feature_source: str = (
        "strides"  # "atrous": VGG16, section 3; "inside", "inside-reduced": MobileNetV3, SSDLite
    )
    strides: tuple[int, ...] = (8, 16, 32)  # the backbone's maps if `feature_source` is "strides"
    l2_norm: bool = True  # L2-normalize these maps to the scale of new layers; section 3.1: conv4_3
    extra_layers: tuple[Row, ...] = ((256, 3, 2, 1), (256, 3, 2, 1), (128, 3, 2, 1))  # as in ExtraLayers
    depthwise: bool = True  # depthwise extra layers and heads; SSDLite
    # default boxes: a size per map and one more, as fractions of the square's side (section 2.2, equation 4)
    scales: tuple[float, ...] = (0.07, 0.15, 0.3, 0.45, 0.6, 0.75, 0.9)
    aspect_ratios: tuple[tuple[int, ...], ...] = ((2,), (2, 3), (2, 3), (2, 3), (2,), (2,))  # section 3.1
    default_box_strides: tuple[int, ...] = ()  # pixels between cells, per map; empty: side / cells
    # loss
    match_iou: float = 0.5  # a default box is an object from this IoU on; section 2.2, "Matching strategy"
    negatives_per_object: int = 3  # section 2.2, "Hard negative mining"
    box_beta: float = 1.0  # where smooth L1 becomes linear; equation 2
    delta_weights: tuple[float, float, float, float] = (10.0, 10.0, 5.0, 5.0)  # 1 / variance; authors' code
    # postprocess
    score_threshold: float = 0.01  # section 3.7
    nms_iou: float = 0.45  # section 3.7
    pre_nms_top_k: int = 400  # per class; the authors' code
    detections_per_image: int = 200  # section 3.7


# the backbone of each feature source; "strides" takes any
BACKBONE_OF_SOURCE = {
    "atrous": "vgg16",
    "inside": MOBILENET,
    "inside-reduced": MOBILENET,
}


class SSD(Detector):
    """`predict` and `loss` follow the paper top to bottom; `forward` is the whole network.

    backbone_weights: state dict of timm's network, or None for random weights
    """

    config: SSDConfig

    def __init__(self, config: SSDConfig, backbone_weights: dict[str, Tensor] | None = None) -> None:
        super().__init__()
        self.config = config
        self.backbone = _backbone(config, backbone_weights)
        normalized = config.feature_source == "strides" and config.l2_norm
        self.norms = nn.ModuleList(L2Norm(c) for c in self.backbone.channels) if normalized else None
        self.extra_layers = ExtraLayers(self.backbone.channels[-1], config.extra_layers, config.depthwise)
        channels = [*self.backbone.channels, *self.extra_layers.channels]
        _check_default_boxes(config, len(channels))
        boxes_per_cell = [2 + 2 * len(ratios) for ratios in config.aspect_ratios]
        self.kept_boxes: Kept[Tensor] = Kept()
        self.head = MultiBoxHead(channels, boxes_per_cell, len(config.class_names), config.depthwise)

    # ------------------------------------------------------------------ predict and loss

    @accepts_photos
    @torch.inference_mode()
    def predict(self, images: list[Tensor], proposals: list[Tensor] | None = None) -> list[Detections]:
        """Photos -> boxes, scores and labels of each, in pixels of the photo."""
        batch = self.prepare(images)
        features = self.features(batch.pixels)
        logits, deltas = self.head(features)
        return self.postprocess(logits, deltas, self.default_boxes(features), batch)

    def loss(
        self, images: list[Tensor], targets: list[Target], proposals: list[Tensor] | None = None
    ) -> dict[str, Tensor]:
        """The two terms of equation 1."""
        batch = self.prepare(images)
        features = self.features(batch.pixels)
        logits, deltas = self.head(features)
        boxes = self.default_boxes(features)
        return multibox_loss(logits, deltas, boxes, batch.rescale(targets), self.config)

    def forward(self, pixels: Float[Tensor, "B 3 H W"]) -> tuple[Tensor, Tensor]:
        """Pixels -> logits (B, N, K + 1) and deltas (B, N, 4)."""
        logits, deltas = self.head(self.features(pixels))
        return logits, deltas

    # ------------------------------------------------------------------ image

    def prepare(self, images: list[Tensor]) -> Batch:
        """Resize to a square (section 3) and normalize."""
        side, device = self.config.shorter_side, self.backbone.mean.device
        squares = [resize_to_square(image.to(device), side, self.config.antialias) for image in images]
        preparation = Preparation.from_config(self.config, self.backbone.mean, self.backbone.std)
        return replace(
            prepare(squares, preparation), original_sizes=[spatial_size(image) for image in images]
        )

    # ------------------------------------------------------------------ features (section 2.1)

    def features(self, pixels: Tensor) -> list[Tensor]:
        """(B, 3, H, W) -> the backbone's maps, then ever coarser ones."""
        maps = self.backbone(pixels)
        if self.norms is not None:
            maps = [norm(x) for norm, x in zip(self.norms, maps, strict=True)]
        return [*maps, *self.extra_layers(maps[-1])]

    # ------------------------------------------------------------------ default boxes (section 2.2)

    def default_boxes(self, features: list[Tensor]) -> Float[Tensor, "N 4"]:
        """Per cell two squares, and per aspect ratio r one box of r : 1 and one of 1 : r (equation 4)."""
        c, device, grids = self.config, features[0].device, [spatial_size(x) for x in features]

        def make() -> Float[Tensor, "N 4"]:
            boxes = []
            for level, grid in enumerate(grids):
                cells = (
                    (c.shorter_side / c.default_box_strides[level],) * 2 if c.default_box_strides else grid
                )
                shapes = default_box_shapes(c.scales[level], c.scales[level + 1], c.aspect_ratios[level])
                boxes.append(tile_default_boxes(shapes.to(device), grid, cells))
            return torch.cat(boxes) * c.shorter_side

        return self.kept_boxes.get((c, grids, device), make)

    # ------------------------------------------------------------------ postprocess (section 3.7)

    def postprocess(self, logits: Tensor, deltas: Tensor, boxes: Tensor, batch: Batch) -> list[Detections]:
        """Per class: keep the top scores, decode, clip and NMS; then keep the top detections."""
        scores = logits.float().softmax(dim=2)[..., :-1]
        sizes = zip(batch.sizes, batch.original_sizes, strict=True)
        per_photo = zip(scores, deltas.float(), sizes, strict=True)
        return [self.postprocess_photo(*photo, boxes) for photo in per_photo]

    def postprocess_photo(
        self, scores: Tensor, deltas: Tensor, sizes: tuple[Size, Size], boxes: Tensor
    ) -> Detections:
        """One photo: scores (N, K) and deltas (N, 4) -> its detections."""
        c = self.config
        score, row, label = top_k_of_each_class(scores, c.score_threshold, c.pre_nms_top_k)
        return nms_top_k(decode(boxes[row], deltas[row], c.delta_weights), score, label, sizes, c)


def _backbone(config: SSDConfig, weights: dict[str, Tensor] | None) -> Backbone | AtrousVGG16 | MobileNetV3:
    """The network of `feature_source`. Raises UsageError if the backbone does not fit it."""
    source = config.feature_source
    if source == "strides":
        return Backbone(config.backbone, config.strides, weights)
    if BACKBONE_OF_SOURCE.get(source) != config.backbone:
        raise UsageError(
            f"ssd: feature_source {source!r} does not fit backbone {config.backbone}. For backbones other "
            "than vgg16, use preset default, 300 or 512."
        )
    return AtrousVGG16(weights) if source == "atrous" else MobileNetV3(source == "inside-reduced", weights)


def _check_default_boxes(config: SSDConfig, maps: int) -> None:
    """Raise UsageError unless there are default boxes for every map."""
    rows = (len(config.scales) - 1, len(config.aspect_ratios))
    if rows != (maps, maps) or len(config.default_box_strides) not in (0, maps):
        raise UsageError(
            f"ssd: expected {maps + 1} scales and {maps} aspect_ratios for {maps} maps, "
            f"found {rows[0] + 1} and {rows[1]}; default_box_strides: expected none or {maps}"
        )


def resize_to_square(image: Tensor, side: int, antialias: bool) -> Float[Tensor, "3 side side"]:
    """A photo (3, H, W) resized to a square; the aspect ratio is not kept."""
    if image.shape[-2:] == (side, side):
        return image
    if image.dtype == torch.uint8 and image.device.type != "cpu":
        image = image / 255  # GPUs do not resize integers
    return F.interpolate(image[None], size=(side, side), mode="bilinear", antialias=antialias)[0]
