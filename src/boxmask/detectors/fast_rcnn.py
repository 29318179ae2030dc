"""Fast R-CNN.

Girshick, ICCV 2015 (arXiv:1504.08083).

    image -> proposals (Selective Search) -> features -> RoI features -> heads -> postprocess

What the paper adds to R-CNN: the CNN runs once over the photo instead of once over each of two thousand
regions; RoI pooling cuts the regions out of its feature map; and one network, trained in one stage, does what
SVMs and box regressors did.

Shapes: B images, P proposals in an image, R RoIs in the batch, K classes; the background is the last logit.
Boxes:  xyxy, pixels of the resized image, until `postprocess` returns them to the photo's own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple, cast

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from boxmask.detectors.contract import Detector
from boxmask.errors import UsageError
from boxmask.geometry.boxes import encode
from boxmask.geometry.matching import BACKGROUND, IGNORE, match_boxes, sample
from boxmask.kernels import roi_pool
from boxmask.photos.read import accepts_photos
from boxmask.pipeline.features.backbone import Backbone
from boxmask.pipeline.features.vgg_classifier import load_vgg_classifier
from boxmask.pipeline.heads.box import BoxHead, compress_head
from boxmask.pipeline.images import Batch, Preparation, prepare
from boxmask.pipeline.postprocess import decode_and_nms
from boxmask.pipeline.selective_search.modes import MODES, PAPER_MODES, SelectiveSearchConfig
from boxmask.pipeline.selective_search.search import selective_search
from boxmask.types import Detections, Target


@dataclass(frozen=True)
class FastRCNNConfig:
    """Every number of the method; the defaults suit small photos on a CPU, PRESETS hold the paper's own."""

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
    stride: int = 16  # of the one map that all RoIs are read from; VGG16's conv5
    pool_size: int = 7  # section 2.1
    # heads
    hidden: int = 512  # of the two FC layers; VGG16: 4096
    svd_ranks: tuple[int, int] | None = None  # of the two FC layers, section 3.1; VGG16: 1024 and 256
    roi_iou: tuple[float, float] = (0.1, 0.5)  # background from the first on, an object from the second; 2.3
    roi_samples: int = 64  # RoIs an image in the loss; section 2.3
    roi_positive_fraction: float = 0.25  # section 2.3
    roi_beta: float = 1.0  # where smooth L1 becomes linear; equation 3
    # postprocess
    score_threshold: float = 0.05  # the authors' code
    nms_iou: float = 0.3  # the authors' code, as in R-CNN
    detections_per_image: int = 100  # the authors' code


DEFAULT_DELTA_STD = (0.1, 0.1, 0.2, 0.2)  # of all classes' deltas together; py-faster-rcnn

PRESETS: dict[str, dict[str, object]] = {
    "default": {},
    "paper": {  # sections 2 and 4, with VGG16
        "backbone": "vgg16",
        "shorter_side": 600,
        "longer_side": 1000,
        "antialias": False,
        "search": PAPER_MODES["fast"],
        "multiple_of": 16,
        "hidden": 4096,
    },
}


class FastRCNN(Detector):
    """`predict` and `loss` read top to bottom like the paper; `forward` is the network behind the proposals.

    backbone_weights: a state dict of timm's network, or None for random numbers
    """

    config: FastRCNNConfig
    delta_mean: Tensor
    delta_std: Tensor

    def __init__(self, config: FastRCNNConfig, backbone_weights: dict[str, Tensor] | None = None) -> None:
        super().__init__()
        self.config, count = config, len(config.class_names)
        self.backbone = Backbone(config.backbone, (config.stride,), backbone_weights)
        channels = self.backbone.channels[-1]
        self.box_head = BoxHead(channels, count, config.pool_size, config.hidden, config.svd_ranks)
        load_vgg_classifier((self.box_head.fc6, self.box_head.fc7), backbone_weights)
        # of each class's deltas (section 2.3); about this, until `delta_spread` has seen the training set
        self.register_buffer("delta_mean", torch.zeros(count, 4))
        self.register_buffer("delta_std", torch.tensor(DEFAULT_DELTA_STD).repeat(count, 1))

    # ------------------------------------------------------------------ the two ways through

    @accepts_photos
    @torch.inference_mode()
    def predict(self, images: list[Tensor], proposals: list[Tensor] | None = None) -> list[Detections]:
        """Photos -> boxes, scores and labels of each, in its own pixels."""
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
        how = Sampling(c.roi_iou, c.roi_samples, c.roi_positive_fraction, len(c.class_names))
        drawn = sample_rois(rois, batch.rescale(targets), how)
        class_logits, box_deltas = self(batch.pixels, drawn.boxes)
        wanted = self.normalize_deltas(drawn.deltas, drawn.labels)
        return roi_loss(class_logits, box_deltas, drawn.labels, wanted, c.roi_beta)

    def forward(self, pixels: Float[Tensor, "B 3 H W"], rois: list[Tensor]) -> tuple[Tensor, Tensor]:
        """Pixels and boxes B x (P, 4) -> logits (R, K + 1) and normalized deltas (R, K, 4)."""
        logits, deltas = self.box_head(self.pool(self.features(pixels), rois))
        return logits, deltas

    # ------------------------------------------------------------------ image

    def prepare(self, images: list[Tensor]) -> Batch:
        """Resize, normalize and pad."""
        return prepare(images, Preparation.of(self.config, self.backbone.mean, self.backbone.std))

    # ------------------------------------------------------------------ proposals

    def propose(self, images: list[Tensor]) -> list[Float[Tensor, "P 4"]]:
        """Selective Search in each photo, in its own pixels."""
        return [selective_search(image, self.config.search) for image in images]

    # ------------------------------------------------------------------ features

    def features(self, pixels: Tensor) -> Tensor:
        """(B, 3, H, W) -> the one map that all RoIs share, (B, C, H / stride, W / stride)."""
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
        """Deltas of mean 0 and variance 1 (section 2.3), by the class of each RoI; the background's stay."""
        known = labels.clamp(max=len(self.delta_mean) - 1)
        return (deltas - self.delta_mean[known]) / self.delta_std[known]

    # ------------------------------------------------------------------ postprocess

    def postprocess(
        self, class_logits: Tensor, box_deltas: Tensor, rois: list[Tensor], batch: Batch
    ) -> list[Detections]:
        """Per class: decode, clip, threshold, NMS; then the best few, in the photo's own pixels."""
        counts = [len(boxes) for boxes in rois]
        scores = class_logits.float().softmax(dim=1)[:, :-1].split(counts)
        deltas = (box_deltas.float() * self.delta_std + self.delta_mean).split(counts)
        sizes = zip(batch.sizes, batch.original_sizes, strict=True)
        return [decode_and_nms(*one, self.config) for one in zip(rois, scores, deltas, sizes, strict=True)]


