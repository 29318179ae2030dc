"""A training step of Faster and Mask R-CNN beside torchvision's: `python benchmarks/training_step.py`.

The same network with the same weights, the same photos and labels: first the losses are compared with
sampling switched off, then forward + backward + optimizer run in turns (theirs, ours, theirs, ours, ...),
each in its own process, and the table shows medians. The limit is the time that a matrix product of the same
number of operations takes; PyTorch counts them in torchvision's step, and ours does with fewer.
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
from torchvision.models.detection import FasterRCNN as TheirFasterRCNN
from torchvision.models.detection import MaskRCNN as TheirMaskRCNN
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.ops import FeaturePyramidNetwork, FrozenBatchNorm2d
from torchvision.ops.feature_pyramid_network import LastLevelMaxPool

from boxmask.detectors import faster_rcnn, mask_rcnn
from boxmask.detectors.contract import Detector
from boxmask.masks import Masks
from boxmask.types import Target
from boxmask.weights.torchvision.faster_rcnn import renamed
from boxmask.weights.torchvision.key_table import split_body
from boxmask.weights.torchvision.mask_rcnn import renamed_with_masks
from sides import Plan, in_turns, product_peak

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
    """A method on both sides: theirs, our module, config and numbers, and theirs as our state."""

    theirs: Callable[..., nn.Module]
    ours: Callable[..., Detector]
    config: Callable[..., Any]
    numbers: dict[str, Any]
    rename: Callable[[State, str, float | None], State]


PAIRS = {
    "Faster R-CNN": Pair(
        TheirFasterRCNN,
        faster_rcnn.FasterRCNN,
        faster_rcnn.FasterRCNNConfig,
        faster_rcnn.PRESETS["fpn"],
        renamed,
    ),
    "Mask R-CNN": Pair(
        TheirMaskRCNN,
        mask_rcnn.MaskRCNN,
        mask_rcnn.MaskRCNNConfig,
        mask_rcnn.PRESETS["fpn"],
        renamed_with_masks,
    ),
}


class Case(NamedTuple):
    """What is timed: a row of PAIRS, timm's name of the backbone, pixels of the shorter side, photos."""

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
    """timm's network and torchvision's pyramid, as torchvision's detector wants them."""

    out_channels = 256

    def __init__(self, backbone: str) -> None:
        super().__init__()
        self.body = timm.create_model(backbone, features_only=True, out_indices=(1, 2, 3, 4))
        channels = self.body.feature_info.channels()
        self.fpn = FeaturePyramidNetwork(channels, 256, extra_blocks=LastLevelMaxPool())

    def forward(self, pixels: Tensor) -> dict[str, Tensor]:
        return self.fpn({str(level): one for level, one in enumerate(self.body(pixels))})


def both(case: Case) -> tuple[nn.Module, Detector]:
    """Their detector with random weights and frozen batch norm, and ours with the same."""
    torch.manual_seed(0)
    pair, body = PAIRS[case.method], Body(case.backbone)
    usual = body.body.pretrained_cfg
    longer, sizes = round(case.size * 1.667), ((16,), (32,), (64,), (128,), (256,))
    theirs = pair.theirs(
        body,
        len(CLASSES) + 1,
        min_size=case.size,
        max_size=longer,
        image_mean=usual["mean"],
        image_std=usual["std"],
        rpn_anchor_generator=AnchorGenerator(sizes, ((0.5, 1.0, 2.0),) * 5),
    )
    numbers = {**pair.numbers, "shorter_side": case.size, "longer_side": longer, "anchor_sizes": sizes}
    ours = pair.ours(pair.config(CLASSES, case.backbone, **numbers), body.body.state_dict())
    heads = split_body(theirs.state_dict(), None)[1]
    ours.load_state_dict(pair.rename(heads, "the same", None), strict=False)
    return theirs, ours.to(memory_format=torch.channels_last)


