"""RetinaNet: Focal Loss for Dense Object Detection.

Lin, Goyal, Girshick, He, Dollár, ICCV 2017 (arXiv:1708.02002).

    image -> features -> heads -> postprocess

What the paper changes in Faster R-CNN with FPN: there is no second stage. Every anchor is classified at once,
and the focal loss keeps a hundred thousand easy background anchors from outweighing the few objects, where
Faster R-CNN samples anchors and SSD mines hard ones.

Shapes: B images, L levels, A anchors per cell, N anchors per image (over all levels), Q anchors in the batch
        that hold an object, K classes, each with its own sigmoid: there is no background logit.
Boxes:  xyxy, pixels of the resized image, until `postprocess` returns them in pixels of the photo.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional as F

from boxmask.detectors.contract import Detector
from boxmask.geometry.boxes import (
    PyramidAnchors,
    anchor_shapes,
    anchors_per_cell,
    decode,
    encode,
    generalized_iou,
)
from boxmask.geometry.matching import IGNORE, match_each
from boxmask.photos.read import accepts_photos
from boxmask.pipeline.features.backbone import Backbone
from boxmask.pipeline.features.fpn import FPN
from boxmask.pipeline.heads.dense import (
    DenseHead,
    Tower,
    cat_levels,
    init_prior,
    logit,
    matched_objects,
    top_k_scores,
)
from boxmask.pipeline.heads.focal_loss import focal_loss
from boxmask.pipeline.images import Batch, Preparation, prepare
from boxmask.pipeline.postprocess import MIN_DETECTION_SIZE, nms_top_k
from boxmask.types import Detections, Target


@dataclass(frozen=True)
class RetinaNetConfig:
    """The hyperparameters. The defaults suit small photos on a CPU; `presets.RETINANET` has the paper's."""

    class_names: tuple[str, ...]
    backbone: str = "tf_efficientnet_lite0"
    # image
    shorter_side: int = 320  # the paper: 400 to 800 (table 1e)
    longer_side: int = 544  # FPN's code: 1333
    antialias: bool = True
    multiple_of: int = 64  # of the padded sides: the coarsest stride, so that anchors are evenly spaced
    # features (section 4, "Feature Pyramid Network Backbone")
    strides: tuple[int, ...] = (8, 16, 32)  # C3..C5
    channels: int = 128  # of the pyramid; the paper: 256
    extra_levels: int = 1  # coarser than the backbone's; the paper: P6 and P7
    extra_level_source: str = "C5"  # the map that the first of them is made from
    # heads (section 4, "Anchors" and the two subnets)
    # per level, three to five times the stride: smaller anchors lie too far apart to overlap an object, and
    # learned far less in as many steps (docs/how-to/choose-a-recipe.md)
    anchor_sizes: tuple[tuple[float, ...], ...] = ((24, 40), (56, 80), (112, 160), (224, 320))
    aspect_ratios: tuple[float, ...] = (0.5, 1.0, 2.0)  # height / width
    tower_depth: int = 2  # the paper: 4
    tower_channels: int = 96  # the paper: 256
    norm_groups: int = 16  # of the GroupNorm in the towers; the paper has none: 0
    depthwise: bool = False  # depthwise-separable towers: smaller, and less accurate
    prior_prob: float = 0.01  # initial value of every score; section 4.1
    # loss
    match_iou: tuple[float, float] = (0.4, 0.5)  # background below, object above; section 4, "Anchors"
    focal_alpha: float = 0.25  # weight of objects; section 4.1
    focal_gamma: float = 2.0  # section 4.1
    giou_loss: bool = True  # generalized IoU, as torchvision's v2; False: smooth L1, as the paper
    box_beta: float = 1 / 9  # where smooth L1 becomes linear; Detectron (the paper gives no number)
    # postprocess (section 4.1, "Inference")
    score_threshold: float = 0.05
    pre_nms_top_k: int = 500  # per level, before decoding; the paper: 1000
    min_box_size: float = MIN_DETECTION_SIZE  # pixels; as in Faster R-CNN
    nms_iou: float = 0.5
    detections_per_image: int = 100  # COCO evaluates 100; Detectron


