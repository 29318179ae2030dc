"""R-CNN: Rich feature hierarchies for accurate object detection and semantic segmentation.

Girshick, Donahue, Darrell, Malik, CVPR 2014 (arXiv:1311.2524v5).

    image -> proposals (Selective Search) -> warped regions -> features -> SVMs, box regressors -> postprocess

What the paper began: a CNN that was trained to classify photos describes regions that may hold an object;
linear SVMs say what is in each, ridge regressions move its box.

The CNN is fine-tuned by gradient descent, on its own softmax; SVMs and regressors are then fitted to its
features (`training/rcnn/stages.py`). Until that is done, the softmax scores and boxes stay as they are.

Shapes: B images, P proposals in an image, R regions, K classes, F numbers of pool5, D of fc7.
Boxes:  xyxy, pixels of the resized image, until `postprocess` returns them to the photo's own.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from boxmask.detectors.contract import Detector
from boxmask.geometry.matching import BACKGROUND, match_boxes, sample_rows
from boxmask.photos.read import accepts_photos
from boxmask.pipeline.features.backbone import Backbone
from boxmask.pipeline.features.vgg_classifier import load_vgg_classifier
from boxmask.pipeline.images import Batch, Preparation, prepare
from boxmask.pipeline.layers import Linear
from boxmask.pipeline.postprocess import decode_and_nms
from boxmask.pipeline.selective_search.modes import MODES, PAPER_MODES, SelectiveSearchConfig
from boxmask.pipeline.selective_search.search import selective_search
from boxmask.pipeline.warp import warp
from boxmask.types import Detections, Target


@dataclass(frozen=True)
class RCNNConfig:
    """The hyperparameters of the network. Those of the SVMs and box regressors are in `training/rcnn/`.

    The defaults here suit a CPU; PRESETS holds the paper's.
    """

    class_names: tuple[str, ...]
    backbone: str = "tf_efficientnet_lite0"
    # image: the photo that regions are cut out of
    shorter_side: int = 480  # the paper: as it is
    longer_side: int = 800
    antialias: bool = True
    multiple_of: int = 1
    # proposals
    search: SelectiveSearchConfig = MODES["fast"]  # section 2.2
    # warped regions
    region_size: int = 96  # AlexNet: 227, VGG16: 224; a multiple of the backbone's coarsest stride
    context: int = 7  # pixels around a region, counted in the warped one; appendix A: 16 of 227
    region_batch_size: int = 128  # through the CNN
    # features
    stride: int = 32  # of the last map, pool5
    hidden: int = 512  # numbers of fc6 and of fc7; AlexNet, VGG16: 4096
    # fine-tuning
    roi_iou: float = 0.5  # an object from here on; section 2.3
    positives_per_batch: int = 32  # regions of a batch; section 2.3
    negatives_per_batch: int = 96  # the same
    # postprocess
    pre_nms_top_k: int = 100  # the best of a photo that NMS sees; the authors' code
    score_threshold: float = 0.0  # the same: the best of a rare class have low scores, too
    nms_iou: float = 0.3  # the authors' code
    detections_per_image: int = 100  # COCO judges so many; the authors' code: 100 a class


PRESETS: dict[str, dict[str, object]] = {
    "default": {},
    "paper": {  # with VGG16 ("O-Net", section 3.3)
        "backbone": "vgg16",
        "shorter_side": 600,
        "longer_side": 1000,
        "antialias": False,
        "search": PAPER_MODES["fast"],
        "region_size": 224,
        "context": 16,
        "hidden": 4096,
    },
}


class RCNN(Detector):
    """`predict` and `loss` read top to bottom like the paper; `forward` describes warped regions.

    backbone_weights: a state dict of timm's network, or None for random numbers
    """

    config: RCNNConfig
    svm_weights: Tensor
    svm_biases: Tensor
    calibration: Tensor
    regressor_weights: Tensor
    regressor_biases: Tensor
    fitted: Tensor

    def __init__(self, config: RCNNConfig, backbone_weights: dict[str, Tensor] | None = None) -> None:
        super().__init__()
        self.config, count = config, len(config.class_names)
        self.backbone = Backbone(config.backbone, (config.stride,), backbone_weights)
        side = config.region_size // config.stride
        numbers = self.backbone.channels[-1] * side * side
        self.fc6 = Linear(numbers, config.hidden)
        self.fc7 = Linear(config.hidden, config.hidden)
        self.logits = nn.Linear(config.hidden, count + 1)  # section 2.3; the background is the last
        nn.init.normal_(self.logits.weight, std=0.01)
        nn.init.zeros_(self.logits.bias)
        load_vgg_classifier((self.fc6, self.fc7), backbone_weights)
        self.register_buffer("svm_weights", torch.zeros(count, config.hidden))
        self.register_buffer("svm_biases", torch.zeros(count))
        self.register_buffer("calibration", torch.tensor([1.0, 0.0]).repeat(count, 1))  # slope, offset
        self.register_buffer("regressor_weights", torch.zeros(count, 4, numbers))
        self.register_buffer("regressor_biases", torch.zeros(count, 4))
        self.register_buffer("fitted", torch.tensor(False))  # whether the SVMs are

    # ------------------------------------------------------------------ the two ways through

    @accepts_photos
    @torch.inference_mode()
    def predict(self, images: list[Tensor], proposals: list[Tensor] | None = None) -> list[Detections]:
        """Photos -> boxes, scores and labels of each, in its own pixels."""
        batch = self.prepare(images)
        rois = batch.rescale_boxes(proposals if proposals is not None else self.propose(images))
        judged = [self.score_regions(batch, image, boxes) for image, boxes in enumerate(rois)]
        return [self.postprocess(*one, rois[image], batch, image) for image, one in enumerate(judged)]

    def loss(
        self, images: list[Tensor], targets: list[Target], proposals: list[Tensor] | None = None
    ) -> dict[str, Tensor]:
        """Log loss of the (K + 1)-way softmax at sampled regions: the fine-tuning of section 2.3."""
        batch = self.prepare(images)
        rois = batch.rescale_boxes(proposals if proposals is not None else self.propose(images))
        regions, labels = self.sample_regions(batch, rois, batch.rescale(targets))
        _, fc7 = self(regions)
        loss = F.cross_entropy(self.logits(fc7), labels, reduction="sum") / max(1, len(labels))
        return {"region_class": loss}

    def forward(self, regions: Float[Tensor, "R 3 S S"]) -> tuple[Float[Tensor, "R F"], Float[Tensor, "R D"]]:
        """Warped regions -> pool5, which moves boxes, and fc7, which tells classes apart."""
        maps: list[Tensor] = self.backbone(regions)
        pool5 = maps[-1].flatten(1)
        return pool5, F.relu(self.fc7(F.relu(self.fc6(pool5))))

    # ------------------------------------------------------------------ image

    def prepare(self, images: list[Tensor]) -> Batch:
        """Resize and normalize."""
        return prepare(images, Preparation.of(self.config, self.backbone.mean, self.backbone.std))

    # ------------------------------------------------------------------ proposals (section 2.1)

    def propose(self, images: list[Tensor]) -> list[Float[Tensor, "P 4"]]:
        """Selective Search in each photo, in its own pixels."""
        return [selective_search(image, self.config.search) for image in images]

    # ------------------------------------------------------------------ warped regions (appendix A)

    def warp(self, batch: Batch, image: int, boxes: Tensor) -> Float[Tensor, "P 3 S S"]:
        """Regions of one photo of the batch, each of the one size that the CNN takes."""
        c = self.config
        return warp(batch.pixels[image], batch.sizes[image], boxes, c.region_size, c.context)

    # ------------------------------------------------------------------ features (section 2.1)

    @torch.no_grad()
    def extract_features(self, batch: Batch, image: int, boxes: Tensor) -> tuple[Tensor, Tensor]:
        """pool5 (P, F) and fc7 (P, D) of regions of one photo of the batch, some at a time."""
        parts = boxes.split(self.config.region_batch_size)
        pool5, fc7 = zip(*(self(self.warp(batch, image, part)) for part in parts), strict=True)
        return torch.cat(pool5), torch.cat(fc7)

    # ------------------------------------------------------------------ heads (section 2.2, appendices B, C)

    def score_regions(self, batch: Batch, image: int, boxes: Tensor) -> tuple[Tensor, Tensor]:
        """Scores (P, K) and deltas (P, K, 4) of regions of one photo; their features are not kept."""
        parts = []
        for part in boxes.split(self.config.region_batch_size):
            pool5, fc7 = self.extract_features(batch, image, part)
            parts.append((self.scores(fc7), self.deltas(pool5)))
        scores, deltas = zip(*parts, strict=True)
        return torch.cat(scores), torch.cat(deltas)

    def svm_margins(self, fc7: Float[Tensor, "P D"]) -> Float[Tensor, "P K"]:
        """What each class's SVM says of each region: its signed distance, in units of the margin."""
        return F.linear(fc7, self.svm_weights, self.svm_biases)

    def scores(self, fc7: Float[Tensor, "P D"]) -> Float[Tensor, "P K"]:
        """Margins as probabilities, in the same order (Platt 1999); the softmax before there are SVMs."""
        if not self.fitted:
            logits: Tensor = self.logits(fc7)
            return logits.float().softmax(dim=1)[:, :-1]
        return torch.sigmoid(self.svm_margins(fc7).float() * self.calibration[:, 0] + self.calibration[:, 1])

    def deltas(self, pool5: Float[Tensor, "P F"]) -> Float[Tensor, "P K 4"]:
        """Each class's regression (appendix C)."""
        weights, biases = self.regressor_weights.flatten(0, 1), self.regressor_biases.flatten()
        deltas: Tensor = F.linear(pool5, weights, biases).unflatten(1, (-1, 4))
        return deltas

    # ------------------------------------------------------------------ postprocess (section 2.2)

    def postprocess(
        self, scores: Tensor, deltas: Tensor, boxes: Tensor, batch: Batch, image: int
    ) -> Detections:
        """Per class: the best regions, moved, clipped, NMS; then the best few, in the photo's own pixels."""
        few = min(self.config.pre_nms_top_k, len(boxes))
        last = scores.topk(few, dim=0).values[-1:] if few else scores[:1]
        sizes = (batch.sizes[image], batch.original_sizes[image])
        return decode_and_nms(boxes, scores.where(scores >= last, 0.0), deltas, sizes, self.config)

    # ------------------------------------------------------------------ loss (section 2.3)

    @torch.no_grad()
    def sample_regions(
        self, batch: Batch, rois: list[Tensor], targets: list[Target]
    ) -> tuple[Float[Tensor, "R 3 S S"], Int[Tensor, " R"]]:
        """32 regions that hold an object and 96 that do not, from all photos of the batch; their labels."""
        c = self.config
        per_photo = [self._label_regions(boxes, target) for boxes, target in zip(rois, targets, strict=True)]
        labels = torch.cat([label for _, label in per_photo])
        is_object = labels < len(c.class_names)
        objects, rest = torch.where(is_object)[0], torch.where(~is_object)[0]
        chosen = torch.cat(
            [sample_rows(objects, c.positives_per_batch), sample_rows(rest, c.negatives_per_batch)]
        )
        images = torch.cat([torch.full_like(label, i) for i, (_, label) in enumerate(per_photo)])[chosen]
        boxes = torch.cat([boxes for boxes, _ in per_photo])[chosen]
        regions = [self.warp(batch, i, boxes[images == i]) for i in range(len(rois))]
        return torch.cat(regions), torch.cat([labels[chosen][images == i] for i in range(len(rois))])

    def _label_regions(self, boxes: Tensor, target: Target) -> tuple[Tensor, Tensor]:
        """Proposals and ground truth that are an object (0..K-1) or background (K)."""
        iou = self.config.roi_iou
        boxes = torch.cat([boxes, target.boxes[~target.ignore]])
        matched = match_boxes(boxes, target.boxes, target.ignore, (iou, iou), allow_low_quality=False)
        background = torch.full_like(matched, len(self.config.class_names))
        is_object = matched >= 0
        labels = background.clone()
        labels[is_object] = target.labels[matched[is_object]]
        known = is_object | (matched == BACKGROUND)
        return boxes[known], labels[known]
