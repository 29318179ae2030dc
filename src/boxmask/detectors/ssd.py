"""SSD: Single Shot MultiBox Detector.

Liu, Anguelov, Erhan, Szegedy, Reed, Fu, Berg, ECCV 2016 (arXiv:1512.02325), and its light form SSDLite
(Sandler et al. 2018, MobileNetV2, arXiv:1801.04381, section 6.2).

    image -> features -> default boxes -> heads -> postprocess

What the paper adds to Faster R-CNN: the second stage is gone. The anchors, here "default boxes", are given
their classes at once, and each size of object is looked for on a map of its own resolution.

Shapes: B images, L maps, A default boxes a cell, N in an image (over all maps), K classes; the background is
        the last logit.
Boxes:  xyxy, pixels of the photo warped to a square, until `postprocess` returns them to the photo's own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from boxmask.detectors.contract import Detector
from boxmask.errors import UsageError
from boxmask.geometry import boxes as box
from boxmask.geometry.boxes import decode, default_box_shapes, encode, tile_default_boxes
from boxmask.geometry.matching import BACKGROUND, match_boxes
from boxmask.photos.read import accepts_photos
from boxmask.pipeline.features.atrous_vgg import AtrousVGG16, L2Norm
from boxmask.pipeline.features.backbone import Backbone
from boxmask.pipeline.features.extra_layers import ExtraLayers, Row
from boxmask.pipeline.features.mobilenet import MobileNetV3
from boxmask.pipeline.heads.dense import top_k_scores
from boxmask.pipeline.heads.multibox import MultiBoxHead
from boxmask.pipeline.images import Batch, Preparation, Size, grid_of, prepare
from boxmask.pipeline.postprocess import SMALLEST_DETECTION, nms_top_k
from boxmask.types import Detections, Target

AT_ONCE = 16  # objects whose overlaps with all default boxes are held at a time: 2 MB at 512 pixels
INNER = (2, 3)  # the aspect ratios of most maps: six default boxes a cell


@dataclass(frozen=True)
class SSDConfig:
    """Every number of the method; the defaults are a light form for CPUs, PRESETS hold the paper's own."""

    class_names: tuple[str, ...]
    backbone: str = "tf_efficientnet_lite0"
    # image
    shorter_side: int = 320  # both sides of the square; section 3: 300 or 512, SSDLite: 320
    longer_side: int = 544  # up to which training photos are kept until they are warped to the square
    antialias: bool = True
    multiple_of: int = 1  # the square needs no padding
    # features
    feature_source: str = (
        "strides"  # "atrous": VGG16 as in section 3; "inside", "inside-reduced": MobileNetV3, SSDLite
    )
    strides: tuple[int, ...] = (8, 16, 32)  # the backbone's maps where `feature_source` is "strides"
    l2_norm: bool = True  # of these maps, whose scale is not that of new layers; section 3.1: of conv4_3
    extra_layers: tuple[Row, ...] = ((256, 3, 2, 1), (256, 3, 2, 1), (128, 3, 2, 1))  # as in ExtraLayers
    depthwise: bool = True  # extra layers and heads are depthwise; SSDLite
    # default boxes: a size a map, and one more; parts of the square's side (section 2.2, equation 4)
    scales: tuple[float, ...] = (0.07, 0.15, 0.3, 0.45, 0.6, 0.75, 0.9)
    aspect_ratios: tuple[tuple[int, ...], ...] = ((2,), INNER, INNER, INNER, (2,), (2,))  # section 3.1
    default_box_strides: tuple[
        int, ...
    ] = ()  # pixels from cell to cell, a number a map; empty: the side over the cells
    # loss
    match_iou: float = 0.5  # an object from here on; section 2.2, "Matching strategy"
    negatives_per_object: int = 3  # section 2.2, "Hard negative mining"
    box_beta: float = 1.0  # where smooth L1 becomes linear; equation 2
    delta_weights: tuple[float, float, float, float] = (
        10.0,
        10.0,
        5.0,
        5.0,
    )  # 1 / variance; the code's .1 .2
    # postprocess
    score_threshold: float = 0.01  # section 3.7
    nms_iou: float = 0.45  # section 3.7
    pre_nms_top_k: int = 400  # before NMS; the authors' code
    detections_per_image: int = 200  # section 3.7


