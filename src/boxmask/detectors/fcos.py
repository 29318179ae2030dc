"""FCOS: Fully Convolutional One-Stage Object Detection.

Tian, Shen, Chen, He, ICCV 2019 (arXiv:1904.01355), with the improvements of its later version,
which are those of the authors' second paper (arXiv:2006.09214).

    image -> features -> heads -> postprocess

What the paper takes away from RetinaNet: the anchors. Every place of the pyramid says how far the four edges
of its object are; the level is chosen by that distance, and a third output, the center-ness, says how much a
place is worth, so that boxes seen from an object's rim do not win.

Shapes: B images, L levels, N places an image (over all levels), Q places in the batch that hold an object,
        G objects of an image, K classes, each with its own sigmoid.
Boxes:  xyxy, pixels of the resized image, until `postprocess` returns them to the photo's own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.ops import generalized_box_iou_loss

from boxmask.detectors.contract import Detector
from boxmask.geometry.boxes import MAX_LOG_SCALE, pyramid_anchors
from boxmask.geometry.matching import IGNORE
from boxmask.geometry.points import Points, boxes_from_distances, centerness_targets, match_points
from boxmask.photos.read import accepts_photos
from boxmask.pipeline.features.backbone import Backbone
from boxmask.pipeline.features.fpn import FPN
from boxmask.pipeline.heads.dense import (
    DenseHead,
    Tower,
    flatten,
    init_prior,
    init_small,
    logit,
    merge_levels,
    objects_at,
    top_k,
)
from boxmask.pipeline.heads.focal_loss import focal_loss
from boxmask.pipeline.images import Batch, Preparation, grid_of, prepare
from boxmask.pipeline.layers import Conv3x3
from boxmask.pipeline.postprocess import SMALLEST_DETECTION
from boxmask.types import Detections, Target


@dataclass(frozen=True)
class FCOSConfig:
    """Every number of the method; the defaults suit small photos on a CPU, PRESETS hold the paper's own."""

    class_names: tuple[str, ...]
    backbone: str = "tf_efficientnet_lite0"
    # image
    shorter_side: int = 320  # section 4: 800
    longer_side: int = 544  # section 4: 1333
    antialias: bool = True
    multiple_of: int = 64  # photos are padded to it: the coarsest stride, so that places lie evenly
    # features (section 3.2)
    strides: tuple[int, ...] = (8, 16, 32)  # C3..C5
    channels: int = 128  # of the pyramid; the paper: 256
    extra_levels: int = 1  # coarser than the backbone's; the paper: P6 and P7
    extra_level_source: str = "P5"  # what the first of them is made of
    # heads (section 3.1, "Network Outputs", and 3.2)
    tower_depth: int = 2  # section 3.1: 4
    tower_channels: int = 96  # the paper: 256
    norm_groups: int = 16  # of the GroupNorm in the towers; the authors' code: 32
    depthwise: bool = False  # towers of separable convolutions: smaller, and less exact
    prior_prob: float = 0.01  # every score at the beginning; the authors' code, as RetinaNet
    point_offset: float = 0.5  # of a cell, from its corner; section 3.1: floor(s / 2)
    exponential_distances: bool = (
        True  # distances are exp(s_i x), section 3.2; False: relu(s_i x), the improvements
    )
    # loss
    regress_ranges: tuple[float, ...] = (
        32,
        64,
        128,
    )  # pixels between the levels; section 3.2: 64, 128, 256, 512
    center_sampling_radius: float = (
        1.5  # in strides, around an object's center; improvements. 0: in all of its box
    )
    focal_alpha: float = 0.25  # of the focal loss; as RetinaNet
    focal_gamma: float = 2.0  # of the focal loss; as RetinaNet
    # postprocess
    score_threshold: float = 0.05  # section 3.1, "Inference", there before the center-ness
    pre_nms_top_k: int = 500  # a level, before anything is decoded; the authors' code: 1000
    min_box_size: float = SMALLEST_DETECTION  # pixels; as in Faster R-CNN
    nms_iou: float = 0.6  # the authors' code
    detections_per_image: int = 100  # COCO judges so many


