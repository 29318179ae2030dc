"""What a training step and a prediction ask of a GPU, beside torchvision's: `python benchmarks/launches.py`.

No GPU is needed: operators run on the CPU, and are counted, on a device that networks take for a GPU (see
`stand_in_device`). Both sides have the same weights, sizes, photos, labels and trained parameters.

An operator is at least one launch of a kernel; on small photos, launching takes longer than computing. At a
synchronization the host waits until the device has finished, and launches nothing meanwhile. A training step
is the losses, their gradients and one step of SGD over all parameters at once.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import NamedTuple

import torch
from rich.console import Console
from rich.table import Table
from torch import nn

from stand_in_device import DEVICE, Counts, StandInDevice
from torchvision_pairs import LOSSES, Pair, make_pair
from training_step import make_photos

SIDES = ("torchvision", "boxmask")


class Row(NamedTuple):
    """The counts of one network."""

    name: str
    step: dict[str, Counts]
    prediction: dict[str, Counts]


def count_network(name: str, side: int, batch: int, with_places: bool = False) -> Row:
    """Count a training step of `batch` photos, and the prediction of one, on both sides."""
    pair = make_pair(name, side)
    torch.manual_seed(0)
    images, targets = make_photos(batch)
    with StandInDevice(with_places) as device:
        pair = pair.to(DEVICE)
        pixels, labels = [x.to(DEVICE) for x in images], [target.to(DEVICE) for target in targets]
        losses = (pair.reference_loss(pixels, labels), pair.loss(pixels, labels))
        networks: tuple[nn.Module, nn.Module] = (pair.reference, pair.detector)
        steps = {
            side_name: count(device, make_step(network, loss))
            for side_name, network, loss in zip(SIDES, networks, losses, strict=True)
        }
        predictions = {
            side_name: count(device, work)
            for side_name, work in zip(SIDES, predictors(pair, pixels[0]), strict=True)
        }
    return Row(name, steps, predictions)


def make_step(network: nn.Module, loss: Callable[[], dict[str, torch.Tensor]]) -> Callable[[], None]:
    """A function that does one step of SGD."""
    parameters = [p for p in network.parameters() if p.requires_grad]
    optimizer = torch.optim.SGD(parameters, 1e-4, momentum=0.9, foreach=True)

    def step() -> None:
        optimizer.zero_grad()
        torch.stack(list(loss().values())).sum().backward()
        optimizer.step()

    return step


def predictors(pair: Pair, image: torch.Tensor) -> tuple[Callable[[], None], Callable[[], None]]:
    """The prediction of one photo on both sides."""

    def predict_reference() -> None:
        with torch.inference_mode():
            pair.reference.eval()([image])

    def predict() -> None:
        pair.detector.eval().predict([image])

    return predict_reference, predict


def count(device: StandInDevice, work: Callable[[], None]) -> Counts:
    """Count the second run, when what is kept between runs is there."""
    work()
    device.counts = Counts()
    work()
    counts, device.counts = device.counts, Counts()
    return counts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=list(LOSSES), help="only this network (default: all)")
    parser.add_argument("--side", type=int, default=320, help="shorter side of the photos in pixels")
    parser.add_argument("--batch", type=int, default=4, help="photos per training step")
    parser.add_argument("--by-operator", type=int, default=0, metavar="N", help="list the top N, with lines")
    options = parser.parse_args()
    console = Console(width=110)
    table = Table("", "", "operators", "waits", "copies to the device", title="boxmask / torchvision")
    for name in [options.only] if options.only else LOSSES:
        row = count_network(name, options.side, options.batch, with_places=bool(options.by_operator))
        for work, sides in (("step", row.step), ("prediction", row.prediction)):
            ours, theirs = sides["boxmask"], sides["torchvision"]
            cells = [f"{a} / {b}" for a, b in zip(ours.totals(), theirs.totals(), strict=True)]
            table.add_row(name, work, *cells)
            for side_name, counts in sides.items():
                if options.by_operator:
                    console.print(top_places(counts, options.by_operator, f"{name}, {work}, {side_name}"))
    console.print(table)


def top_places(counts: Counts, number: int, title: str) -> Table:
    """The lines that run most operators, and those that wait."""
    table = Table("count", "operator", "line", title=title)
    waits = [item for item in counts.places.most_common() if item[0][0].startswith("wait")]
    for (operator, line), times in counts.places.most_common(number):
        table.add_row(str(times), operator, line)
    table.add_section()
    for (operator, line), times in waits[:number]:
        table.add_row(str(times), operator, line)
    return table


if __name__ == "__main__":
    main()
