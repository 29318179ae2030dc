"""torchvision's detectors beside boxmask's, with the same weights, sizes and trained parameters."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torchvision.models import detection

from boxmask.detectors.contract import Detector
from boxmask.types import Target
from boxmask.weights import from_torchvision
from training_step import CLASSES, NAMES, freeze

DENSE = {"dense_class": "classification", "dense_box": "bbox_regression"}
ROI = {ours: theirs for ours, theirs in NAMES.items() if ours != "mask"}
LOSSES = {
    "fasterrcnn_resnet50_fpn": ROI,
    "maskrcnn_resnet50_fpn": NAMES,
    "retinanet_resnet50_fpn": DENSE,
    "fcos_resnet50_fpn": {**DENSE, "dense_centerness": "bbox_ctrness"},
    "ssd300_vgg16": {"ssd_class": "classification", "ssd_box": "bbox_regression"},
}
SSD = "ssd300_vgg16"  # its size is fixed
Step = Callable[[], dict[str, Tensor]]


@dataclass(frozen=True)
class Pair:
    """A network of torchvision's and boxmask's form of it.

    reference: torchvision's, in training mode, with its norms frozen
    """

    name: str
    reference: nn.Module
    detector: Detector

    def to(self, device: torch.device | str) -> Pair:
        """Move both; boxmask's maps are channels-last, as in its own training and prediction."""
        detector = self.detector.to(memory_format=torch.channels_last).to(device)
        return Pair(self.name, self.reference.to(device), detector)

    def reference_loss(self, images: list[Tensor], targets: list[Target]) -> Step:
        """torchvision's losses, with labels in its own form."""
        first = 0 if "dense_class" in LOSSES[self.name] else 1  # label 0 is the background
        labels: list[dict[str, Tensor]] = []
        for target in targets:
            labels.append({"boxes": target.boxes, "labels": target.labels + first})
            if self.name.startswith("mask"):
                masks = torch.from_numpy(np.asarray(target.masks, dtype=np.uint8))
                labels[-1]["masks"] = masks.to(target.boxes.device)
        return lambda: self.reference(images, labels)

    def loss(self, images: list[Tensor], targets: list[Target]) -> Step:
        """boxmask's losses."""
        return lambda: self.detector.loss(images, targets)

    def differences(self, images: list[Tensor], targets: list[Target]) -> dict[str, float]:
        """The relative difference of each loss, at every anchor and at torchvision's proposals.

        Rounding changes the order of proposals with nearly equal scores, and so which ones NMS keeps; losses
        at other proposals say nothing about the network. Convolutions compute in float32 without TF32. The
        targets of masks differ if photos are resized: boxmask reads them from the masks as labeled.
        """
        sampled: list[tuple[Any, str, Any]] = [
            (torch.backends.cudnn, "allow_tf32", torch.backends.cudnn.allow_tf32)
        ]
        torch.backends.cudnn.allow_tf32 = False
        two_stage = [part for part in self.detector.modules() if hasattr(part, "rpn_proposals")]
        for part in self.detector.modules():
            if isinstance(part, Detector) and hasattr(part.config, "roi_samples"):
                sampled.append((part, "config", part.config))
                part.config = replace(part.config, rpn_samples=10**6, roi_samples=10**6)
        for head in ("rpn", "roi_heads") if two_stage else ():
            sampler = getattr(self.reference, head).fg_bg_sampler
            sampled.append((sampler, "batch_size_per_image", sampler.batch_size_per_image))
            sampler.batch_size_per_image = 10**6
        with torch.no_grad(), self._shared_proposals(two_stage):
            expected, found = self.reference_loss(images, targets)(), self.loss(images, targets)()
        for owner, name, value in sampled:
            setattr(owner, name, value)
        differences = {}
        for ours, theirs in LOSSES[self.name].items():
            value = float(expected[theirs])
            differences[ours] = abs(float(found[ours]) - value) / max(1e-9, abs(value))
        return differences

    @contextmanager
    def _shared_proposals(self, two_stage: list[Any]) -> Iterator[None]:
        """Let boxmask's second stage read the proposals that torchvision's RPN made last."""
        made: list[list[Tensor]] = []
        if not two_stage:
            yield
            return
        hook = self.reference.rpn.register_forward_hook(lambda _, __, result: made.append(result[0]))
        for part in two_stage:
            part.rpn_proposals = lambda *_: made[-1]
        yield
        hook.remove()
        for part in two_stage:
            del part.rpn_proposals


def make_pair(name: str, shorter_side: int) -> Pair:
    """Build a pair with random weights. As with pretrained weights, the first stages are frozen."""
    torch.manual_seed(0)
    longer_side, count = shorter_side * 5 // 3, len(CLASSES)
    counts = {"num_classes": count + ("dense_class" not in LOSSES[name])}
    sizes = {} if name == SSD else {"min_size": shorter_side, "max_size": longer_side}
    reference = getattr(detection, name)(weights=None, weights_backbone=None, **counts, **sizes)
    _spread_scores(reference)
    detector = from_torchvision(name, reference.state_dict(), CLASSES)
    if name != SSD:
        body = reference.backbone.body
        for part in (body.conv1, body.bn1, body.layer1):
            part.requires_grad_(False)
        for part in detector.modules():
            if isinstance(part, Detector):
                part.config = replace(part.config, shorter_side=shorter_side, longer_side=longer_side)
        detector.freeze(1)
    if name.startswith("fcos"):
        detector.scales.requires_grad_(False)  # torchvision has none
    freeze(reference)
    counted = _trainable(reference) - _of_background(reference), _trainable(detector)
    if counted[0] != counted[1]:
        raise AssertionError(f"{name}: torchvision trains {counted[0]} parameters, boxmask {counted[1]}")
    return Pair(name, reference, detector)


def _spread_scores(reference: Any) -> None:
    """Change the random weights so that scores differ, and boxes are found and suppressed."""
    with torch.no_grad():
        if hasattr(reference.backbone, "fpn"):
            for layer in reference.backbone.fpn.layer_blocks:
                layer[0].weight.mul_(0.02)  # features of about 1, as after training
        if hasattr(reference, "rpn"):
            layers = [reference.rpn.head.cls_logits, reference.roi_heads.box_predictor.cls_score]
        elif hasattr(reference.backbone, "fpn"):
            layers = [reference.head.classification_head.cls_logits]
        else:
            layers = []
        for layer in layers:
            nn.init.normal_(layer.weight, std=0.05)
            if hasattr(reference, "head"):  # one-stage: scores start at 0.01, below the threshold
                nn.init.constant_(layer.bias, -2.9)


def _of_background(reference: Any) -> int:
    """Number of torchvision's parameters for the box and the mask of the background, which are not used."""
    if not hasattr(reference, "roi_heads"):
        return 0
    box = 4 * (reference.roi_heads.box_predictor.bbox_pred.in_features + 1)
    masks = reference.roi_heads.mask_predictor if reference.roi_heads.has_mask() else None
    return box + (masks.mask_fcn_logits.in_channels + 1 if masks else 0)


def _trainable(model: nn.Module) -> int:
    return sum(p.numel() for p in model.parameters() if p.requires_grad)
