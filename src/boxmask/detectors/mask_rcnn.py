"""Mask R-CNN.

He, Gkioxari, Dollár, Girshick, ICCV 2017 (arXiv:1703.06870).

    image -> features -> proposals (RPN) -> RoI features -> heads -> postprocess -> masks

What the paper adds to Faster R-CNN: a third branch that draws each object's outline, from RoI features that
RoIAlign reads without any rounding. Classes do not compete for pixels: the box branch says what it is, the
mask branch where, in a mask of each class of its own. It learns at RoIs that hold an object, and here only at
those whose object's outline is known: photos with boxes alone teach the rest of the network.

Shapes: B images, R RoIs in the batch, Q of them that masks are learned at, K classes; an RoI is read as
        m x m (`mask_pool_size`), its mask has M x M pixels, M = 2 m.
Boxes:  xyxy, pixels of the resized image. Masks: pixels of the photo as it was given, in training and in
        what is found; RoIs go there, as resizing a mask would round its outline. Photos come to training
        resized already: then nothing moves at all.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional as F

from boxmask.detectors import faster_rcnn
from boxmask.detectors.contract import Detector
from boxmask.detectors.fast_rcnn import SampledRois
from boxmask.detectors.faster_rcnn import FasterRCNN, FasterRCNNConfig
from boxmask.geometry.boxes import rescale
from boxmask.kernels import mask_targets, paste_masks
from boxmask.masks import Masks, Size
from boxmask.photos.read import accepts_photos
from boxmask.pipeline.features.fpn import align
from boxmask.pipeline.heads.mask import MaskHead
from boxmask.pipeline.images import Batch
from boxmask.types import Detections, Target


@dataclass(frozen=True)
class MaskRCNNConfig(FasterRCNNConfig):
    """Faster R-CNN's numbers and those of the masks; PRESETS hold the paper's own."""

    mask_pool_size: int = 14  # an RoI's features; the mask has twice as many pixels a side, 28; figure 4
    mask_sampling_ratio: int = 2  # RoIAlign's samples a bin and axis; section 3, "RoIAlign"
    mask_depth: int = 2  # 3x3 convolutions before the transposed one; figure 4: 4
    mask_channels: int = 128  # of all of them; figure 4: 256
    mask_threshold: float = 0.5  # a pixel above it is the object's; section 3.1, "Inference"


OF_FIGURE_4: dict[str, object] = {"mask_depth": 4, "mask_channels": 256}

PRESETS: dict[str, dict[str, object]] = {
    "default": {},
    "fpn": {**faster_rcnn.PRESETS["fpn"], **OF_FIGURE_4},  # any backbone, as Detectron and torchvision train
    "paper": {  # section 3.1: ResNet-50-FPN, one of the paper's backbones
        **faster_rcnn.PRESETS["fpn"],
        **OF_FIGURE_4,
        "backbone": "resnet50",
    },
}


class MaskRCNN(Detector):
    """A Faster R-CNN and a mask branch that reads the same features.

    The names of Faster R-CNN's numbers are the same behind "boxes.": a trained one becomes the box part of
    this by copying them. backbone_weights: a state dict of timm's network, or None for random numbers
    """

    config: MaskRCNNConfig

    def __init__(self, config: MaskRCNNConfig, backbone_weights: dict[str, Tensor] | None = None) -> None:
        super().__init__()
        self.config = config
        self.boxes = FasterRCNN(config, backbone_weights)
        channels = config.channels or self.boxes.backbone.channels[-1]
        count = len(config.class_names)
        self.mask_head = MaskHead(channels, config.mask_channels, config.mask_depth, count)

    def freeze(self, stages: int) -> None:
        """Keep the backbone's first `stages` stages as they are in training."""
        self.boxes.freeze(stages)

    # ------------------------------------------------------------------ the two ways through

    @accepts_photos
    @torch.inference_mode()
    def predict(self, images: list[Tensor], proposals: list[Tensor] | None = None) -> list[Detections]:
        """Photos -> boxes, scores, labels and masks of each, in its own pixels."""
        batch = self.boxes.prepare(images)
        features = self.boxes.features(batch.pixels)
        found = self.boxes.detect(features, batch, proposals)
        return self.with_masks(features, found, batch)

    def loss(
        self, images: list[Tensor], targets: list[Target], proposals: list[Tensor] | None = None
    ) -> dict[str, Tensor]:
        """L_cls + L_box + L_mask (section 3), and the two losses of the RPN.

        Raises ValueError for masks that are not as large as their photo.
        """
        batch = self.boxes.prepare(images)
        features = self.boxes.features(batch.pixels)
        losses, drawn = self.boxes.loss_from_features(features, batch, batch.rescale(targets), proposals)
        return {**losses, "mask": self.mask_loss(features, drawn, targets, batch)}

    def forward(self, pixels: Float[Tensor, "B 3 H W"]) -> tuple[list[Tensor], list[Tensor], list[Tensor]]:
        """Pixels -> features, objectness logits and deltas of every level: the dense part, Faster R-CNN's."""
        dense: tuple[list[Tensor], list[Tensor], list[Tensor]] = self.boxes(pixels)
        return dense

    # ------------------------------------------------------------------ RoI features (section 3, "RoIAlign")

    def pool(self, features: list[Tensor], rois: list[Tensor]) -> Float[Tensor, "R C m m"]:
        """Each box as a small map, finer than what the box branch reads."""
        c = self.config
        return align(features, rois, c.strides, c.canonical_size, (c.mask_pool_size, c.mask_sampling_ratio))

    # ------------------------------------------------------------------ masks (section 3.1, "Inference")

    def with_masks(self, features: list[Tensor], found: list[Detections], batch: Batch) -> list[Detections]:
        """The mask branch at what was found after NMS, each box in its predicted class alone."""
        rois = batch.rescale_boxes([one.boxes for one in found])
        logits = self.mask_head(self.pool(features, rois), torch.cat([one.labels for one in found]))
        scores = logits.float().sigmoid().split([len(one) for one in found])
        pasted = [
            paste_masks(score, one.boxes, one.size, self.config.mask_threshold)
            for score, one in zip(scores, found, strict=True)
        ]
        return [replace(one, masks=masks) for one, masks in zip(found, pasted, strict=True)]

    # ------------------------------------------------------------------ loss (section 3)

    def mask_loss(
        self, features: list[Tensor], drawn: SampledRois, targets: list[Target], batch: Batch
    ) -> Tensor:
        """Binary cross-entropy of the true class's mask, the mean over all pixels of all outlined RoIs.

        Zero where there is none, and still a function of the branch's numbers.
        """
        rois, labels, wanted = self.has_mask(drawn, targets, batch)
        logits = self.mask_head(self.pool(features, rois), labels)
        total = F.binary_cross_entropy_with_logits(logits, wanted.to(logits.dtype), reduction="sum")
        return total / max(1, wanted.numel())

    @torch.no_grad()
    def has_mask(
        self, drawn: SampledRois, targets: list[Target], batch: Batch
    ) -> tuple[list[Tensor], Int[Tensor, " Q"], Float[Tensor, "Q M M"]]:
        """Of the drawn RoIs, those of an object whose outline is known: boxes, labels, masks to learn.

        The mask to learn is the intersection of the object's with the RoI (section 3.1, "Training").
        """
        counts = [len(boxes) for boxes in drawn.boxes]
        objects, labels = drawn.objects.split(counts), drawn.labels.split(counts)
        side, rois, chosen, wanted = 2 * self.config.mask_pool_size, [], [], []
        for image, (boxes, target) in enumerate(zip(drawn.boxes, targets, strict=True)):
            size, original = batch.sizes[image], batch.original_sizes[image]
            masks = _masks_of(target, original)
            known = torch.as_tensor(masks.known, device=boxes.device)
            row = torch.where(objects[image] >= 0)[0]
            row = row[known[objects[image][row]]]
            rois.append(boxes[row])
            chosen.append(labels[image][row])
            own = rescale(boxes[row], size, original)
            wanted.append(mask_targets(masks, objects[image][row], own, side))
        return rois, torch.cat(chosen), torch.cat(wanted)


def _masks_of(target: Target, size: Size) -> Masks:
    """The masks of a photo of `size`, all unknown where there are boxes only."""
    masks = target.masks if target.masks is not None else Masks.unknown(len(target.boxes), size)
    if masks.size != size:
        raise ValueError(f"masks: expected those of a photo of (height, width) {size}, found {masks.size}")
    return masks
