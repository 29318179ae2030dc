"""A training step of Faster R-CNN beside torchvision's, in one run: `python benchmarks/training_step.py`.

The same network with the same weights, the same photos and labels: first the four losses are compared with
sampling switched off, then forward + backward + optimiser run in turns (theirs, ours, theirs, ours, ...),
each in its own process, and the table shows medians. The limit is the time that a matrix product of the same
number of operations takes; PyTorch counts them in torchvision's step, and ours does with fewer.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import timm
import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode
from torchvision.models.detection import FasterRCNN as TheirFasterRCNN
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.ops import FeaturePyramidNetwork, FrozenBatchNorm2d
from torchvision.ops.feature_pyramid_network import LastLevelMaxPool

from boxmask.detectors.faster_rcnn import PRESETS, FasterRCNN, FasterRCNNConfig
from boxmask.types import Target
from boxmask.weights.torchvision import rename_heads
from sides import Plan, in_turns, product_peak

CLASSES = ("Platelets", "RBC", "WBC")
NAMES = {
    "rpn_objectness": "loss_objectness",
    "rpn_box": "loss_rpn_box_reg",
    "roi_class": "loss_classifier",
    "roi_box": "loss_box_reg",
}
Batch = tuple[list[Tensor], list[Target]]


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


def both(backbone: str, size: int) -> tuple[TheirFasterRCNN, FasterRCNN]:
    """Their detector with random weights and frozen batch norm, and ours with the same."""
    torch.manual_seed(0)
    body = Body(backbone)
    config = body.body.pretrained_cfg
    longer, sizes = round(size * 1.667), ((16,), (32,), (64,), (128,), (256,))
    theirs = TheirFasterRCNN(
        body,
        len(CLASSES) + 1,
        min_size=size,
        max_size=longer,
        image_mean=config["mean"],
        image_std=config["std"],
        rpn_anchor_generator=AnchorGenerator(sizes, ((0.5, 1.0, 2.0),) * 5),
    )
    state = theirs.state_dict()
    heads = {key: value for key, value in state.items() if not key.startswith("backbone.body.")}
    numbers = {**PRESETS["fpn"], "shorter_side": size, "longer_side": longer, "anchor_sizes": sizes}
    ours = FasterRCNN(FasterRCNNConfig(CLASSES, backbone, **numbers), body.body.state_dict())
    ours.load_state_dict(rename_heads(heads), strict=False)
    return theirs, ours.to(memory_format=torch.channels_last)


def some_photos(count: int) -> Batch:
    """Photos of noise with the sizes and the crowd of objects of a blood smear."""
    images, targets = [], []
    for _ in range(count):
        images.append(torch.rand(3, 480, 640))
        corner = torch.rand(13, 2) * torch.tensor([520.0, 360.0])
        side = 40 + torch.rand(13, 2) * 80
        labels = torch.randint(0, len(CLASSES), (13,))
        targets.append(Target.of(torch.cat([corner, corner + side], dim=1), labels))
    return images, targets


def their_targets(targets: list[Target]) -> list[dict[str, Tensor]]:
    return [{"boxes": target.boxes, "labels": target.labels + 1} for target in targets]


def freeze(theirs: TheirFasterRCNN) -> None:
    """Training mode, but for batch norm, whose statistics stay as they are."""
    theirs.train()
    for module in theirs.modules():
        if isinstance(module, nn.BatchNorm2d | FrozenBatchNorm2d):
            module.eval()
            module.requires_grad_(False)


def losses_differ(theirs: TheirFasterRCNN, ours: FasterRCNN, batch: Batch) -> float:
    """The largest relative difference between the four losses, with every anchor and RoI in the sample."""
    images, targets = batch
    usual, everything = ours.config, 10**6
    samplers = (theirs.rpn.fg_bg_sampler, theirs.roi_heads.fg_bg_sampler)
    before = [sampler.batch_size_per_image for sampler in samplers]
    ours.config = replace(usual, rpn_samples=everything, roi_samples=everything)
    for sampler in samplers:
        sampler.batch_size_per_image = everything
    with torch.no_grad():
        expected, found = theirs(images, their_targets(targets)), ours.loss(images, targets)
    ours.config = usual
    for sampler, count in zip(samplers, before, strict=True):
        sampler.batch_size_per_image = count
    pairs = [(float(found[name]), float(expected[other])) for name, other in NAMES.items()]
    return max(abs(a - b) / max(1e-9, abs(b)) for a, b in pairs)


def stepper(model: nn.Module, loss: Callable[[], dict[str, Tensor]]) -> Callable[[], None]:
    """One step of SGD."""
    optimiser = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], 1e-4, momentum=0.9)

    def step() -> None:
        optimiser.zero_grad()
        torch.stack(list(loss().values())).sum().backward()
        optimiser.step()

    return step


def their_step(backbone: str, size: int, batch: int) -> Callable[[], None]:
    theirs = both(backbone, size)[0]
    freeze(theirs)
    images, targets = some_photos(batch)
    labels = their_targets(targets)
    return stepper(theirs, lambda: theirs(images, labels))


def our_step(backbone: str, size: int, batch: int) -> Callable[[], None]:
    ours = both(backbone, size)[1]
    images, targets = some_photos(batch)
    return stepper(ours, lambda: ours.loss(images, targets))


def difference(backbone: str, size: int, batch: int) -> float:
    theirs, ours = both(backbone, size)
    freeze(theirs)
    return losses_differ(theirs, ours, some_photos(batch))


def operations(backbone: str, size: int, batch: int) -> int:
    """Floating-point operations of their step, counted by PyTorch."""
    step = their_step(backbone, size, batch)
    with FlopCounterMode(display=False) as counter:
        step()
    return counter.get_total_flops()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, help="threads for each side; PyTorch's choice unless given")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--batch", type=int, default=4)
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    threads, peak = torch.get_num_threads(), product_peak()
    console = Console(width=110)
    console.print(f"{threads} threads, matrix product {peak / 1e9:.0f} GFLOP/s")
    for backbone, size in (("tf_efficientnet_lite0", 320), ("resnet50", 480)):
        case = (backbone, size, options.batch)
        plans = {
            "torchvision": Plan(partial(their_step, *case)),
            "torchvision, freed memory kept": Plan(partial(their_step, *case), keep=True),
            "boxmask": Plan(partial(our_step, *case), keep=True),
        }
        title = f"{backbone}-FPN, {size} px, batch {options.batch}; losses differ by {difference(*case):.0e}"
        work = operations(*case)
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
