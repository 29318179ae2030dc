"""A training step of Faster and Mask R-CNN beside torchvision's: `python benchmarks/training_step.py`.

Both sides have the same network, weights, photos and labels. First the losses are compared, with sampling
switched off. Then forward pass, backward pass and optimizer step run in turns, each side in its own process,
and the table shows medians. "of the matrix product's peak" is the speed of torchvision's operations, as
PyTorch counts them, relative to a plain matrix product; boxmask needs fewer operations for the same step.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import timm
import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode
from torchvision.models.detection import FasterRCNN as TorchvisionFasterRCNN
from torchvision.models.detection import MaskRCNN as TorchvisionMaskRCNN
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.ops import FeaturePyramidNetwork, FrozenBatchNorm2d
from torchvision.ops.feature_pyramid_network import LastLevelMaxPool

from boxmask.detectors import faster_rcnn, mask_rcnn, presets
from boxmask.detectors.contract import Detector
from boxmask.masks import Masks
from boxmask.types import Target
from boxmask.weights.torchvision.faster_rcnn import rename_faster_rcnn
from boxmask.weights.torchvision.key_table import split_backbone
from boxmask.weights.torchvision.mask_rcnn import rename_mask_rcnn
from side_by_side import Plan, in_turns, product_peak

CLASSES = ("Platelets", "RBC", "WBC")
NAMES = {
    "rpn_objectness": "loss_objectness",
    "rpn_box": "loss_rpn_box_reg",
    "roi_class": "loss_classifier",
    "roi_box": "loss_box_reg",
    "mask": "loss_mask",
}
SIZE = (480, 640)  # (height, width) of a photo
Batch = tuple[list[Tensor], list[Target]]
State = dict[str, Tensor]


class Pair(NamedTuple):
    """A method on both sides: torchvision's class, boxmask's class, config, preset and key conversion."""

    reference: Callable[..., nn.Module]
    detector: Callable[..., Detector]
    config: Callable[..., Any]
    preset: dict[str, Any]
    rename: Callable[[State, str, float | None], State]


PAIRS = {
    "Faster R-CNN": Pair(
        TorchvisionFasterRCNN,
        faster_rcnn.FasterRCNN,
        faster_rcnn.FasterRCNNConfig,
        presets.FASTER_RCNN["fpn"],
        rename_faster_rcnn,
    ),
    "Mask R-CNN": Pair(
        TorchvisionMaskRCNN,
        mask_rcnn.MaskRCNN,
        mask_rcnn.MaskRCNNConfig,
        presets.MASK_RCNN["fpn"],
        rename_mask_rcnn,
    ),
}


class Case(NamedTuple):
    """What is timed: a row of PAIRS, the timm backbone, the shorter side in pixels, photos per step."""

    method: str
    backbone: str
    size: int
    batch: int


CASES = (
    ("Faster R-CNN", "tf_efficientnet_lite0", 320),
    ("Faster R-CNN", "resnet50", 480),
    ("Mask R-CNN", "resnet50", 480),
)


class Body(nn.Module):
    """A timm backbone with torchvision's pyramid, in the form that torchvision's detectors expect."""

    out_channels = 256

    def __init__(self, backbone: str) -> None:
        super().__init__()
        self.body = timm.create_model(backbone, features_only=True, out_indices=(1, 2, 3, 4))
        channels = self.body.feature_info.channels()
        self.fpn = FeaturePyramidNetwork(channels, 256, extra_blocks=LastLevelMaxPool())

    def forward(self, pixels: Tensor) -> dict[str, Tensor]:
        return self.fpn({str(level): one for level, one in enumerate(self.body(pixels))})


def both(case: Case) -> tuple[nn.Module, Detector]:
    """torchvision's detector with random weights and frozen batch norm, and boxmask's with the same."""
    torch.manual_seed(0)
    pair, body = PAIRS[case.method], Body(case.backbone)
    pretrained = body.body.pretrained_cfg
    longer, sizes = round(case.size * 1.667), ((16,), (32,), (64,), (128,), (256,))
    reference = pair.reference(
        body,
        len(CLASSES) + 1,
        min_size=case.size,
        max_size=longer,
        image_mean=pretrained["mean"],
        image_std=pretrained["std"],
        rpn_anchor_generator=AnchorGenerator(sizes, ((0.5, 1.0, 2.0),) * 5),
    )
    options = {**pair.preset, "shorter_side": case.size, "longer_side": longer, "anchor_sizes": sizes}
    detector = pair.detector(pair.config(CLASSES, case.backbone, **options), body.body.state_dict())
    heads = split_backbone(reference.state_dict(), None)[1]
    detector.load_state_dict(pair.rename(heads, "the same", None), strict=False)
    return reference, detector.to(memory_format=torch.channels_last)


def make_photos(count: int) -> Batch:
    """Photos of noise with 13 elliptic objects each, of the sizes in a blood smear."""
    images, targets = [], []
    for _ in range(count):
        images.append(torch.rand(3, *SIZE))
        corner = (torch.rand(13, 2) * torch.tensor([520.0, 360.0])).round()
        side = (40 + torch.rand(13, 2) * 80).round()
        labels = torch.randint(0, len(CLASSES), (13,))
        boxes = torch.cat([corner, corner + side], dim=1)
        targets.append(replace(Target.of(boxes, labels), masks=ellipses(boxes)))
    return images, targets


def ellipses(boxes: Tensor) -> Masks:
    """An ellipse that fills each box."""
    crops = []
    for width, height in (boxes[:, 2:] - boxes[:, :2]).int().tolist():
        y, x = ((np.arange(side) + 0.5) * 2 / side - 1 for side in (height, width))
        crops.append(y[:, None] ** 2 + x**2 < 1)
    corners = [(x, y) for x, y in boxes[:, :2].int().tolist()]
    return Masks.from_crops(crops, corners, SIZE)


def torchvision_targets(targets: list[Target], case: Case) -> list[dict[str, Tensor]]:
    labels = [{"boxes": target.boxes, "labels": target.labels + 1} for target in targets]
    if case.method == "Mask R-CNN":
        for label, target in zip(labels, targets, strict=True):
            label["masks"] = torch.from_numpy(np.asarray(target.masks, dtype=np.uint8))
    return labels


def freeze(reference: nn.Module) -> None:
    """Set training mode, except for batch norm, whose statistics stay fixed."""
    reference.train()
    for module in reference.modules():
        if isinstance(module, nn.BatchNorm2d | FrozenBatchNorm2d):
            module.eval()
            module.requires_grad_(False)


def losses_differ(reference: Any, detector: Detector, batch: Batch, case: Case) -> float:
    """The largest relative difference between the losses, with every anchor and RoI sampled."""
    images, targets = batch
    everything = 10**6
    everywhere = replace(detector.config, rpn_samples=everything, roi_samples=everything)
    for part in detector.modules():
        if isinstance(part, Detector):  # Mask R-CNN contains a Faster R-CNN
            part.config = everywhere
    for sampler in (reference.rpn.fg_bg_sampler, reference.roi_heads.fg_bg_sampler):
        sampler.batch_size_per_image = everything
    with torch.no_grad():
        expected, found = (
            reference(images, torchvision_targets(targets, case)),
            detector.loss(images, targets),
        )
    pairs = [(float(loss), float(expected[NAMES[name]])) for name, loss in found.items()]
    return max(abs(a - b) / max(1e-9, abs(b)) for a, b in pairs)


def stepper(model: nn.Module, loss: Callable[[], dict[str, Tensor]]) -> Callable[[], None]:
    """A function that does one step of SGD."""
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], 1e-4, momentum=0.9)

    def step() -> None:
        optimizer.zero_grad()
        torch.stack(list(loss().values())).sum().backward()
        optimizer.step()

    return step


def torchvision_step(case: Case) -> Callable[[], None]:
    reference = both(case)[0]
    freeze(reference)
    images, targets = make_photos(case.batch)
    labels = torchvision_targets(targets, case)
    return stepper(reference, lambda: reference(images, labels))


def boxmask_step(case: Case) -> Callable[[], None]:
    detector = both(case)[1]
    images, targets = make_photos(case.batch)
    return stepper(detector, lambda: detector.loss(images, targets))


def difference(case: Case) -> float:
    reference, detector = both(case)
    freeze(reference)
    return losses_differ(reference, detector, make_photos(case.batch), case)


def operations(case: Case) -> int:
    """Floating-point operations of torchvision's step, as PyTorch counts them."""
    step = torchvision_step(case)
    with FlopCounterMode(display=False) as counter:
        step()
    return counter.get_total_flops()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, help="threads per side (default: PyTorch's)")
    parser.add_argument("--rounds", type=int, default=5, help="runs per side; the table shows medians")
    parser.add_argument("--batch", type=int, default=4, help="photos per step")
    parser.add_argument("--method", choices=PAIRS, help="only this method (default: all)")
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    threads, peak = torch.get_num_threads(), product_peak()
    console = Console(width=110)
    console.print(f"{threads} threads, matrix product {peak / 1e9:.0f} GFLOP/s")
    for method, backbone, size in CASES:
        if options.method not in (None, method):
            continue
        case = Case(method, backbone, size, options.batch)
        plans = {
            "torchvision": Plan(partial(torchvision_step, case)),
            "torchvision, freed memory kept": Plan(partial(torchvision_step, case), keep=True),
            "boxmask": Plan(partial(boxmask_step, case), keep=True),
        }
        alike = f"batch {case.batch}; losses differ by {difference(case):.0e}"
        title = f"{method}, {backbone}-FPN, {size} px, {alike}"
        work = operations(case)
        found = in_turns(plans, options.rounds, threads)
        table = Table(
            "", "images/s", "boxmask is", "of the matrix product's peak", "peak memory", title=title
        )
        for name, timing in found.items():
            ratio = f"{timing.seconds / found['boxmask'].seconds:.1f}x"
            used = f"{work / timing.seconds / peak:.0%}"
            rate = f"{options.batch / timing.seconds:.2f}"
            table.add_row(name, rate, ratio, used, f"{timing.peak:.1f} GB")
        console.print(table)


if __name__ == "__main__":
    main()