EXTRAS_512: tuple[Row, ...] = ((512, 3, 2, 1), *[(256, 3, 2, 1)] * 3, (256, 4, 1, 1))

PRESETS: dict[str, dict[str, object]] = {
    "default": {},
    "300": {  # any backbone, with maps of 38, 19, 10, 5, 3 and 1 cells a side like the paper's
        "shorter_side": 300,
        "longer_side": 500,
        "extra_layers": ((512, 3, 2, 1), (256, 3, 2, 1), (256, 3, 1, 0)),
        "depthwise": False,
        "scales": (0.1, 0.2, 0.37, 0.54, 0.71, 0.88, 1.05),  # the authors' code for VOC; section 3.1
    },
    "512": {  # any backbone, with maps of 64, 32, 16, 8, 4, 2 and 1 cells a side like the paper's
        "shorter_side": 512,
        "longer_side": 853,
        "extra_layers": EXTRAS_512[1:],
        "depthwise": False,
        "scales": (0.07, 0.15, 0.3, 0.45, 0.6, 0.75, 0.9, 1.05),  # section 3.1, the authors' code for VOC
        "aspect_ratios": ((2,), INNER, INNER, INNER, INNER, (2,), (2,)),
    },
    "paper": {  # SSD300 with VGG16, section 3
        "backbone": "vgg16",
        "shorter_side": 300,
        "longer_side": 500,
        "antialias": False,
        "feature_source": "atrous",
        "extra_layers": ((512, 3, 2, 1), (256, 3, 2, 1), (256, 3, 1, 0), (256, 3, 1, 0)),
        "depthwise": False,
        "scales": (0.1, 0.2, 0.37, 0.54, 0.71, 0.88, 1.05),
        "default_box_strides": (8, 16, 32, 64, 100, 300),  # the authors' code
    },
    "paper-512": {  # SSD512 with VGG16, section 3
        "backbone": "vgg16",
        "shorter_side": 512,
        "longer_side": 853,
        "antialias": False,
        "feature_source": "atrous",
        "extra_layers": EXTRAS_512,
        "depthwise": False,
        "scales": (0.07, 0.15, 0.3, 0.45, 0.6, 0.75, 0.9, 1.05),
        "aspect_ratios": ((2,), INNER, INNER, INNER, INNER, (2,), (2,)),
        "default_box_strides": (8, 16, 32, 64, 128, 256, 512),
    },
}


# the backbone that each way of cutting is for; "strides" takes any
CUTS = {"atrous": "vgg16", "inside": "mobilenet_v3_large", "inside-reduced": "mobilenet_v3_large"}