# ---------------------------------------------------------------------- loss (sections 2.3 and 2.4)


class Sampling(NamedTuple):
    """How RoIs are drawn for the loss.

    iou:        background from the first on, an object from the second on
    background: the label of what is no object, K
    """

    iou: tuple[float, float]
    samples: int
    positive_fraction: float
    background: int


class SampledRois(NamedTuple):
    """RoIs of the loss, and what is to be learned at each.

    boxes:   of each photo, B x (S, 4)
    labels:  K: background
    deltas:  that lead to the RoI's object; zeros where there is none
    objects: the row of the object in its photo's target, or BACKGROUND
    """

    boxes: list[Float[Tensor, "S 4"]]
    labels: Int[Tensor, " R"]
    deltas: Float[Tensor, "R 4"]
    objects: Int[Tensor, " R"]


@torch.no_grad()
def sample_rois(proposals: list[Tensor], targets: list[Target], how: Sampling) -> SampledRois:
    """Sampled proposals, objects first in each photo.

    The ground truth joins the proposals, so that there are positives early on (the authors' code).
    """
    kept, labels, deltas, objects = [], [], [], []
    for boxes, target in zip(proposals, targets, strict=True):
        boxes = torch.cat([boxes, target.boxes[~target.ignore]])
        matched = match_rois(boxes, target, how.iou)
        positive, negative = sample(matched, how.samples, how.positive_fraction)
        answers = matched[positive]
        kept.append(boxes[torch.cat([positive, negative])])
        labels.append(torch.cat([target.labels[answers], torch.full_like(negative, how.background)]))
        wanted = encode(boxes[positive], target.boxes[answers])
        deltas.append(torch.cat([wanted, wanted.new_zeros(len(negative), 4)]))
        objects.append(torch.cat([answers, torch.full_like(negative, BACKGROUND)]))
    return SampledRois(kept, torch.cat(labels), torch.cat(deltas), torch.cat(objects))


def match_rois(boxes: Tensor, target: Target, iou: tuple[float, float]) -> Int[Tensor, " P"]:
    """A row of `target` for each box, or BACKGROUND, or IGNORE where it is too far from every object.

    What is near an object teaches more than what is not (section 2.3: "a heuristic for hard example mining").
    In a photo without objects everything is background.
    """
    low, high = iou
    matched = match_boxes(boxes, target.boxes, target.ignore, (high, high), allow_low_quality=False)
    if low > 0 and not target.ignore.all():
        near = match_boxes(boxes, target.boxes, target.ignore, (low, low), allow_low_quality=False) >= 0
        matched[(matched == BACKGROUND) & ~near] = IGNORE
    return matched


def roi_loss(
    class_logits: Tensor, box_deltas: Tensor, labels: Tensor, wanted: Tensor, beta: float
) -> dict[str, Tensor]:
    """Equation 1: log loss on all, smooth L1 on the deltas of the true class; over the number of RoIs."""
    positive = torch.where(labels < class_logits.shape[1] - 1)[0]
    predicted = box_deltas[positive, labels[positive]]
    box_loss = F.smooth_l1_loss(predicted, wanted[positive], beta=beta, reduction="sum")
    class_loss = F.cross_entropy(class_logits, labels, reduction="sum")
    total = max(1, len(labels))
    return {"roi_class": class_loss / total, "roi_box": box_loss / total}


# ---------------------------------------------------------------------- truncated SVD (section 3.1)


def compress_with_svd(detector: nn.Module, svd_ranks: tuple[int, int]) -> None:
    """Put two thin layers in the place of fc6 and of fc7, of these ranks: quicker, a little less precise.

    Raises UsageError for a detector that is no Fast R-CNN, or ranks that its layers do not have.
    """
    if not isinstance(detector, FastRCNN) or detector.config.svd_ranks:
        raise UsageError("--svd is for a Fast R-CNN whose layers are as they were trained")
    head = detector.box_head
    for rank, layer in zip(svd_ranks, (head.fc6, head.fc7), strict=True):
        most = min(cast(nn.Linear, layer).weight.shape)
        if not 1 <= rank <= most:
            raise UsageError(f"--svd: expected ranks from 1 to {most}, found {rank}")
    compress_head(head, svd_ranks)
    detector.config = replace(detector.config, svd_ranks=svd_ranks)
