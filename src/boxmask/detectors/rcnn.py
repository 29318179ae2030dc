"""R-CNN: Rich feature hierarchies for accurate object detection and semantic segmentation.

Girshick, Donahue, Darrell, Malik, CVPR 2014 (arXiv:1311.2524v5).

    image -> proposals (Selective Search) -> warped regions -> features -> SVMs, box regressors -> postprocess

What the paper introduces: a CNN that was pretrained to classify photos computes features of regions that may
hold an object; linear SVMs classify each region, and ridge regressions refine its box.

The CNN is fine-tuned by gradient descent with a softmax of its own. SVMs and regressors are then fitted to
its features (`training/rcnn/stages.py`). Until then, scores come from the softmax and boxes are not refined.

Shapes: B images, P proposals per image, R regions, K classes, F features in pool5, D in fc7.
Boxes:  xyxy, pixels of the resized image, until `postprocess` returns them in pixels of the photo.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from boxmask.detectors.contract import Detector
from boxmask.geometry.matching import BACKGROUND, match_boxes
from boxmask.geometry.sampling import sample_rows
from boxmask.photos.read import accepts_photos
from boxmask.pipeline.features.backbone import Backbone
from boxmask.pipeline.features.vgg_classifier import load_vgg_classifier
from boxmask.pipeline.images import Batch, Preparation, prepare
from boxmask.pipeline.layers import Linear
from boxmask.pipeline.postprocess import decode_and_nms
from boxmask.pipeline.selective_search.modes import MODES, SelectiveSearchConfig
from boxmask.pipeline.selective_search.search import selective_search
from boxmask.pipeline.warp import warp
from boxmask.types import Detections, Target


@dataclass(frozen=True)
class RCNNConfig:
    """The hyperparameters of the network; those of the SVMs and box regressors are in `training/rcnn/`.

    The defaults suit a CPU; `presets.RCNN` holds the paper's values.
    """

    class_names: tuple[str, ...]
    backbone: str = "tf_efficientnet_lite0"
    # image: the photo that regions are cropped from
    shorter_side: int = 480  # the paper does not resize
    longer_side: int = 800
    antialias: bool = True
    multiple_of: int = 1
    # proposals
    search: SelectiveSearchConfig = MODES["fast"]  # section 2.2
    # warped regions
    region_size: int = 96  # AlexNet: 227, VGG16: 224; a multiple of the backbone's coarsest stride
    context: int = 7  # pixels around a region, counted after warping; appendix A: 16 of 227
    region_batch_size: int = 128  # regions per pass through the CNN
    # features
    stride: int = 32  # of the last map, pool5
    hidden: int = 512  # features in fc6 and in fc7; AlexNet, VGG16: 4096
    # fine-tuning
    roi_iou: float = 0.5  # a region is an object from this IoU on; section 2.3
    positives_per_batch: int = 32  # section 2.3
    negatives_per_batch: int = 96  # section 2.3
    # postprocess
    pre_nms_top_k: int = 100  # per class and photo; the authors' code
    score_threshold: float = 0.0  # the authors' code; a rare class may have low scores only
    nms_iou: float = 0.3  # the authors' code
    detections_per_image: int = 100  # COCO evaluates 100; the authors' code: 100 per class


class RCNN(Detector):
    """`predict` and `loss` follow the paper top to bottom; `forward` computes features of warped regions.

    backbone_weights: state dict of timm's network, or None for random weights
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
        self.config = config
        num_classes = len(config.class_names)
        self.backbone = Backbone(config.backbone, (config.stride,), backbone_weights)
        side = config.region_size // config.stride
        pool5_features = self.backbone.channels[-1] * side * side
        self.fc6 = Linear(pool5_features, config.hidden)
        self.fc7 = Linear(config.hidden, config.hidden)
        self.logits = nn.Linear(config.hidden, num_classes + 1)  # section 2.3; background last
        nn.init.normal_(self.logits.weight, std=0.01)
        nn.init.zeros_(self.logits.bias)
        load_vgg_classifier((self.fc6, self.fc7), backbone_weights)
        self.register_buffer("svm_weights", torch.zeros(num_classes, config.hidden))
        self.register_buffer("svm_biases", torch.zeros(num_classes))
        slope_and_offset = torch.tensor([1.0, 0.0]).repeat(num_classes, 1)
        self.register_buffer("calibration", slope_and_offset)
        self.register_buffer("regressor_weights", torch.zeros(num_classes, 4, pool5_features))
        self.register_buffer("regressor_biases", torch.zeros(num_classes, 4))
        self.register_buffer("fitted", torch.tensor(False))  # True once the SVMs are fitted

    # ------------------------------------------------------------------ predict and loss

    @accepts_photos
    @torch.inference_mode()
    def predict(self, images: list[Tensor], proposals: list[Tensor] | None = None) -> list[Detections]:
        """Photos -> boxes, scores and labels of each, in pixels of the photo."""
        batch = self.prepare(images)
        rois = batch.rescale_boxes(proposals if proposals is not None else self.propose(images))
        detections = []
        for image, boxes in enumerate(rois):
            scores, deltas = self.score_regions(batch, image, boxes)
            detections.append(self.postprocess(scores, deltas, boxes, batch, image))
        return detections

    def loss(
        self, images: list[Tensor], targets: list[Target], proposals: list[Tensor] | None = None
    ) -> dict[str, Tensor]:
        """Cross-entropy of the (K + 1)-way softmax at sampled regions: the fine-tuning of section 2.3."""
        batch = self.prepare(images)
        rois = batch.rescale_boxes(proposals if proposals is not None else self.propose(images))
        regions, labels = self.sample_regions(batch, rois, batch.rescale(targets))
        _, fc7 = self(regions)
        loss = F.cross_entropy(self.logits(fc7), labels, reduction="sum") / max(1, len(labels))
        return {"region_class": loss}

    def forward(self, regions: Float[Tensor, "R 3 S S"]) -> tuple[Float[Tensor, "R F"], Float[Tensor, "R D"]]:
        """Warped regions -> pool5, which the box regressors read, and fc7, which the SVMs read."""
        maps: list[Tensor] = self.backbone(regions)
        pool5 = maps[-1].flatten(1)
        return pool5, F.relu(self.fc7(F.relu(self.fc6(pool5))))

    # ------------------------------------------------------------------ image

    def prepare(self, images: list[Tensor]) -> Batch:
        """Resize and normalize."""
        return prepare(images, Preparation.from_config(self.config, self.backbone.mean, self.backbone.std))

    # ------------------------------------------------------------------ proposals (section 2.1)

    def propose(self, images: list[Tensor]) -> list[Float[Tensor, "P 4"]]:
        """Selective Search in each photo, in pixels of the photo."""
        return [selective_search(image, self.config.search) for image in images]

    # ------------------------------------------------------------------ warped regions (appendix A)

    def warp(self, batch: Batch, image: int, boxes: Tensor) -> Float[Tensor, "P 3 S S"]:
        """Warp regions of one photo of the batch to the input size of the CNN."""
        c = self.config
        return warp(batch.pixels[image], batch.sizes[image], boxes, c.region_size, c.context)

    # ------------------------------------------------------------------ features (section 2.1)

    @torch.no_grad()
    def extract_features(self, batch: Batch, image: int, boxes: Tensor) -> tuple[Tensor, Tensor]:
        """Compute pool5 (P, F) and fc7 (P, D) of regions of one photo of the batch."""
        chunks = boxes.split(self.config.region_batch_size)
        pool5, fc7 = zip(*(self(self.warp(batch, image, chunk)) for chunk in chunks), strict=True)
        return torch.cat(pool5), torch.cat(fc7)

    # ------------------------------------------------------------------ heads (section 2.2, appendices B, C)

    def score_regions(self, batch: Batch, image: int, boxes: Tensor) -> tuple[Tensor, Tensor]:
        """Scores (P, K) and deltas (P, K, 4) of regions of one photo, without keeping their features."""
        scores, deltas = [], []
        for chunk in boxes.split(self.config.region_batch_size):
            pool5, fc7 = self.extract_features(batch, image, chunk)
            scores.append(self.scores(fc7))
            deltas.append(self.deltas(pool5))
        return torch.cat(scores), torch.cat(deltas)

    def svm_margins(self, fc7: Float[Tensor, "P D"]) -> Float[Tensor, "P K"]:
        """Signed distance of each region from each class's SVM, in units of the margin."""
        return F.linear(fc7, self.svm_weights, self.svm_biases)

    def scores(self, fc7: Float[Tensor, "P D"]) -> Float[Tensor, "P K"]:
        """SVM margins as probabilities (Platt 1999), or softmax scores until the SVMs are fitted."""
        if not self.fitted:
            logits: Tensor = self.logits(fc7)
            return logits.float().softmax(dim=1)[:, :-1]
        return torch.sigmoid(self.svm_margins(fc7).float() * self.calibration[:, 0] + self.calibration[:, 1])

    def deltas(self, pool5: Float[Tensor, "P F"]) -> Float[Tensor, "P K 4"]:
        """The deltas of each class's box regressor (appendix C)."""
        weights, biases = self.regressor_weights.flatten(0, 1), self.regressor_biases.flatten()
        deltas: Tensor = F.linear(pool5, weights, biases).unflatten(1, (len(self.regressor_biases), 4))
        return deltas

    # ------------------------------------------------------------------ postprocess (section 2.2)

    def postprocess(
        self, scores: Tensor, deltas: Tensor, boxes: Tensor, batch: Batch, image: int
    ) -> Detections:
        """Keep the top regions per class, refine, clip and NMS; then keep the top detections."""
        top_k = min(self.config.pre_nms_top_k, len(boxes))
        lowest = scores.topk(top_k, dim=0).values[-1:] if top_k else scores[:1]
        sizes = (batch.sizes[image], batch.original_sizes[image])
        return decode_and_nms(boxes, scores.where(scores >= lowest, 0.0), deltas, sizes, self.config)

    # ------------------------------------------------------------------ loss (section 2.3)

    @torch.no_grad()
    def sample_regions(
        self, batch: Batch, rois: list[Tensor], targets: list[Target]
    ) -> tuple[Float[Tensor, "R 3 S S"], Int[Tensor, " R"]]:
        """Sample objects and background from all photos of the batch: warped regions and their labels."""
        c = self.config
        per_photo = [self._label_regions(boxes, target) for boxes, target in zip(rois, targets, strict=True)]
        labels = torch.cat([label for _, label in per_photo])
        is_object = labels < len(c.class_names)
        objects = sample_rows(torch.where(is_object)[0], c.positives_per_batch)
        background = sample_rows(torch.where(~is_object)[0], c.negatives_per_batch)
        sampled = torch.cat([objects, background])
        images = torch.cat([torch.full_like(label, i) for i, (_, label) in enumerate(per_photo)])[sampled]
        boxes = torch.cat([boxes for boxes, _ in per_photo])[sampled]
        regions = [self.warp(batch, i, boxes[images == i]) for i in range(len(rois))]
        return torch.cat(regions), torch.cat([labels[sampled][images == i] for i in range(len(rois))])

    def _label_regions(self, boxes: Tensor, target: Target) -> tuple[Tensor, Tensor]:
        """Proposals and ground-truth boxes with their labels (background: K), without those to ignore."""
        iou = self.config.roi_iou
        boxes = torch.cat([boxes, target.boxes[~target.ignore]])
        matched = match_boxes(boxes, target.boxes, target.ignore, (iou, iou), allow_low_quality=False)
        background = torch.full_like(matched, len(self.config.class_names))
        is_object = matched >= 0
        labels = background.clone()
        labels[is_object] = target.labels[matched[is_object]]
        known = is_object | (matched == BACKGROUND)
        return boxes[known], labels[known]
