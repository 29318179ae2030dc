"""A training step of a one-stage detector beside torchvision's: `python benchmarks/one_stage_step.py`.

RetinaNet, FCOS and SSDLite, with the same weights, photos, labels and trained numbers on both sides. First
the losses are compared, then forward + backward + optimizer run in turns, each side in its own process; the
table shows medians.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor, nn
from torchvision.models import detection

from boxmask.detectors.contract import Detector
from boxmask.types import Target
from boxmask.weights import from_torchvision
from sides import Plan, in_turns, product_peak
from training_step import CLASSES, freeze, some_photos, stepper

SSDLITE = "ssdlite320_mobilenet_v3_large"
DENSE = {"dense_class": "classification", "dense_box": "bbox_regression"}  # what both sides call the losses
LOSSES = {
    "retinanet_resnet50_fpn": DENSE,
    "fcos_resnet50_fpn": {**DENSE, "dense_centerness": "bbox_ctrness"},
    SSDLITE: {"ssd_class": "classification", "ssd_box": "bbox_regression"},
}
SIZE, LONGER = 480, 800  # of RetinaNet and FCOS; SSDLite has 320


class Case(NamedTuple):
    """torchvision's name of a network, and how many photos."""

    name: str
    batch: int


def both(name: str) -> tuple[nn.Module, Detector]:
    """torchvision's detector with random weights and frozen norms, and ours; both learn the same numbers.

    With ResNet-50 the first two of its five stages are frozen, as torchvision does with pretrained ones.
    """
    torch.manual_seed(0)
    theirs, ours = ssdlites() if name == SSDLITE else dense(name)
    freeze(theirs)
    if learned(theirs) != learned(ours):
        raise AssertionError(f"{name}: they learn {learned(theirs)} numbers, and we {learned(ours)}")
    return theirs, ours.to(memory_format=torch.channels_last)


def ssdlites() -> tuple[nn.Module, Detector]:
    count = len(CLASSES) + 1  # with the background
    theirs = detection.ssdlite320_mobilenet_v3_large(weights=None, weights_backbone=None, num_classes=count)
    ours = from_torchvision(SSDLITE, theirs.state_dict(), CLASSES)
    for key, parameter in ours.named_parameters():
        last_of_head = key.startswith("head.") and key.endswith(".2.bias")
        if key.startswith(("extra_layers.", "head.")) and key.endswith("bias") and not last_of_head:
            parameter.requires_grad_(False)  # it stands for a norm, which is frozen on the other side
    return theirs, ours


def dense(name: str) -> tuple[nn.Module, Detector]:
    numbers = {"num_classes": len(CLASSES), "min_size": SIZE, "max_size": LONGER}
    theirs = getattr(detection, name)(weights=None, weights_backbone=None, **numbers)
    for layer in theirs.backbone.fpn.layer_blocks:
        layer[0].weight.data.mul_(0.02)  # features of about one, as trained ones are
    for part in (theirs.backbone.body.conv1, theirs.backbone.body.layer1):
        part.requires_grad_(False)
    ours = from_torchvision(name, theirs.state_dict(), CLASSES)
    ours.config = replace(ours.config, shorter_side=SIZE, longer_side=LONGER)
    ours.freeze(1)
    if name.startswith("fcos"):
        ours.scales.requires_grad_(False)  # torchvision has none
    return theirs, ours


def learned(model: nn.Module) -> int:
    return sum(one.numel() for one in model.parameters() if one.requires_grad)


def their_targets(name: str, targets: list[Target]) -> list[dict[str, Tensor]]:
    first = int(name == SSDLITE)  # the background comes before it
    return [{"boxes": target.boxes, "labels": target.labels + first} for target in targets]


def difference(case: Case) -> float:
    """The largest relative difference between the losses."""
    theirs, ours = both(case.name)
    images, targets = some_photos(case.batch)
    with torch.no_grad():
        expected, found = theirs(images, their_targets(case.name, targets)), ours.loss(images, targets)
    pairs = [(float(found[name]), float(expected[other])) for name, other in LOSSES[case.name].items()]
    return max(abs(a - b) / max(1e-9, abs(b)) for a, b in pairs)


def their_step(case: Case) -> Callable[[], None]:
    theirs = both(case.name)[0]
    images, targets = some_photos(case.batch)
    labels = their_targets(case.name, targets)
    return stepper(theirs, lambda: theirs(images, labels))


def our_step(case: Case) -> Callable[[], None]:
    ours = both(case.name)[1]
    images, targets = some_photos(case.batch)
    return stepper(ours, lambda: ours.loss(images, targets))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, help="threads for each side; PyTorch's choice unless given")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--only", choices=list(LOSSES), help="only this one; all unless given")
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    threads = torch.get_num_threads()
    console = Console(width=110)
    console.print(f"{threads} threads, matrix product {product_peak() / 1e9:.0f} GFLOP/s")
    for name in [options.only] if options.only else LOSSES:
        case = Case(name, options.batch)
        plans = {
            "torchvision": Plan(partial(their_step, case)),
            "torchvision, freed memory kept": Plan(partial(their_step, case), keep=True),
            "boxmask": Plan(partial(our_step, case), keep=True),
        }
        title = f"{name}, batch {case.batch}; losses differ by {difference(case):.0e}"
        found = in_turns(plans, options.rounds, threads)
        table = Table("", "images/s", "boxmask is", "peak memory", title=title)
        for side, figures in found.items():
            ratio = f"{figures.seconds / found['boxmask'].seconds:.1f}x"
            table.add_row(side, f"{case.batch / figures.seconds:.2f}", ratio, f"{figures.peak:.1f} GB")
        console.print(table)


if __name__ == "__main__":
    main()
