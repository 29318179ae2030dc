"""A training step of a one-stage detector beside torchvision's: `python benchmarks/one_stage_step.py`.

RetinaNet, FCOS and SSDLite, with the same weights, photos, labels and trained parameters on both sides. First
the losses are compared. Then forward pass, backward pass and optimizer step run in turns, each side in its
own process, and the table shows medians.
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
from side_by_side import Plan, in_turns, product_peak
from training_step import CLASSES, freeze, make_photos, stepper

SSDLITE = "ssdlite320_mobilenet_v3_large"
DENSE = {"dense_class": "classification", "dense_box": "bbox_regression"}  # names of the losses on both sides
LOSSES = {
    "retinanet_resnet50_fpn": DENSE,
    "fcos_resnet50_fpn": {**DENSE, "dense_centerness": "bbox_ctrness"},
    SSDLITE: {"ssd_class": "classification", "ssd_box": "bbox_regression"},
}
SIZE, LONGER = 480, 800  # for RetinaNet and FCOS; SSDLite has 320


class Case(NamedTuple):
    """torchvision's name of a network, and photos per step."""

    name: str
    batch: int


def both(name: str) -> tuple[nn.Module, Detector]:
    """torchvision's detector with random weights and frozen norms, and boxmask's with the same.

    Both train the same parameters.

    ResNet-50's first two of five stages are frozen, as torchvision does with pretrained weights.
    """
    torch.manual_seed(0)
    reference, detector = both_ssdlite() if name == SSDLITE else both_dense(name)
    freeze(reference)
    counts = trainable_parameters(reference), trainable_parameters(detector)
    if counts[0] != counts[1]:
        raise AssertionError(f"{name}: torchvision trains {counts[0]} parameters, boxmask {counts[1]}")
    return reference, detector.to(memory_format=torch.channels_last)


def both_ssdlite() -> tuple[nn.Module, Detector]:
    count = len(CLASSES) + 1  # with the background
    reference = detection.ssdlite320_mobilenet_v3_large(
        weights=None, weights_backbone=None, num_classes=count
    )
    detector = from_torchvision(SSDLITE, reference.state_dict(), CLASSES)
    for key, parameter in detector.named_parameters():
        last_of_head = key.startswith("head.") and key.endswith(".2.bias")
        if key.startswith(("extra_layers.", "head.")) and key.endswith("bias") and not last_of_head:
            parameter.requires_grad_(False)  # part of a norm, which torchvision's side freezes
    return reference, detector


def both_dense(name: str) -> tuple[nn.Module, Detector]:
    options = {"num_classes": len(CLASSES), "min_size": SIZE, "max_size": LONGER}
    reference = getattr(detection, name)(weights=None, weights_backbone=None, **options)
    for layer in reference.backbone.fpn.layer_blocks:
        layer[0].weight.data.mul_(0.02)  # features of about 1, as after training
    for part in (reference.backbone.body.conv1, reference.backbone.body.layer1):
        part.requires_grad_(False)
    detector = from_torchvision(name, reference.state_dict(), CLASSES)
    detector.config = replace(detector.config, shorter_side=SIZE, longer_side=LONGER)
    detector.freeze(1)
    if name.startswith("fcos"):
        detector.scales.requires_grad_(False)  # torchvision has none
    return reference, detector


def trainable_parameters(model: nn.Module) -> int:
    return sum(p.numel() for p in model.parameters() if p.requires_grad)


def torchvision_targets(name: str, targets: list[Target]) -> list[dict[str, Tensor]]:
    first = int(name == SSDLITE)  # label 0 is the background
    return [{"boxes": target.boxes, "labels": target.labels + first} for target in targets]


def difference(case: Case) -> float:
    """The largest relative difference between the losses."""
    reference, detector = both(case.name)
    images, targets = make_photos(case.batch)
    with torch.no_grad():
        expected, found = (
            reference(images, torchvision_targets(case.name, targets)),
            detector.loss(images, targets),
        )
    pairs = [(float(found[name]), float(expected[other])) for name, other in LOSSES[case.name].items()]
    return max(abs(a - b) / max(1e-9, abs(b)) for a, b in pairs)


def torchvision_step(case: Case) -> Callable[[], None]:
    reference = both(case.name)[0]
    images, targets = make_photos(case.batch)
    labels = torchvision_targets(case.name, targets)
    return stepper(reference, lambda: reference(images, labels))


def boxmask_step(case: Case) -> Callable[[], None]:
    detector = both(case.name)[1]
    images, targets = make_photos(case.batch)
    return stepper(detector, lambda: detector.loss(images, targets))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, help="threads per side (default: PyTorch's)")
    parser.add_argument("--rounds", type=int, default=5, help="runs per side; the table shows medians")
    parser.add_argument("--batch", type=int, default=4, help="photos per step")
    parser.add_argument("--only", choices=list(LOSSES), help="only this network (default: all)")
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    threads = torch.get_num_threads()
    console = Console(width=110)
    console.print(f"{threads} threads, matrix product {product_peak() / 1e9:.0f} GFLOP/s")
    for name in [options.only] if options.only else LOSSES:
        case = Case(name, options.batch)
        plans = {
            "torchvision": Plan(partial(torchvision_step, case)),
            "torchvision, freed memory kept": Plan(partial(torchvision_step, case), keep=True),
            "boxmask": Plan(partial(boxmask_step, case), keep=True),
        }
        title = f"{name}, batch {case.batch}; losses differ by {difference(case):.0e}"
        found = in_turns(plans, options.rounds, threads)
        table = Table("", "images/s", "boxmask is", "peak memory", title=title)
        for side, timing in found.items():
            ratio = f"{timing.seconds / found['boxmask'].seconds:.1f}x"
            table.add_row(side, f"{case.batch / timing.seconds:.2f}", ratio, f"{timing.peak:.1f} GB")
        console.print(table)


if __name__ == "__main__":
    main()