class RetinaNet(Detector):
    """`predict` and `loss` follow the paper top to bottom; `forward` is the network.

    backbone_weights: state dict of timm's network, or None for random weights
    """

    config: RetinaNetConfig

    def __init__(self, config: RetinaNetConfig, backbone_weights: dict[str, Tensor] | None = None) -> None:
        super().__init__()
        self.config = config
        self.backbone = Backbone(config.backbone, config.strides, backbone_weights)
        self.fpn = FPN(
            self.backbone.channels, config.channels, config.extra_levels, config.extra_level_source
        )
        num_anchors = anchors_per_cell(config.anchor_sizes, config.aspect_ratios)
        shapes = [anchor_shapes(sizes, config.aspect_ratios) for sizes in config.anchor_sizes]
        self.pyramid_anchors = PyramidAnchors(shapes)
        self.class_head = DenseHead(Tower.from_config(config), num_anchors, len(config.class_names))
        self.box_head = DenseHead(Tower.from_config(config), num_anchors, 4)
        init_prior(self.class_head.last, config.prior_prob)

    # ------------------------------------------------------------------ predict and loss

    @accepts_photos
    @torch.inference_mode()
    def predict(self, images: list[Tensor], proposals: list[Tensor] | None = None) -> list[Detections]:
        """Photos -> boxes, scores and labels of each, in pixels of the photo."""
        batch = self.prepare(images)
        features = self.features(batch.pixels)
        class_logits, deltas = self.heads(features)
        return self.postprocess(class_logits, deltas, self.anchors(features, batch), batch)

    def loss(
        self, images: list[Tensor], targets: list[Target], proposals: list[Tensor] | None = None
    ) -> dict[str, Tensor]:
        """Focal loss at all anchors, box loss at those that hold an object (section 4.1)."""
        batch = self.prepare(images)
        features = self.features(batch.pixels)
        class_logits, deltas = self.heads(features)
        anchors = torch.cat(self.anchors(features, batch))
        return self.dense_loss(
            torch.cat(class_logits, 1), torch.cat(deltas, 1), anchors, batch.rescale(targets)
        )

    def forward(self, pixels: Float[Tensor, "B 3 H W"]) -> tuple[list[Tensor], list[Tensor]]:
        """Pixels -> class logits L x (B, HWA, K) and deltas L x (B, HWA, 4)."""
        return self.heads(self.features(pixels))

    # ------------------------------------------------------------------ image

    def prepare(self, images: list[Tensor]) -> Batch:
        """Resize, normalize and pad."""
        return prepare(images, Preparation.from_config(self.config, self.backbone.mean, self.backbone.std))

    # ------------------------------------------------------------------ features (section 4)

    def features(self, pixels: Tensor) -> list[Tensor]:
        """(B, 3, H, W) -> P3 and coarser."""
        pyramid: list[Tensor] = self.fpn(self.backbone(pixels))
        return pyramid

    # ------------------------------------------------------------------ heads (section 4)

    def heads(self, features: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        """The two subnets, which share no weights: class logits L x (B, HWA, K), deltas L x (B, HWA, 4)."""
        return self.class_head(features), self.box_head(features)

    def anchors(self, features: list[Tensor], batch: Batch) -> list[Float[Tensor, "N 4"]]:
        """The anchors of every level, L x (H * W * A, 4)."""
        return self.pyramid_anchors(features, batch.pixels)

    # ------------------------------------------------------------------ postprocess (section 4.1)

    def postprocess(
        self, class_logits: list[Tensor], deltas: list[Tensor], anchors: list[Tensor], batch: Batch
    ) -> list[Detections]:
        """Decode the top anchors of each level, then NMS per class."""
        c, detections = self.config, []
        for image, sizes in enumerate(zip(batch.sizes, batch.original_sizes, strict=True)):
            levels = []
            for logits, delta, anchor in zip(class_logits, deltas, anchors, strict=True):
                score, row, label = top_k_scores(
                    logits[image].float(), logit(c.score_threshold), c.pre_nms_top_k
                )
                levels.append((anchor[row], delta[image][row].float(), score, label))
            top_anchors, top_deltas, scores, labels = cat_levels(levels)
            boxes = decode(top_anchors, top_deltas)
            detections.append(nms_top_k(boxes, scores.sigmoid(), labels, sizes, c, c.min_box_size))
        return detections

    # ------------------------------------------------------------------ loss (sections 3 and 4.1)

    def dense_loss(
        self,
        class_logits: Float[Tensor, "B N K"],
        deltas: Float[Tensor, "B N 4"],
        anchors: Float[Tensor, "N 4"],
        targets: list[Target],
    ) -> dict[str, Tensor]:
        """Each photo's losses, divided by the number of its anchors that hold an object; mean over photos."""
        c, matched = self.config, self.match_anchors(anchors, targets)
        weights = (matched != IGNORE) / (matched >= 0).sum(1, keepdim=True).clamp(min=1) / len(targets)
        image, row, labels, boxes = matched_objects(matched, targets)
        predicted = deltas[image, row].float()
        if c.giou_loss:
            box_losses = 1 - generalized_iou(decode(anchors[row], predicted), boxes)
        else:
            target_deltas = encode(anchors[row], boxes)
            box_losses = F.smooth_l1_loss(predicted, target_deltas, beta=c.box_beta, reduction="none").sum(1)
        focal = focal_loss(class_logits, weights, (image, row, labels), c.focal_alpha, c.focal_gamma)
        return {"dense_class": focal, "dense_box": (box_losses * weights[image, row]).sum()}

    @torch.no_grad()
    def match_anchors(self, anchors: Float[Tensor, "N 4"], targets: list[Target]) -> Int[Tensor, "B N"]:
        """A row of each photo's target for each anchor, or BACKGROUND or IGNORE (section 4, "Anchors")."""
        boxes, ignored = [target.boxes for target in targets], [target.ignored for target in targets]
        iou = self.config.match_iou
        return torch.stack(match_each([anchors] * len(boxes), boxes, ignored, iou, allow_low_quality=True))