class SSD(Detector):
    """`predict` and `loss` read top to bottom like the paper; `forward` is the whole network.

    backbone_weights: a state dict of timm's network, or None for random numbers
    """

    config: SSDConfig

    def __init__(self, config: SSDConfig, backbone_weights: dict[str, Tensor] | None = None) -> None:
        super().__init__()
        self.config = config
        self.backbone = _backbone(config, backbone_weights)
        norms = config.feature_source == "strides" and config.l2_norm
        self.norms = nn.ModuleList(L2Norm(c) for c in self.backbone.channels) if norms else None
        self.extra_layers = ExtraLayers(self.backbone.channels[-1], config.extra_layers, config.depthwise)
        channels = [*self.backbone.channels, *self.extra_layers.channels]
        maps, rows = len(channels), (len(config.scales) - 1, len(config.aspect_ratios))
        if rows != (maps, maps) or len(config.default_box_strides) not in (0, maps):
            raise UsageError(f"ssd: {maps} maps, and default boxes for {rows[0]}, {rows[1]}; give as many")
        boxes = [2 + 2 * len(ratios) for ratios in config.aspect_ratios]
        self.head = MultiBoxHead(channels, boxes, len(config.class_names), config.depthwise)

    # ------------------------------------------------------------------ the two ways through

    @accepts_photos
    @torch.inference_mode()
    def predict(self, images: list[Tensor], proposals: list[Tensor] | None = None) -> list[Detections]:
        """Photos -> boxes, scores and labels of each, in its own pixels; `proposals` are not looked at."""
        batch = self.prepare(images)
        features = self.features(batch.pixels)
        logits, deltas = self.head(features)
        return self.postprocess(logits, deltas, self.default_boxes(features), batch)

    def loss(
        self, images: list[Tensor], targets: list[Target], proposals: list[Tensor] | None = None
    ) -> dict[str, Tensor]:
        """The two terms of equation 1, over the number of matched default boxes of the whole batch."""
        batch = self.prepare(images)
        features = self.features(batch.pixels)
        logits, deltas = self.head(features)
        return self.multibox_loss(logits, deltas, self.default_boxes(features), batch.rescale(targets))

    def forward(self, pixels: Float[Tensor, "B 3 H W"]) -> tuple[Tensor, Tensor]:
        """Pixels -> logits (B, N, K + 1) and deltas (B, N, 4)."""
        logits, deltas = self.head(self.features(pixels))
        return logits, deltas

    # ------------------------------------------------------------------ image

    def prepare(self, images: list[Tensor]) -> Batch:
        """Warp to a square (section 3), whatever the photo's shape, and normalize."""
        side, device = self.config.shorter_side, self.backbone.mean.device
        squares = [warp(image.to(device), side, self.config.antialias) for image in images]
        how = Preparation.of(self.config, self.backbone.mean, self.backbone.std)
        return replace(prepare(squares, how), original_sizes=[grid_of(image) for image in images])

    # ------------------------------------------------------------------ features (section 2.1)

    def features(self, pixels: Tensor) -> list[Tensor]:
        """(B, 3, H, W) -> the backbone's maps and ever coarser ones."""
        maps: list[Tensor] = self.backbone(pixels)
        if self.norms is not None:
            maps = [norm(x) for norm, x in zip(self.norms, maps, strict=True)]
        return [*maps, *self.extra_layers(maps[-1])]

    # ------------------------------------------------------------------ default boxes (section 2.2)

    def default_boxes(self, features: list[Tensor]) -> Float[Tensor, "N 4"]:
        """Equation 4: at each cell two squares, and for each aspect ratio r one of r : 1 and one of 1 : r."""
        c, boxes = self.config, []
        for level, x in enumerate(features):
            grid = grid_of(x)
            cells = (c.shorter_side / c.default_box_strides[level],) * 2 if c.default_box_strides else grid
            shapes = default_box_shapes(c.scales[level], c.scales[level + 1], c.aspect_ratios[level])
            boxes.append(tile_default_boxes(shapes.to(x.device), grid, cells))
        return torch.cat(boxes) * c.shorter_side

    # ------------------------------------------------------------------ postprocess (section 3.7)

    def postprocess(self, logits: Tensor, deltas: Tensor, default: Tensor, batch: Batch) -> list[Detections]:
        """Per class: the best candidates, decode, clip, NMS; then the best few, in the photo's own pixels."""
        scores = logits.float().softmax(dim=2)[..., :-1]
        sizes = zip(batch.sizes, batch.original_sizes, strict=True)
        return [self.detect(*one, default) for one in zip(scores, deltas.float(), sizes, strict=True)]

    def detect(self, scores: Tensor, deltas: Tensor, sizes: tuple[Size, Size], default: Tensor) -> Detections:
        """One photo: scores (N, K) and deltas (N, 4) -> what is in it."""
        c = self.config
        per_class = [top_k_scores(s[:, None], c.score_threshold, c.pre_nms_top_k) for s in scores.T]
        score = torch.cat([found for found, _, _ in per_class])
        row = torch.cat([rows for _, rows, _ in per_class])
        counts = torch.tensor([len(rows) for _, rows, _ in per_class], device=row.device)
        label = torch.arange(len(counts), device=row.device).repeat_interleave(counts)
        boxes = box.clip(decode(default[row], deltas[row], c.delta_weights), sizes[0])
        large = box.large_enough(boxes, SMALLEST_DETECTION)
        return nms_top_k(boxes[large], score[large], label[large], sizes, c)

    # ------------------------------------------------------------------ loss (section 2.2)

    def multibox_loss(
        self, logits: Tensor, deltas: Tensor, default: Tensor, targets: list[Target]
    ) -> dict[str, Tensor]:
        """Log loss on matched default boxes and hard negatives, smooth L1 on the matched ones."""
        c = self.config
        class_loss, box_loss, objects = logits.new_zeros(()), logits.new_zeros(()), 0
        for logit, delta, target in zip(logits, deltas, targets, strict=True):
            matched = match(default, target, c.match_iou)
            positive = torch.where(matched >= 0)[0]
            negative = hard_negatives(logit, matched, c.negatives_per_object * len(positive))
            answers = matched[positive]
            background = torch.full_like(negative, len(c.class_names))
            labels = torch.cat([target.labels[answers], background])
            chosen = logit[torch.cat([positive, negative])]
            class_loss = class_loss + F.cross_entropy(chosen, labels, reduction="sum")
            wanted = encode(default[positive], target.boxes[answers], c.delta_weights)
            box_loss = box_loss + F.smooth_l1_loss(delta[positive], wanted, beta=c.box_beta, reduction="sum")
            objects += len(positive)
        return {"ssd_class": class_loss / max(1, objects), "ssd_box": box_loss / max(1, objects)}


