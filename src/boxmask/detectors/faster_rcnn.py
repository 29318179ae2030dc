"""Faster R-CNN: Towards Real-Time Object Detection with Region Proposal Networks.

Ren, He, Girshick, Sun, NeurIPS 2015 (arXiv:1506.01497), on the feature pyramid of Lin et al. 2017
(arXiv:1612.03144), as it is used today, or on a single map as in the paper.

    image -> features -> proposals (RPN) -> RoI features -> heads -> postprocess

What the paper adds to Fast R-CNN: the RPN, which computes proposals from the features that the second stage
reads, instead of two seconds of Selective Search per photo.

Shapes: B images, L levels, A anchors per cell, N anchors per image (over all levels), P proposals per
        image, R RoIs in the batch, K classes; background is the last logit of the box head.
Boxes:  xyxy, pixels of the resized image, until `postprocess` returns them in pixels of the photo.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from boxmask.detectors.contract import Detector
from boxmask.detectors.fast_rcnn import roi_loss
from boxmask.geometry import boxes as box
from boxmask.geometry.boxes import PyramidAnchors, anchor_shapes, anchors_per_cell, constant
from boxmask.kernels import roi_pool
from boxmask.photos.read import accepts_photos
from boxmask.pipeline.features.fpn import FPN, align
from boxmask.pipeline.features.mobilenet import make_backbone
from boxmask.pipeline.features.vgg_classifier import load_vgg_classifier
from boxmask.pipeline.heads.box import BoxHead
from boxmask.pipeline.heads.rpn import ProposalLimits, RPNHead, rpn_loss, select_proposals
from boxmask.pipeline.images import Batch, Preparation, prepare
from boxmask.pipeline.postprocess import decode_and_nms
from boxmask.pipeline.roi_sampling import RoiSampling, SampledRois, sample_rois
from boxmask.types import Detections, Target


@dataclass(frozen=True)
class FasterRCNNConfig:
    """The hyperparameters. The defaults suit small photos on a CPU; `presets.FASTER_RCNN` has the papers'."""

    class_names: tuple[str, ...]
    backbone: str = "tf_efficientnet_lite0"
    # image
    shorter_side: int = 320  # the paper: 600 (section 3.3); FPN: 800 (section 5)
    longer_side: int = 544  # the paper: 1000; FPN: 1333
    antialias: bool = True
    multiple_of: int = 64  # of the padded sides: the coarsest stride, so that anchors are evenly spaced
    # features
    strides: tuple[int, ...] = (8, 16, 32)  # C3..C5; FPN: also 4; the paper: one map of stride 16
    channels: int = 128  # of the pyramid; FPN, section 3: 256; 0: no pyramid, a single map
    # proposals
    anchor_sizes: tuple[tuple[float, ...], ...] = ((16, 24), (32, 48), (64, 96), (128, 224))  # per level
    aspect_ratios: tuple[float, ...] = (0.5, 1.0, 2.0)  # height / width; section 3.1.1
    rpn_channels: int = 128  # the paper: 512 for VGG16 (section 3.1)
    rpn_depth: int = 1  # 3x3 convolutions; figure 3; torchvision's second network: 2
    rpn_iou: tuple[float, float] = (0.3, 0.7)  # background below, object above; section 3.1.2
    rpn_train_border_anchors: bool = True  # those that cross the image border; section 3.3: False
    rpn_samples: int = 256  # anchors per image in the loss; section 3.1.3
    rpn_positive_fraction: float = 0.5  # section 3.1.3
    rpn_beta: float = 1 / 9  # where smooth L1 becomes linear; py-faster-rcnn (sigma 3)
    train_proposals: tuple[int, int] = (1000, 1000)  # per level before NMS, per image after it
    test_proposals: tuple[int, int] = (500, 300)  # the paper: 300 (section 4)
    proposal_nms_iou: float = 0.7  # section 3.3
    proposal_threshold: float = 0.0  # of the objectness after the sigmoid; torchvision's MobileNets: 0.05
    # RoI features
    pool_size: int = 7  # Fast R-CNN, section 2.1
    roi_max_pool: bool = False  # True: RoI max pooling (Fast R-CNN); False: RoIAlign (Mask R-CNN)
    sampling_ratio: int = 2  # RoIAlign's samples per bin and axis; Mask R-CNN, section 3
    canonical_size: tuple[int, int] = (112, 16)  # a box of side 112 reads stride 16; FPN, eq. 1: 224, 16
    # heads
    hidden: int = 512  # features in each FC layer; FPN: 1024 (section 4.2), Fast R-CNN: 4096
    box_convs: int = 0  # 3x3 convolutions in place of the second FC layer; torchvision's second network: 4
    roi_iou: float = 0.5  # an RoI is an object from this IoU on; Fast R-CNN, section 2.3
    roi_samples: int = 128  # RoIs per image in the loss; Fast R-CNN: 64, FPN: 512 (section 5.2)
    roi_positive_fraction: float = 0.25  # Fast R-CNN, section 2.3
    roi_beta: float = 1 / 9  # torchvision's; the paper's smooth L1 has 1 (Fast R-CNN, eq. 3)
    delta_weights: tuple[float, float, float, float] = (10.0, 10.0, 5.0, 5.0)  # 1 / std; py-faster-rcnn
    # postprocess
    score_threshold: float = 0.05  # py-faster-rcnn
    nms_iou: float = 0.5  # FPN's code; Fast R-CNN's: 0.3
    voting_iou: float = 0.0  # from this IoU on, boxes of an object are averaged; 0: never, as in the papers
    detections_per_image: int = 100  # COCO evaluates 100; py-faster-rcnn


