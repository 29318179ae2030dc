"""FCOS: Fully Convolutional One-Stage Object Detection.

Tian, Shen, Chen, He, ICCV 2019 (arXiv:1904.01355), with the improvements of its later version, which are
those of the authors' second paper (arXiv:2006.09214).

    image -> features -> heads -> postprocess

What the paper changes in RetinaNet: there are no anchors. Every point of the pyramid predicts its distances
to the four edges of its object; these distances decide the level; and a third output, the centerness, lowers
the score of points near the edges of an object, whose boxes are poor.

Shapes: B images, L levels, N points per image (over all levels), Q points in the batch that hold an object,
        G objects in an image, K classes, each with its own sigmoid.
Boxes:  xyxy, pixels of the resized image, until `postprocess` returns them in pixels of the photo.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from boxmask.detectors.contract import Detector
from boxmask.geometry.boxes import MAX_LOG_SCALE, generalized_iou
from boxmask.geometry.kept import Kept
from boxmask.geometry.matching import IGNORE
from boxmask.geometry.points import (
    Points,
    boxes_from_distances,
    centerness_targets,
    match_each,
    pyramid_points,
)
from boxmask.photos.read import accepts_photos
from boxmask.pipeline.features.backbone import Backbone
from boxmask.pipeline.features.fpn import FPN
from boxmask.pipeline.heads.dense import (
    DenseHead,
    Tower,
    cat_levels,
    flatten,
    init_prior,
    init_small,
    logit,
    matched_objects,
    top_k,
    top_k_scores,
)
from boxmask.pipeline.heads.focal_loss import focal_loss
from boxmask.pipeline.images import Batch, Preparation, prepare, spatial_size
from boxmask.pipeline.layers import Conv3x3
from boxmask.pipeline.postprocess import MIN_DETECTION_SIZE, nms_top_k
from boxmask.types import Detections, Target


@dataclass(frozen=True)
class FCOSConfig:
    """The hyperparameters. The defaults suit small photos on a CPU; `presets.FCOS` has the paper's."""

    class_names: tuple[str, ...]
    backbone: str = "tf_efficientnet_lite0"
    # image
    shorter_side: int = 320  # section 4: 800
    longer_side: int = 544  # section 4: 1333
    antialias: bool = True
    multiple_of: int = 64  # of the padded sides: the coarsest stride, so that points are evenly spaced
    # features (section 3.2)
    strides: tuple[int, ...] = (8, 16, 32)  # C3..C5
    channels: int = 128  # of the pyramid; the paper: 256
    extra_levels: int = 1  # coarser than the backbone's; the paper: P6 and P7
    extra_level_source: str = "P5"  # the map that the first of them is made from
    # heads (section 3.1, "Network Outputs", and 3.2)
    tower_depth: int = 2  # section 3.1: 4
    tower_channels: int = 96  # the paper: 256
    norm_groups: int = 16  # of the GroupNorm in the towers; the authors' code: 32
    depthwise: bool = False  # depthwise-separable towers: smaller, and less accurate
    prior_prob: float = 0.01  # initial value of every score; the authors' code, as RetinaNet
    point_offset: float = 0.5  # of a point in its cell, in strides; section 3.1: floor(s / 2)
    exponential_distances: bool = True  # exp(s_i x), section 3.2; False: relu(s_i x), improvements
    # loss
    regress_ranges: tuple[float, ...] = (32, 64, 128)  # m_i in pixels; section 3.2: 64, 128, 256, 512
    center_sampling_radius: float = 1.5  # around a box's center, in strides; improvements; 0: all of the box
    focal_alpha: float = 0.25  # of the focal loss; as RetinaNet
    focal_gamma: float = 2.0  # of the focal loss; as RetinaNet
    # postprocess
    score_threshold: float = 0.05  # section 3.1, "Inference", where it applies before the centerness
    pre_nms_top_k: int = 500  # per level, before decoding; the authors' code: 1000
    min_box_size: float = MIN_DETECTION_SIZE  # pixels; as in Faster R-CNN
    nms_iou: float = 0.6  # the authors' code
    detections_per_image: int = 100  # COCO evaluates 100