# ---------------------------------------------------------------------- parts


def _backbone(config: SSDConfig, weights: dict[str, Tensor] | None) -> Backbone | AtrousVGG16 | MobileNetV3:
    """The network that `feature_source` names."""
    if config.feature_source == "strides":
        return Backbone(config.backbone, config.strides, weights)
    if CUTS.get(config.feature_source) != config.backbone:
        raise UsageError(
            f"ssd: cut {config.feature_source!r} and backbone {config.backbone} do not go together; other backbones "
            "than vgg16 are for the presets default, 300 and 512"
        )
    return (
        AtrousVGG16(weights)
        if config.feature_source == "atrous"
        else MobileNetV3("reduced" in config.feature_source, weights)
    )


def warp(image: Tensor, side: int, antialias: bool) -> Float[Tensor, "3 side side"]:
    """A photo (3, H, W) as a square; the objects are squeezed with it, and so are the labels."""
    if image.shape[-2:] == (side, side):
        return image
    if image.dtype == torch.uint8 and image.device.type != "cpu":
        image = image / 255  # GPUs do not resize whole numbers
    return F.interpolate(image[None], size=(side, side), mode="bilinear", antialias=antialias)[0]


@torch.no_grad()
def match(default: Float[Tensor, "N 4"], target: Target, iou: float) -> Int[Tensor, " N"]:
    """A row of `target` for each default box, or BACKGROUND, or IGNORE.

    Every object has the default box that overlaps it most; further ones have the object that they overlap
    most, from `iou` on. Default boxes in crowds and difficult objects are neither objects nor background.
    """
    parts = default.split(4096)  # what fits a processor's cache is twice as fast as all at once
    given = (target.boxes, target.ignore, (iou, iou))
    matched = torch.cat([match_boxes(part, *given, allow_low_quality=False) for part in parts])
    for rows in torch.where(~target.ignore)[0].split(AT_ONCE):
        matched[box.iou(target.boxes[rows], default).argmax(dim=1)] = rows
    return matched


@torch.no_grad()
def hard_negatives(
    logits: Float[Tensor, "N K+1"], matched: Int[Tensor, " N"], most: int
) -> Int[Tensor, " M"]:
    """The rows of background that are least taken for it, at most `most`, hardest first."""
    negative = torch.where(matched == BACKGROUND)[0]
    losses = torch.logsumexp(logits, dim=1) - logits[:, -1]
    return negative[losses[negative].topk(min(most, len(negative))).indices]
