"""Mask R-CNN.

He, Gkioxari, Dollár, Girshick, ICCV 2017 (arXiv:1703.06870).

    image -> features -> proposals (RPN) -> RoI features -> heads -> postprocess -> masks

What the paper adds to Faster R-CNN: a third branch that predicts each object's mask, from RoI features that
RoIAlign reads without rounding. Classes do not compete for pixels: the box branch decides the class, and the
mask branch predicts one mask per class. It is trained at RoIs that hold an object with a known mask; photos
with boxes alone train the rest of the network.

Shapes: B images, R RoIs in the batch, Q of them with a mask target, K classes; an RoI is pooled to m x m
        (`mask_pool_size`), and its mask has M x M pixels, M = 2 m.
Boxes:  xyxy, pixels of the resized image. Masks: pixels of the original photo, in training and prediction;
        RoIs are rescaled to it, because resizing a mask would round its outline. In training, photos are
        resized before they get here, so that both sizes are the same.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional as F

from boxmask.detectors.contract import Detector
from boxmask.detectors.faster_rcnn import FasterRCNN, FasterRCNNConfig
from boxmask.geometry.boxes import rescale
from boxmask.kernels import mask_targets, paste_masks
from boxmask.masks import Masks, Size
from boxmask.photos.read import accepts_photos
from boxmask.pipeline.features.fpn import align
from boxmask.pipeline.heads.mask import MaskHead
from boxmask.pipeline.images import Batch
from boxmask.pipeline.roi_sampling import SampledRois
from boxmask.types import Detections, Target


@dataclass(frozen=True)
class MaskRCNNConfig(FasterRCNNConfig):
    """Faster R-CNN's hyperparameters and those of the mask branch; `presets.MASK_RCNN` has the paper's."""

    mask_pool_size: int = 14  # of RoI features; the mask has 28 x 28 pixels; figure 4
    mask_sampling_ratio: int = 2  # RoIAlign's samples per bin and axis; section 3, "RoIAlign"
    mask_depth: int = 2  # 3x3 convolutions before the transposed convolution; figure 4: 4
    mask_channels: int = 128  # of each of them; figure 4: 256
    mask_threshold: float = 0.5  # pixels above it belong to the object; section 3.1, "Inference"


class MaskRCNN(Detector):
    """A Faster R-CNN and a mask branch that reads the same features.

    The names of the Faster R-CNN's weights have the prefix "boxes.", so that those of a trained one can be
    copied.

    backbone_weights: state dict of timm's network, or None for random weights
    """

    config: MaskRCNNConfig

    def __init__(self, config: MaskRCNNConfig, backbone_weights: dict[str, Tensor] | None = None) -> None:
        super().__init__()
        self.config = config
        self.boxes = FasterRCNN(config, backbone_weights)
        channels = config.channels or self.boxes.backbone.channels[-1]
        num_classes = len(config.class_names)
        self.mask_head = MaskHead(channels, config.mask_channels, config.mask_depth, num_classes)

    def freeze(self, stages: int) -> None:
        """Freeze the first `stages` stages of the backbone in training."""
        self.boxes.freeze(stages)

    # ------------------------------------------------------------------ predict and loss

    @accepts_photos
    @torch.inference_mode()
    def predict(self, images: list[Tensor], proposals: list[Tensor] | None = None) -> list[Detections]:
        """Photos -> boxes, scores, labels and masks of each, in pixels of the photo."""
        batch = self.boxes.prepare(images)
        features = self.boxes.features(batch.pixels)
        return self.add_masks(features, self.boxes.detect(features, batch, proposals), batch)

    def loss(
        self, images: list[Tensor], targets: list[Target], proposals: list[Tensor] | None = None
    ) -> dict[str, Tensor]:
        """L_cls + L_box + L_mask (section 3), and the two losses of the RPN.

        Raises ValueError for masks whose size is not that of their photo.
        """
        batch = self.boxes.prepare(images)
        features = self.boxes.features(batch.pixels)
        losses, sampled = self.boxes.loss_from_features(features, batch, batch.rescale(targets), proposals)
        return {**losses, "mask": self.mask_loss(features, sampled, targets, batch)}

    def forward(self, pixels: Float[Tensor, "B 3 H W"]) -> tuple[list[Tensor], list[Tensor], list[Tensor]]:
        """The dense part, Faster R-CNN's: pixels -> features, objectness logits and deltas of every level."""
        dense: tuple[list[Tensor], list[Tensor], list[Tensor]] = self.boxes(pixels)
        return dense

    # ------------------------------------------------------------------ RoI features (section 3, "RoIAlign")

    def pool(self, features: list[Tensor], rois: list[Tensor]) -> Float[Tensor, "R C m m"]:
        """Pool each box to a map that is finer than the box branch's."""
        c = self.config
        return align(features, rois, c.strides, c.canonical_size, (c.mask_pool_size, c.mask_sampling_ratio))

    # ------------------------------------------------------------------ masks (section 3.1, "Inference")

    def add_masks(
        self, features: list[Tensor], detections: list[Detections], batch: Batch
    ) -> list[Detections]:
        """Run the mask branch on the detections after NMS, each in its predicted class only."""
        device = features[0].device
        boxes = [torch.from_numpy(photo.boxes) for photo in detections]
        rois = batch.rescale_boxes(boxes)
        labels = torch.cat([torch.from_numpy(photo.labels) for photo in detections])
        logits = self.mask_head(self.pool(features, rois), labels.to(device, non_blocking=True))
        scores = logits.float().sigmoid().cpu().split([len(photo) for photo in detections])
        with_masks = []
        for photo, in_photo, score in zip(detections, boxes, scores, strict=True):
            masks = paste_masks(score, in_photo, photo.size, self.config.mask_threshold)
            with_masks.append(replace(photo, masks=masks))
        return with_masks

    # ------------------------------------------------------------------ loss (section 3)

    def mask_loss(
        self, features: list[Tensor], sampled: SampledRois, targets: list[Target], batch: Batch
    ) -> Tensor:
        """Mean binary cross-entropy over all pixels of the true class's masks.

        Zero, with a gradient of zero, if no sampled RoI has a mask target.
        """
        rois, labels, masks = self.mask_targets(sampled, targets, batch)
        logits = self.mask_head(self.pool(features, rois), labels)
        total = F.binary_cross_entropy_with_logits(logits, masks.to(logits.dtype), reduction="sum")
        return total / max(1, masks.numel())

    @torch.no_grad()
    def mask_targets(
        self, sampled: SampledRois, targets: list[Target], batch: Batch
    ) -> tuple[list[Tensor], Int[Tensor, " Q"], Float[Tensor, "Q M M"]]:
        """Boxes, labels and mask targets of the sampled RoIs whose object has a known mask.

        The target is the intersection of the object's mask with the RoI (section 3.1, "Training").
        """
        device, counts = sampled.labels.device, [len(boxes) for boxes in sampled.boxes]
        rois = torch.cat(sampled.boxes)
        with_objects = torch.cat([rois, sampled.objects[:, None].to(rois.dtype)], dim=1).cpu()  # as masks are
        boxes, objects = with_objects[:, :4].split(counts), with_objects[:, 4].long().split(counts)
        side, first, kept, crops = 2 * self.config.mask_pool_size, 0, [], []
        for image, target in enumerate(targets):
            size, original = batch.sizes[image], batch.original_sizes[image]
            masks = _masks_of(target, original)
            row = torch.where(objects[image] >= 0)[0]
            row = row[torch.as_tensor(masks.known)[objects[image][row]]]
            in_photo = rescale(boxes[image][row], size, original)
            crops.append(mask_targets(masks, objects[image][row], in_photo, side))
            kept.append(first + row)
            first += counts[image]
        rows = torch.cat(kept).to(device, non_blocking=True)
        per_image = rois[rows].split([len(row) for row in kept])
        return list(per_image), sampled.labels[rows], torch.cat(crops).to(device, non_blocking=True)


def _masks_of(target: Target, size: Size) -> Masks:
    """The masks of a photo of `size`; all unknown if its labels have boxes only."""
    masks = target.masks if target.masks is not None else Masks.unknown(len(target.boxes), size)
    if masks.size != size:
        raise ValueError(f"masks: expected size (height, width) {size}, found {masks.size}")
    return masks