def some_photos(count: int) -> Batch:
    """Photos of noise with the sizes and the crowd of objects of a blood smear; all cells are ellipses."""
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
    """One that fills each box of whole pixels."""
    crops = []
    for width, height in (boxes[:, 2:] - boxes[:, :2]).int().tolist():
        y, x = ((np.arange(side) + 0.5) * 2 / side - 1 for side in (height, width))
        crops.append(y[:, None] ** 2 + x**2 < 1)
    corners = [(x, y) for x, y in boxes[:, :2].int().tolist()]
    return Masks.from_crops(crops, corners, SIZE)


def their_targets(targets: list[Target], case: Case) -> list[dict[str, Tensor]]:
    labels = [{"boxes": target.boxes, "labels": target.labels + 1} for target in targets]
    if case.method == "Mask R-CNN":
        for label, target in zip(labels, targets, strict=True):
            label["masks"] = torch.from_numpy(np.asarray(target.masks, dtype=np.uint8))
    return labels


def freeze(theirs: nn.Module) -> None:
    """Training mode, but for batch norm, whose statistics stay as they are."""
    theirs.train()
    for module in theirs.modules():
        if isinstance(module, nn.BatchNorm2d | FrozenBatchNorm2d):
            module.eval()
            module.requires_grad_(False)


def losses_differ(theirs: Any, ours: Detector, batch: Batch, case: Case) -> float:
    """The largest relative difference between the losses, with every anchor and RoI in the sample."""
    images, targets = batch
    everything = 10**6
    everywhere = replace(ours.config, rpn_samples=everything, roi_samples=everything)
    for part in ours.modules():
        if isinstance(part, Detector):  # Mask R-CNN has a Faster R-CNN within
            part.config = everywhere
    for sampler in (theirs.rpn.fg_bg_sampler, theirs.roi_heads.fg_bg_sampler):
        sampler.batch_size_per_image = everything
    with torch.no_grad():
        expected, found = theirs(images, their_targets(targets, case)), ours.loss(images, targets)
    pairs = [(float(loss), float(expected[NAMES[name]])) for name, loss in found.items()]
    return max(abs(a - b) / max(1e-9, abs(b)) for a, b in pairs)


def stepper(model: nn.Module, loss: Callable[[], dict[str, Tensor]]) -> Callable[[], None]:
    """One step of SGD."""
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], 1e-4, momentum=0.9)

    def step() -> None:
        optimizer.zero_grad()
        torch.stack(list(loss().values())).sum().backward()
        optimizer.step()

    return step


def their_step(case: Case) -> Callable[[], None]:
    theirs = both(case)[0]
    freeze(theirs)
    images, targets = some_photos(case.batch)
    labels = their_targets(targets, case)
    return stepper(theirs, lambda: theirs(images, labels))


def our_step(case: Case) -> Callable[[], None]:
    ours = both(case)[1]
    images, targets = some_photos(case.batch)
    return stepper(ours, lambda: ours.loss(images, targets))


def difference(case: Case) -> float:
    theirs, ours = both(case)
    freeze(theirs)
    return losses_differ(theirs, ours, some_photos(case.batch), case)


def operations(case: Case) -> int:
    """Floating-point operations of their step, counted by PyTorch."""
    step = their_step(case)
    with FlopCounterMode(display=False) as counter:
        step()
    return counter.get_total_flops()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, help="threads for each side; PyTorch's choice unless given")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--method", choices=PAIRS, help="only this one; all unless given")
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
            "torchvision": Plan(partial(their_step, case)),
            "torchvision, freed memory kept": Plan(partial(their_step, case), keep=True),
            "boxmask": Plan(partial(our_step, case), keep=True),
        }
        alike = f"batch {case.batch}; losses differ by {difference(case):.0e}"
        title = f"{method}, {backbone}-FPN, {size} px, {alike}"
        work = operations(case)
        found = in_turns(plans, options.rounds, threads)
        table = Table(
            "", "images/s", "boxmask is", "of the matrix product's peak", "peak memory", title=title
        )
        for name, figures in found.items():
            ratio = f"{figures.seconds / found['boxmask'].seconds:.1f}x"
            used = f"{work / figures.seconds / peak:.0%}"
            rate = f"{options.batch / figures.seconds:.2f}"
            table.add_row(name, rate, ratio, used, f"{figures.peak:.1f} GB")
        console.print(table)


if __name__ == "__main__":
    main()