class FCOS(Detector):
    """`predict` and `loss` follow the paper top to bottom; `forward` is the network.

    backbone_weights: state dict of timm's network, or None for random weights
    """

    config: FCOSConfig

    def __init__(self, config: FCOSConfig, backbone_weights: dict[str, Tensor] | None = None) -> None:
        super().__init__()
        self.config = config
        self.backbone = Backbone(config.backbone, config.strides, backbone_weights)
        self.fpn = FPN(
            self.backbone.channels, config.channels, config.extra_levels, config.extra_level_source
        )
        self.class_head = DenseHead(Tower.from_config(config), 1, len(config.class_names))
        init_prior(self.class_head.last, config.prior_prob)
        self.box_tower = Tower.from_config(config)
        self.distances = Conv3x3(self.box_tower.channels, 4)
        self.centerness = Conv3x3(self.box_tower.channels, 1)  # beside the distances: improvements
        init_small(self.distances)
        init_small(self.centerness)
        coarsest = config.strides[-1]
        self.strides = [*config.strides, *(coarsest * 2 ** (i + 1) for i in range(config.extra_levels))]
        self.scales = nn.Parameter(torch.ones(len(self.strides)))  # s_i of section 3.2, learned
        self.kept_points: Kept[list[Points]] = Kept()

    # ------------------------------------------------------------------ predict and loss

    @accepts_photos
    @torch.inference_mode()
    def predict(self, images: list[Tensor], proposals: list[Tensor] | None = None) -> list[Detections]:
        """Photos -> boxes, scores and labels of each, in pixels of the photo."""
        batch = self.prepare(images)
        features = self.features(batch.pixels)
        return self.postprocess(*self.heads(features), self.points(features, batch), batch)

    def loss(
        self, images: list[Tensor], targets: list[Target], proposals: list[Tensor] | None = None
    ) -> dict[str, Tensor]:
        """Equation 2, and the loss of the centerness (section 3.3)."""
        batch = self.prepare(images)
        features = self.features(batch.pixels)
        outputs = [torch.cat(levels, 1) for levels in self.heads(features)]
        points = Points(*(torch.cat(field) for field in zip(*self.points(features, batch), strict=True)))
        return self.dense_loss(outputs, points, batch.rescale(targets))

    def forward(self, pixels: Float[Tensor, "B 3 H W"]) -> tuple[list[Tensor], list[Tensor], list[Tensor]]:
        """Pixels -> class logits L x (B, HW, K), distances L x (B, HW, 4), centerness L x (B, HW, 1)."""
        return self.heads(self.features(pixels))

    # ------------------------------------------------------------------ image

    def prepare(self, images: list[Tensor]) -> Batch:
        """Resize, normalize and pad."""
        return prepare(images, Preparation.from_config(self.config, self.backbone.mean, self.backbone.std))

    # ------------------------------------------------------------------ features (section 3.2)

    def features(self, pixels: Tensor) -> list[Tensor]:
        """(B, 3, H, W) -> P3 and coarser."""
        pyramid: list[Tensor] = self.fpn(self.backbone(pixels))
        return pyramid

    # ------------------------------------------------------------------ heads (sections 3.1 to 3.3)

    def heads(self, features: list[Tensor]) -> tuple[list[Tensor], list[Tensor], list[Tensor]]:
        """Per level: class logits (B, HW, K), distances in strides (B, HW, 4), centerness (B, HW, 1)."""
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
        """The points of every level (section 3.1), with the range of distances of the level (section 3.2)."""
        size, device = spatial_size(batch.pixels), batch.pixels.device
        grids = [spatial_size(x) for x in features]
        ranges, offset = pairwise((0.0, *self.config.regress_ranges, math.inf)), self.config.point_offset
        levels = list(zip(self.strides, ranges, strict=True))
        place = (grids, size, levels, offset, device)
        return self.kept_points.get(place, lambda: pyramid_points(*place))

    # ------------------------------------------------------------------ postprocess (sections 3.1 and 3.3)

    def postprocess(
        self,
        class_logits: list[Tensor],
        distances: list[Tensor],
        centerness: list[Tensor],
        points: list[Points],
        batch: Batch,
    ) -> list[Detections]:
        """Decode the top points of each level, then NMS per class."""
        c, detections = self.config, []
        for image, sizes in enumerate(zip(batch.sizes, batch.original_sizes, strict=True)):
            levels = []
            for logits, distance, center, level in zip(
                class_logits, distances, centerness, points, strict=True
            ):
                score, row, label = self.top_points(logits[image].float(), center[image].float())
                in_pixels = distance[image][row].float() * level.strides[row, None]
                levels.append((level.points[row], in_pixels, score, label))
            xy, top_distances, scores, labels = cat_levels(levels)
            boxes = boxes_from_distances(xy, top_distances)
            detections.append(nms_top_k(boxes, scores, labels, sizes, c, c.min_box_size))
        return detections

    def top_points(
        self, logits: Float[Tensor, "N K"], centerness: Float[Tensor, "N 1"]
    ) -> tuple[Float[Tensor, " C"], Int[Tensor, " C"], Int[Tensor, " C"]]:
        """The top scores of a level, their rows and labels. A score is sqrt(class score * centerness).

        On a CPU, the centerness is computed only where the class score alone, with a centerness of 1, exceeds
        the threshold.
        """
        threshold = self.config.score_threshold
        if logits.device.type != "cpu":
            scores = (logits.sigmoid() * centerness.sigmoid()).sqrt()
            return top_k_scores(scores, threshold, self.config.pre_nms_top_k)
        row, label = torch.where(logits > logit(threshold**2))
        scores = (logits[row, label].sigmoid() * centerness[row, 0].sigmoid()).sqrt()
        keep = scores > threshold
        return top_k(scores[keep], row[keep], label[keep], self.config.pre_nms_top_k)

    # ------------------------------------------------------------------ loss (equation 2, section 3.3)

    def dense_loss(self, outputs: list[Tensor], points: Points, targets: list[Target]) -> dict[str, Tensor]:
        """The three losses, divided by the number of points in the batch that hold an object."""
        c, (class_logits, distances, centerness) = self.config, outputs
        matched = self.match_points(points, targets)
        image, row, labels, boxes = matched_objects(matched, targets)
        total = max(1, len(row))
        xy, strides = points.points[row], points.strides[row, None]
        focal = focal_loss(
            class_logits, (matched != IGNORE) / total, (image, row, labels), c.focal_alpha, c.focal_gamma
        )
        predicted = boxes_from_distances(xy, distances[image, row].float() * strides)
        giou = (1 - generalized_iou(predicted, boxes)).sum()
        center = F.binary_cross_entropy_with_logits(
            centerness[image, row, 0].float(), centerness_targets(xy, boxes), reduction="sum"
        )
        return {"dense_class": focal, "dense_box": giou / total, "dense_centerness": center / total}

    @torch.no_grad()
    def match_points(self, points: Points, targets: list[Target]) -> Int[Tensor, "B N"]:
        """A row of each photo's target for each point, or BACKGROUND or IGNORE."""
        boxes, ignored = [target.boxes for target in targets], [target.ignored for target in targets]
        return torch.stack(match_each(points, boxes, ignored, self.config.center_sampling_radius))
