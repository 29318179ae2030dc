"""What a training step and a prediction ask of a GPU, beside torchvision's: `python benchmarks/launches.py`.

No GPU is needed: operators run on the CPU, and are counted, on a device that networks take for a GPU (see
`stand_in_device`). Both sides have the same weights, sizes, photos, labels and trained parameters.

An operator is at least one launch of a kernel; on small photos, launching takes longer than computing. At a
synchronization the host waits until the device has finished, and launches nothing meanwhile. A training step
is that of `boxmask train` on both sides: the losses, their gradients, clipping, AdamW, the moving average,
and reading the losses once. The counts depend on the number of photos, classes and detections, not on the
size of photos.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from rich.console import Console
from rich.table import Table
from torch import nn

from boxmask.runs.recipe import Recipe
from boxmask.training.optimizer import make_average, make_optimizer
from stand_in_device import DEVICE, Counts, StandInDevice
from torchvision_pairs import LOSSES, Pair, make_pair
from training_step import freeze, make_photos

SIDES = ("torchvision", "boxmask")
HEADS = "heads and losses, or heads and postprocess"
STAGES = {  # methods of boxmask's detectors, parts of torchvision's
    "prepare": "image",
    "transform": "image",
    "features": "features",
    "backbone": "features",
    "rpn_proposals": "proposals",
    "rpn_loss": "proposals",
    "rpn": "proposals",
}


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
        for network in networks:
            mark_stages(device, network)
        predictions = {  # first, because a step changes the weights of the two sides in different ways
            side_name: count(device, work)
            for side_name, work in zip(SIDES, predictors(pair, pixels[0]), strict=True)
        }
        freeze(pair.reference)
        steps = {
            side_name: count(device, make_training_step(device, network, loss))
            for side_name, network, loss in zip(SIDES, networks, losses, strict=True)
        }
    return Row(name, steps, predictions)


def mark_stages(device: StandInDevice, network: nn.Module) -> None:
    """Count what the methods and parts in STAGES ask for by their stage."""
    for part in [network, *network.children()]:
        for name, stage in STAGES.items():
            if isinstance(found := getattr(part, name, None), nn.Module):
                found.forward = in_stage(device, stage, found.forward)
            elif found is not None:
                setattr(part, name, in_stage(device, stage, found))


def in_stage(device: StandInDevice, stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, counted for a stage."""

    def staged(*args: Any, **kwargs: Any) -> Any:
        with device.stage(stage):
            return function(*args, **kwargs)

    return staged


def make_training_step(
    device: StandInDevice, network: nn.Module, loss: Callable[[], dict[str, torch.Tensor]]
) -> Callable[[], None]:
    """A function that does one step as `boxmask train` does."""
    recipe = Recipe()
    optimizer, average = make_optimizer(network, recipe), make_average(network, recipe.ema_decay)

    def step() -> None:
        losses = torch.stack(list(loss().values()))
        optimizer.zero_grad()
        with device.stage("backward"):
            losses.sum().backward()
        with device.stage("clipping"):
            norm = nn.utils.clip_grad_norm_(network.parameters(), recipe.clip_norm)
        torch.cat([losses.detach(), norm[None]]).tolist()
        with device.stage("optimizer"):
            optimizer.step()
        with device.stage("average"):
            average.update_parameters(network)

    return step


def make_step(network: nn.Module, loss: Callable[[], dict[str, torch.Tensor]]) -> Callable[[], None]:
    """A function that does one step of SGD, without clipping and average."""
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
    return device.count(work)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=list(LOSSES), help="only this network (default: all)")
    parser.add_argument("--side", type=int, default=96, help="shorter side of the photos in pixels")
    parser.add_argument("--batch", type=int, default=4, help="photos per training step")
    parser.add_argument("--stages", action="store_true", help="count each stage")
    parser.add_argument("--operators", type=int, default=0, metavar="N", help="list the top N, with lines")
    options = parser.parse_args()
    console = Console(width=110)
    table = Table("", "", "operators", "ratio", "waits", "ratio", title="boxmask / torchvision")
    for name in [options.only] if options.only else LOSSES:
        row = count_network(name, options.side, options.batch, with_places=bool(options.operators))
        for work, sides in (("step", row.step), ("prediction", row.prediction)):
            table.add_row(name, work, *cells(sides["boxmask"].totals(), sides["torchvision"].totals()))
            for stage in stages_of(sides) if options.stages else ():
                ours, theirs = (sides[side].of_stage(stage) for side in reversed(SIDES))
                table.add_row("", f"  {stage or HEADS}", *cells(ours, theirs), style="dim")
            for side_name, counts in sides.items():
                if options.operators:
                    console.print(top_places(counts, options.operators, f"{name}, {work}, {side_name}"))
    console.print(table)


def cells(ours: tuple[int, int], theirs: tuple[int, int]) -> list[str]:
    """The counts of both sides and their ratios."""
    pairs = zip(ours, theirs, strict=True)
    return [cell for a, b in pairs for cell in (f"{a} / {b}", f"{a / b:.2f}" if b else "")]


def stages_of(sides: dict[str, Counts]) -> list[str]:
    """The stages of both sides, in the order in which they run."""
    return list(dict.fromkeys(stage for counts in sides.values() for stage in counts.operators))


def top_places(counts: Counts, number: int, title: str) -> Table:
    """The lines that run most operators, and those that wait."""
    table = Table("count", "operator", "line", title=title)
    sections: list[list[tuple[tuple[str, str], int]]] = [[], []]
    for place, times in counts.places.most_common():
        sections[place[0].startswith("wait: ")].append((place, times))
    for section in sections:
        for (operator, line), times in section[:number]:
            if times:
                table.add_row(str(times), operator, line)
        table.add_section()
    return table


if __name__ == "__main__":
    main()