class FasterRCNN(Detector):
    """`predict` and `loss` follow the paper top to bottom; `forward` is the dense part of the network.

    backbone_weights: state dict of timm's network, or None for random weights
    """

    config: FasterRCNNConfig

    def __init__(self, config: FasterRCNNConfig, backbone_weights: dict[str, Tensor] | None = None) -> None:
        super().__init__()
        self.config = config
        self.backbone = make_backbone(config.backbone, config.strides, backbone_weights)
        self.fpn = FPN(self.backbone.channels, config.channels) if config.channels else None
        channels = config.channels or self.backbone.channels[-1]
        num_anchors = anchors_per_cell(config.anchor_sizes, config.aspect_ratios)
        shapes = [anchor_shapes(sizes, config.aspect_ratios) for sizes in config.anchor_sizes]
        self.pyramid_anchors = PyramidAnchors(shapes)
        self.rpn_head = RPNHead(channels, config.rpn_channels, num_anchors, config.rpn_depth)
        num_classes, convs = len(config.class_names), config.box_convs
        self.box_head = BoxHead(channels, num_classes, config.pool_size, config.hidden, convs=convs)
        load_vgg_classifier((self.box_head.fc6, self.box_head.fc7), backbone_weights)

    # ------------------------------------------------------------------ predict and loss

    @accepts_photos
    @torch.inference_mode()
    def predict(self, images: list[Tensor], proposals: list[Tensor] | None = None) -> list[Detections]:
        """Photos -> boxes, scores and labels of each, in pixels of the photo."""
        batch = self.prepare(images)
        return self.detect(self.features(batch.pixels), batch, proposals)

    @accepts_photos
    @torch.inference_mode()
    def propose(self, images: list[Tensor]) -> list[Float[Tensor, "P 4"]]:
        """Photos -> the RPN's proposals as in training, highest objectness first, in pixels of the photo."""
        batch = self.prepare(images)
        proposals = self.rpn_proposals(self.features(batch.pixels), batch, self.config.train_proposals)
        per_photo = zip(proposals, batch.sizes, batch.original_sizes, strict=True)
        return [box.rescale(boxes, size, original) for boxes, size, original in per_photo]

    def loss(
        self, images: list[Tensor], targets: list[Target], proposals: list[Tensor] | None = None
    ) -> dict[str, Tensor]:
        """The four losses of approximate joint training (section 3.2).

        With `proposals`, only the two of Fast R-CNN, as in steps 2 and 4 of alternating training.
        """
        batch = self.prepare(images)
        features, targets = self.features(batch.pixels), batch.rescale(targets)
        return self.loss_from_features(features, batch, targets, proposals)[0]

    def rpn_step_loss(self, images: list[Tensor], targets: list[Target]) -> dict[str, Tensor]:
        """The two losses of the RPN: steps 1 and 3 of alternating training (section 3.2)."""
        batch = self.prepare(images)
        return self.rpn_loss(self.features(batch.pixels), batch.rescale(targets), batch)

    def detect(
        self, features: list[Tensor], batch: Batch, proposals: list[Tensor] | None = None
    ) -> list[Detections]:
        """`predict` from the features on; Mask R-CNN reads them again for its masks."""
        if proposals is None:
            rois = self.rpn_proposals(features, batch, self.config.test_proposals)
        else:
            rois = batch.rescale_boxes(proposals)
        class_logits, box_deltas = self.box_head(self.pool(features, rois))
        return self.postprocess(class_logits, box_deltas, rois, batch)

    def loss_from_features(
        self,
        features: list[Tensor],
        batch: Batch,
        targets: list[Target],
        proposals: list[Tensor] | None = None,
    ) -> tuple[dict[str, Tensor], SampledRois]:
        """`loss` from the features on, with targets from `batch.rescale`; also the sampled RoIs."""
        if proposals is not None:
            return self.roi_loss(features, batch.rescale_boxes(proposals), targets)
        rois = self.rpn_proposals(features, batch, self.config.train_proposals)
        roi_losses, sampled = self.roi_loss(features, rois, targets)
        return {**self.rpn_loss(features, targets, batch), **roi_losses}, sampled

    def forward(self, pixels: Float[Tensor, "B 3 H W"]) -> tuple[list[Tensor], list[Tensor], list[Tensor]]:
        """Pixels -> features L x (B, C, H, W), objectness logits L x (B, HWA), deltas L x (B, HWA, 4)."""
        features = self.features(pixels)
        return features, *self.rpn_head(features)

    # ------------------------------------------------------------------ image

    def prepare(self, images: list[Tensor]) -> Batch:
        """Resize, normalize and pad."""
        return prepare(images, Preparation.from_config(self.config, self.backbone.mean, self.backbone.std))

    # ------------------------------------------------------------------ features (FPN, section 3)

    def features(self, pixels: Tensor) -> list[Tensor]:
        """(B, 3, H, W) -> the maps that both stages read."""
        maps = self.backbone(pixels)
        return self.fpn(maps) if self.fpn else maps

    # ------------------------------------------------------------------ proposals (section 3.1)

    def anchors(self, features: list[Tensor], batch: Batch) -> list[Float[Tensor, "N 4"]]:
        """The anchors of every level, L x (H * W * A, 4)."""
        return self.pyramid_anchors(features, batch.pixels)

    @torch.no_grad()
    def rpn_proposals(
        self, features: list[Tensor], batch: Batch, limits: tuple[int, int]
    ) -> list[Float[Tensor, "P 4"]]:
        """The RPN's proposals in each image, B x (P, 4), highest objectness first.

        limits: proposals per level before NMS, and per image after it
        """
        logits, deltas = self.rpn_head(features)
        anchors, c = self.anchors(features, batch), self.config
        all_limits = ProposalLimits(*limits, c.proposal_nms_iou, c.proposal_threshold)
        return select_proposals(anchors, logits, deltas, batch.sizes, all_limits)

    def rpn_loss(self, features: list[Tensor], targets: list[Target], batch: Batch) -> dict[str, Tensor]:
        """Equation 1, at sampled anchors."""
        anchors = torch.cat(self.anchors(features, batch))
        return rpn_loss(self.rpn_head, features, anchors, targets, batch.sizes, self.config)

    # ------------------------------------------------------------------ RoI features

    def pool(self, features: list[Tensor], proposals: list[Tensor]) -> Float[Tensor, "R C pool pool"]:
        """Pool each proposal to a map of fixed size, from the level that suits it (FPN, equation 1)."""
        c = self.config
        if c.roi_max_pool:
            return roi_pool(features[0], proposals, c.pool_size, 1 / c.strides[0])
        return align(features, proposals, c.strides, c.canonical_size, (c.pool_size, c.sampling_ratio))

    # ------------------------------------------------------------------ heads (Fast R-CNN, section 2)

    def sample_proposals(self, proposals: list[Tensor], targets: list[Target]) -> SampledRois:
        """Sample RoIs from the proposals; their deltas are multiplied by `delta_weights`."""
        c = self.config
        sampling = RoiSampling((0.0, c.roi_iou), c.roi_samples, c.roi_positive_fraction, len(c.class_names))
        sampled = sample_rois(proposals, targets, sampling)
        return sampled._replace(deltas=sampled.deltas * constant(c.delta_weights, sampled.deltas))

    def roi_loss(
        self, features: list[Tensor], proposals: list[Tensor], targets: list[Target]
    ) -> tuple[dict[str, Tensor], SampledRois]:
        """The losses of Fast R-CNN at sampled RoIs, and these RoIs."""
        sampled = self.sample_proposals(proposals, targets)
        class_logits, box_deltas = self.box_head(self.pool(features, sampled.boxes))
        _, labels, deltas, _, positive = sampled
        return roi_loss(class_logits, box_deltas, labels, deltas, self.config.roi_beta, positive), sampled

    # ------------------------------------------------------------------ postprocess

    def postprocess(
        self, class_logits: Tensor, box_deltas: Tensor, proposals: list[Tensor], batch: Batch
    ) -> list[Detections]:
        """Per class: decode, clip, threshold and NMS; then keep the top detections."""
        counts = [len(boxes) for boxes in proposals]
        scores = class_logits.float().softmax(dim=1)[:, :-1].split(counts)
        deltas = (box_deltas.float() / constant(self.config.delta_weights, box_deltas)).split(counts)
        sizes = zip(batch.sizes, batch.original_sizes, strict=True)
        per_photo = zip(proposals, scores, deltas, sizes, strict=True)
        return [decode_and_nms(*photo, self.config) for photo in per_photo]