PRESETS: dict[str, dict[str, object]] = {
    "default": {},
    "paper": {  # sections 3 and 4 with the improvements, with ResNet-50
        "backbone": "resnet50",
        "shorter_side": 800,
        "longer_side": 1333,
        "antialias": False,
        "multiple_of": 128,
        "channels": 256,
        "extra_levels": 2,
        "tower_depth": 4,
        "tower_channels": 256,
        "norm_groups": 32,
        "exponential_distances": False,
        "regress_ranges": (64, 128, 256, 512),
        "pre_nms_top_k": 1000,
    },
}


class FCOS(Detector):
    """`predict` and `loss` read top to bottom like the paper; `forward` is the network.

    Proposals, which the contract allows to give, are not looked at: there is no second stage.
    backbone_weights: a state dict of timm's network, or None for random numbers
    """

    config: FCOSConfig

    def __init__(self, config: FCOSConfig, backbone_weights: dict[str, Tensor] | None = None) -> None:
        super().__init__()
        self.config = config
        self.backbone = Backbone(config.backbone, config.strides, backbone_weights)
        self.fpn = FPN(
            self.backbone.channels, config.channels, config.extra_levels, config.extra_level_source
        )
        self.class_head = DenseHead(Tower.of(config), 1, len(config.class_names))
        init_prior(self.class_head.last, config.prior_prob)
        self.box_tower = Tower.of(config)
        self.distances = Conv3x3(self.box_tower.channels, 4)
        self.centerness = Conv3x3(self.box_tower.channels, 1)  # beside the distances: improvements
        init_small(self.distances)
        init_small(self.centerness)
        coarsest = config.strides[-1]
        self.strides = [*config.strides, *(coarsest * 2 ** (i + 1) for i in range(config.extra_levels))]
        self.scales = nn.Parameter(torch.ones(len(self.strides)))  # s_i of section 3.2, learned

    # ------------------------------------------------------------------ the two ways through

    @accepts_photos
    @torch.inference_mode()
    def predict(self, images: list[Tensor], proposals: list[Tensor] | None = None) -> list[Detections]:
        """Photos -> boxes, scores and labels of each, in its own pixels."""
        batch = self.prepare(images)
        features = self.features(batch.pixels)
        return self.postprocess(*self.heads(features), self.points(features, batch), batch)

    def loss(
        self, images: list[Tensor], targets: list[Target], proposals: list[Tensor] | None = None
    ) -> dict[str, Tensor]:
        """Equation 2, and the loss of the center-ness."""
        batch = self.prepare(images)
        features = self.features(batch.pixels)
        outputs = [torch.cat(levels, 1) for levels in self.heads(features)]
        places = Points(*(torch.cat(part) for part in zip(*self.points(features, batch), strict=True)))
        return self.dense_loss(outputs, places, batch.rescale(targets))

    def forward(self, pixels: Float[Tensor, "B 3 H W"]) -> tuple[list[Tensor], list[Tensor], list[Tensor]]:
        """Pixels -> class logits L x (B, HW, K), distances L x (B, HW, 4), center-ness L x (B, HW, 1)."""
        return self.heads(self.features(pixels))

    # ------------------------------------------------------------------ image

    def prepare(self, images: list[Tensor]) -> Batch:
        """Resize, normalize and pad."""
        return prepare(images, Preparation.of(self.config, self.backbone.mean, self.backbone.std))

    # ------------------------------------------------------------------ features (section 3.2)

    def features(self, pixels: Tensor) -> list[Tensor]:
        """(B, 3, H, W) -> P3 and coarser."""
        pyramid: list[Tensor] = self.fpn(self.backbone(pixels))
        return pyramid

    # ------------------------------------------------------------------ heads (sections 3.1 to 3.3)

    def heads(self, features: list[Tensor]) -> tuple[list[Tensor], list[Tensor], list[Tensor]]:
        """Of each level class logits (B, HW, K), distances in strides (B, HW, 4), center-ness (B, HW, 1)."""
        distances, centerness = [], []
        for x, scale in zip(features, self.scales, strict=True):
            hidden = self.box_tower(x)
            raw = flatten(self.distances(hidden), 4) * scale
            distances.append(
                raw.clamp(max=MAX_LOG_SCALE).exp() if self.config.exponential_distances else raw.relu()
            )
            centerness.append(flatten(self.centerness(hidden), 1))
        return self.class_head(features), distances, centerness

    def points(self, features: list[Tensor], batch: Batch) -> list[Points]:
        """The places of every level (section 3.1), and the distances that each is for (section 3.2)."""
        size = grid_of(batch.pixels)
        grids = [grid_of(x) for x in features]
        at = self.config.point_offset
        inside = [torch.tensor([[at * (size[1] // w), at * (size[0] // h)] * 2]) for h, w in grids]
        points = pyramid_anchors([one.to(batch.pixels.device) for one in inside], grids, size)
        edges = (0.0, *self.config.regress_ranges, math.inf)
        return [
            Points(x[:, :2], x.new_full((len(x),), stride), x.new_tensor(span).expand(len(x), 2))
            for x, stride, span in zip(points, self.strides, pairwise(edges), strict=True)
        ]

    # ------------------------------------------------------------------ postprocess (sections 3.1 and 3.3)

    def postprocess(
        self,
        class_logits: list[Tensor],
        distances: list[Tensor],
        centerness: list[Tensor],
        places: list[Points],
        batch: Batch,
    ) -> list[Detections]:
        """The top_k of each level as boxes, then NMS per class, in the photo's own pixels."""
        c, detections = self.config, []
        for image, sizes in enumerate(zip(batch.sizes, batch.original_sizes, strict=True)):
            levels = []
            for logits, far, center, place in zip(class_logits, distances, centerness, places, strict=True):
                score, row, label = self.top_points(logits[image].float(), center[image].float())
                pixels = far[image][row].float() * place.strides[row, None]
                boxes = boxes_from_distances(place.points[row], pixels)
                levels.append((boxes, score, label))
            detections.append(merge_levels(levels, sizes, c))
        return detections

    def top_points(
        self, logits: Float[Tensor, "N K"], centerness: Float[Tensor, "N 1"]
    ) -> tuple[Float[Tensor, " C"], Int[Tensor, " C"], Int[Tensor, " C"]]:
        """The top_k of a level: scores, rows and labels. A score is sqrt(class * center-ness).

        Few classes can reach the threshold even with a center-ness of 1: only for these is it looked at.
        """
        threshold = self.config.score_threshold
        row, label = torch.where(logits > logit(threshold**2))
        scores = (logits[row, label].sigmoid() * centerness[row, 0].sigmoid()).sqrt()
        keep = scores > threshold
        return top_k(scores[keep], row[keep], label[keep], self.config.pre_nms_top_k)

    # ------------------------------------------------------------------ loss (equation 2, section 3.3)

    def dense_loss(self, outputs: list[Tensor], places: Points, targets: list[Target]) -> dict[str, Tensor]:
        """Over the number of places in the batch that hold an object."""
        class_logits, distances, centerness = outputs
        matched = self.match_points(places, targets)
        image, row, labels, boxes = objects_at(matched, targets)
        total = max(1, len(row))
        weights = (matched != IGNORE) / total
        points, strides = places.points[row], places.strides[row, None]
        found = boxes_from_distances(points, distances[image, row].float() * strides)
        wanted = centerness_targets(points, boxes)
        center = F.binary_cross_entropy_with_logits(
            centerness[image, row, 0].float(), wanted, reduction="sum"
        )
        focal = focal_loss(
            class_logits, weights, (image, row, labels), self.config.focal_alpha, self.config.focal_gamma
        )
        giou = generalized_box_iou_loss(found, boxes, reduction="sum")
        return {"dense_class": focal, "dense_box": giou / total, "dense_centerness": center / total}

    @torch.no_grad()
    def match_points(self, places: Points, targets: list[Target]) -> Int[Tensor, "B N"]:
        """A row of each photo's target for each place, or BACKGROUND or IGNORE."""
        radius = self.config.center_sampling_radius
        return torch.stack([match_points(places, one.boxes, one.ignore, radius) for one in targets])
