"""A training step of Faster R-CNN beside torchvision's, in one run: `python benchmarks/training_step.py`.

The same network with the same weights, the same photos and labels: first the four losses are compared with
sampling switched off, then forward + backward + optimiser run in turns (theirs, ours, theirs, ours, ...), and
the table shows medians. As the limit it measures a matrix product.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import replace
from statistics import median

import timm
import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor, nn
from torchvision.models.detection import FasterRCNN as TheirFasterRCNN
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.ops import FeaturePyramidNetwork, FrozenBatchNorm2d
from torchvision.ops.feature_pyramid_network import LastLevelMaxPool

from boxmask.detectors.faster_rcnn import PRESETS, FasterRCNN, FasterRCNNConfig
from boxmask.types import Target
from boxmask.weights.torchvision import rename_heads

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


def seconds(call: Callable[[], None]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def product_peak() -> float:
    """Floating-point operations a second of a float32 matrix product."""
    a = torch.randn(2048, 2048)
    return 2 * 2048**3 / min(seconds(lambda: a @ a) for _ in range(8))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, help="threads for both sides; PyTorch's choice unless given")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--batch", type=int, default=4)
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    console = Console(width=110)
    console.print(f"{torch.get_num_threads()} threads, matrix product {product_peak() / 1e9:.0f} GFLOP/s")
    table = Table("", "losses differ by", "torchvision images/s", "boxmask images/s", "ratio")
    for backbone, size in (("tf_efficientnet_lite0", 320), ("resnet50", 480)):
        theirs, ours = both(backbone, size)
        freeze(theirs)
        images, targets = batch = some_photos(options.batch)
        difference = losses_differ(theirs, ours, batch)
        labels = their_targets(targets)
        steps = (
            stepper(theirs, lambda: theirs(images, labels)),  # noqa: B023
            stepper(ours, lambda: ours.loss(images, targets)),  # noqa: B023
        )
        times = [[seconds(step) for step in steps] for _ in range(options.rounds + 1)][1:]
        rates = [options.batch / median(column) for column in zip(*times, strict=True)]
        name = f"{backbone}-FPN, {size} px, batch {options.batch}"
        figures = (f"{difference:.1e}", f"{rates[0]:.2f}", f"{rates[1]:.2f}", f"{rates[1] / rates[0]:.1f}x")
        table.add_row(name, *figures)
    console.print(table)


if __name__ == "__main__":
    main()
