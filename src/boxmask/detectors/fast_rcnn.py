"""Fast R-CNN.

Girshick, ICCV 2015 (arXiv:1504.08083).

    image -> proposals (Selective Search) -> features -> RoI features -> heads -> postprocess

What the paper adds to R-CNN: the CNN runs once per photo instead of once per region; RoI pooling crops the
regions from its feature map; and one network, trained in one stage, replaces the SVMs and box regressors.

Shapes: B images, P proposals per image, R RoIs in the batch, K classes; background is the last logit.
Boxes:  xyxy, pixels of the resized image, until `postprocess` returns them in pixels of the photo.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import cast

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from boxmask.detectors.contract import Detector
from boxmask.errors import UsageError
from boxmask.kernels import roi_pool
from boxmask.photos.read import accepts_photos
from boxmask.pipeline.features.backbone import Backbone
from boxmask.pipeline.features.vgg_classifier import load_vgg_classifier
from boxmask.pipeline.heads.box import BoxHead, compress_head
from boxmask.pipeline.images import Batch, Preparation, prepare
from boxmask.pipeline.postprocess import decode_and_nms
from boxmask.pipeline.roi_sampling import RoiSampling, sample_rois
from boxmask.pipeline.selective_search.modes import MODES, SelectiveSearchConfig
from boxmask.pipeline.selective_search.search import selective_search
from boxmask.types import Detections, Target

DEFAULT_DELTA_STD = (0.1, 0.1, 0.2, 0.2)  # of all classes' deltas together; py-faster-rcnn


@dataclass(frozen=True)
class FastRCNNConfig:
    """The hyperparameters. The defaults suit small photos on a CPU; `presets.FAST_RCNN` has the paper's."""

    class_names: tuple[str, ...]
    backbone: str = "tf_efficientnet_lite0"
    # image
    shorter_side: int = 480  # section 4.1: 600
    longer_side: int = 800  # section 4.1: 1000
    antialias: bool = True
    multiple_of: int = 32
    # proposals
    search: SelectiveSearchConfig = MODES["fast"]  # section 4.1
    # features
    stride: int = 16  # of the map that all RoIs are pooled from; VGG16's conv5
    pool_size: int = 7  # section 2.1
    # heads
    hidden: int = 512  # features in each of the two FC layers; VGG16: 4096
    svd_ranks: tuple[int, int] | None = None  # truncated SVD of the FC layers; section 3.1: 1024, 256
    roi_iou: tuple[float, float] = (0.1, 0.5)  # background from 0.1 on, an object from 0.5 on; section 2.3
    roi_samples: int = 64  # RoIs per image in the loss; section 2.3
    roi_positive_fraction: float = 0.25  # section 2.3
    roi_beta: float = 1.0  # where smooth L1 becomes linear; equation 3
    # postprocess
    score_threshold: float = 0.05  # the authors' code
    nms_iou: float = 0.3  # the authors' code, as in R-CNN
    detections_per_image: int = 100  # the authors' code


class FastRCNN(Detector):
    """`predict` and `loss` follow the paper top to bottom; `forward` is the network, given proposals.

    backbone_weights: state dict of timm's network, or None for random weights
    """

    config: FastRCNNConfig
    delta_mean: Tensor
    delta_std: Tensor

    def __init__(self, config: FastRCNNConfig, backbone_weights: dict[str, Tensor] | None = None) -> None:
        super().__init__()
        self.config = config
        num_classes = len(config.class_names)
        self.backbone = Backbone(config.backbone, (config.stride,), backbone_weights)
        channels = self.backbone.channels[-1]
        self.box_head = BoxHead(channels, num_classes, config.pool_size, config.hidden, config.svd_ranks)
        load_vgg_classifier((self.box_head.fc6, self.box_head.fc7), backbone_weights)
        # per class, measured on the training set by `NormalizeTargets` before the first step (section 2.3)
        self.register_buffer("delta_mean", torch.zeros(num_classes, 4))
        self.register_buffer("delta_std", torch.tensor(DEFAULT_DELTA_STD).repeat(num_classes, 1))

    # ------------------------------------------------------------------ predict and loss

    @accepts_photos
    @torch.inference_mode()
    def predict(self, images: list[Tensor], proposals: list[Tensor] | None = None) -> list[Detections]:
        """Photos -> boxes, scores and labels of each, in pixels of the photo."""
        batch = self.prepare(images)
        rois = batch.rescale_boxes(proposals if proposals is not None else self.propose(images))
        class_logits, box_deltas = self(batch.pixels, rois)
        return self.postprocess(class_logits, box_deltas, rois, batch)

    def loss(
        self, images: list[Tensor], targets: list[Target], proposals: list[Tensor] | None = None
    ) -> dict[str, Tensor]:
        """The multi-task loss of section 2.3, at sampled proposals."""
        batch = self.prepare(images)
        rois = batch.rescale_boxes(proposals if proposals is not None else self.propose(images))
        c = self.config
        sampling = RoiSampling(c.roi_iou, c.roi_samples, c.roi_positive_fraction, len(c.class_names))
        sampled = sample_rois(rois, batch.rescale(targets), sampling)
        class_logits, box_deltas = self(batch.pixels, sampled.boxes)
        target_deltas = self.normalize_deltas(sampled.deltas, sampled.labels)
        return roi_loss(class_logits, box_deltas, sampled.labels, target_deltas, c.roi_beta, sampled.positive)

    def forward(self, pixels: Float[Tensor, "B 3 H W"], rois: list[Tensor]) -> tuple[Tensor, Tensor]:
        """Pixels and boxes B x (P, 4) -> logits (R, K + 1) and normalized deltas (R, K, 4)."""
        logits, deltas = self.box_head(self.pool(self.features(pixels), rois))
        return logits, deltas

    # ------------------------------------------------------------------ image

    def prepare(self, images: list[Tensor]) -> Batch:
        """Resize, normalize and pad."""
        return prepare(images, Preparation.from_config(self.config, self.backbone.mean, self.backbone.std))

    # ------------------------------------------------------------------ proposals

    def propose(self, images: list[Tensor]) -> list[Float[Tensor, "P 4"]]:
        """Selective Search in each photo, in pixels of the photo."""
        return [selective_search(image, self.config.search) for image in images]

    # ------------------------------------------------------------------ features

    def features(self, pixels: Tensor) -> Tensor:
        """(B, 3, H, W) -> the map that all RoIs share, (B, C, H / stride, W / stride)."""
        maps: list[Tensor] = self.backbone(pixels)
        return maps[0]

    # ------------------------------------------------------------------ RoI features

    def pool(self, features: Tensor, rois: list[Tensor]) -> Float[Tensor, "R C pool pool"]:
        """RoI max pooling (section 2.1); its gradient goes to the maxima (section 2.3)."""
        return roi_pool(features, rois, self.config.pool_size, 1 / self.config.stride)

    # ------------------------------------------------------------------ heads

    def normalize_deltas(
        self, deltas: Float[Tensor, "R 4"], labels: Int[Tensor, " R"]
    ) -> Float[Tensor, "R 4"]:
        """Normalize deltas to mean 0 and variance 1 by the class of each RoI (section 2.3)."""
        known = labels.clamp(max=len(self.delta_mean) - 1)
        return (deltas - self.delta_mean[known]) / self.delta_std[known]

    # ------------------------------------------------------------------ postprocess

    def postprocess(
        self, class_logits: Tensor, box_deltas: Tensor, rois: list[Tensor], batch: Batch
    ) -> list[Detections]:
        """Per class: decode, clip, threshold and NMS; then keep the top detections."""
        counts = [len(boxes) for boxes in rois]
        scores = class_logits.float().softmax(dim=1)[:, :-1].split(counts)
        deltas = (box_deltas.float() * self.delta_std + self.delta_mean).split(counts)
        sizes = zip(batch.sizes, batch.original_sizes, strict=True)
        per_photo = zip(rois, scores, deltas, sizes, strict=True)
        return [decode_and_nms(*photo, self.config) for photo in per_photo]


# ---------------------------------------------------------------------- loss (section 2.3)


def roi_loss(
    class_logits: Tensor,
    box_deltas: Tensor,
    labels: Int[Tensor, " R"],
    target_deltas: Tensor,
    beta: float,
    positive: Int[Tensor, " Q"],
) -> dict[str, Tensor]:
    """Equation 1: cross-entropy, and smooth L1 on the true class's deltas; means over the RoIs.

    positive: the RoIs that are objects
    """
    predicted = box_deltas[positive, labels[positive]]
    box_loss = F.smooth_l1_loss(predicted, target_deltas[positive], beta=beta, reduction="sum")
    class_loss = F.cross_entropy(class_logits, labels, reduction="sum")
    total = max(1, len(labels))
    return {"roi_class": class_loss / total, "roi_box": box_loss / total}


# ---------------------------------------------------------------------- truncated SVD (section 3.1)


def compress_with_svd(detector: object, svd_ranks: tuple[int, int]) -> None:
    """Replace fc6 and fc7 by two thin layers each: faster, and a little less accurate.

    Raises UsageError unless the detector is an uncompressed Fast R-CNN, and for ranks that are too large.
    """
    if not isinstance(detector, FastRCNN) or detector.config.svd_ranks:
        raise UsageError(
            "--svd (in Python: compress_with_svd) needs a Fast R-CNN that is not compressed yet. Use its "
            "checkpoint from training."
        )
    head = detector.box_head
    for rank, layer in zip(svd_ranks, (head.fc6, head.fc7), strict=True):
        max_rank = min(cast(nn.Linear, layer).weight.shape)
        if not 1 <= rank <= max_rank:
            name = "--svd (in Python: svd_ranks)"
            raise UsageError(f"{name}: expected ranks from 1 to {max_rank}, found {rank}")
    compress_head(head, svd_ranks)
    detector.config = replace(detector.config, svd_ranks=svd_ranks)
