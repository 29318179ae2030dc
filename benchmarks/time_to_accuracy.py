"""Precision after the same minutes beside torchvision's: `python benchmarks/time_to_accuracy.py DATA`.

boxmask's default recipe, and torchvision's Faster R-CNN with the same ImageNet weights (EfficientNet-Lite0),
its stock pyramid, heads and numbers, SGD, mirror images, and a cosine over the minutes; its stem is frozen,
where boxmask freezes two stages. Nobody tuned torchvision's numbers for minutes, as boxmask's are: the ratio
is of what each gives to somebody who takes it as it is. Each trains alone in a process of its own, one after
the other; both are judged on the same test photos by the same metric. Memory is that of the process that
trains; boxmask's reading process has about 0.7 GB more.
"""

from __future__ import annotations

import argparse
import json
import math
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor, nn
from torchvision.models.detection import FasterRCNN as TheirFasterRCNN
from torchvision.models.detection.anchor_utils import AnchorGenerator

from boxmask.cli.memory import keep_memory
from boxmask.data.demo.make import make_demo
from boxmask.data.detection.dataset import DetectionDataset
from boxmask.data.detection.read import read_detection
from boxmask.evaluation.detection.detect import detect_all
from boxmask.evaluation.detection.evaluate import evaluate_detections
from boxmask.photos.read import to_image
from boxmask.runs.recipe import Recipe
from boxmask.training.train import train
from boxmask.types import Detections, Target
from boxmask.verbs import load
from boxmask.weights.imagenet import backbone_weights
from sides import peak_memory
from training_step import Body, freeze, their_targets

BACKBONE, SIZE, BATCH, RATE, WARMUP = "tf_efficientnet_lite0", 320, 4, 0.01, 50


@dataclass(frozen=True)
class Result:
    images_a_second: float
    ap: float
    ap50: float
    milliseconds: float
    peak: float


def judged(dataset: DetectionDataset, detections: list[Detections], speed: float, seconds: float) -> Result:
    figures = evaluate_detections(dataset, detections).to_dict()
    return Result(speed, figures["AP"], figures["AP50"], 1e3 * seconds / len(dataset), peak_memory())


def our_result(data: Path, minutes: float, seed: int) -> Result:
    keep_memory()
    with tempfile.TemporaryDirectory() as folder:
        recipe = Recipe(max_minutes=minutes, seed=seed)
        run, _ = train(data, recipe, Path(folder) / "run")
        test, detector = read_detection(data).split("test"), load(run.path)
        begin = time.perf_counter()
        detections = detect_all(detector, test)
        seconds = time.perf_counter() - begin
        steps = json.loads(run.log_file.read_text().splitlines()[-1])["step"]
    return judged(test, detections, steps * recipe.batch_size / (60 * minutes), seconds)


def their_result(data: Path, minutes: float, seed: int) -> Result:
    dataset = read_detection(data)
    torch.manual_seed(seed)
    network = their_network(len(dataset.class_names))
    speed = their_training(network, dataset.split("train"), 60 * minutes)
    test, began = dataset.split("test"), time.perf_counter()
    detections = [their_detections(network, test, photo) for photo in range(len(test))]
    return judged(test, detections, speed, time.perf_counter() - began)


def their_network(classes: int) -> TheirFasterRCNN:
    body = Body(BACKBONE)
    weights = backbone_weights(BACKBONE, "imagenet")
    own = body.body.state_dict()
    body.body.load_state_dict({name: weights[name] for name in own})
    sizes = ((16,), (32,), (64,), (128,), (256,))
    anchors = AnchorGenerator(sizes, ((0.5, 1.0, 2.0),) * 5)
    image = {"min_size": SIZE, "max_size": int(SIZE * 1.667), "image_mean": [0.5] * 3, "image_std": [0.5] * 3}
    network = TheirFasterRCNN(body, classes + 1, rpn_anchor_generator=anchors, **image)
    freeze(network)
    body.body.conv_stem.requires_grad_(False)
    return network


def their_training(network: nn.Module, dataset: DetectionDataset, budget: float) -> float:
    """Images a second."""
    parameters = [one for one in network.parameters() if one.requires_grad]
    optimizer = torch.optim.SGD(parameters, RATE, momentum=0.9, weight_decay=1e-4)
    batches, began, steps = endless(dataset), time.monotonic(), 0
    while (progress := (time.monotonic() - began) / budget) < 1:
        rate = RATE * min(1, (steps + 1) / WARMUP) * 0.5 * (1 + math.cos(math.pi * progress))
        for group in optimizer.param_groups:
            group["lr"] = rate
        images, targets = next(batches)
        optimizer.zero_grad()
        torch.stack(list(network(images, their_targets(targets)).values())).sum().backward()
        nn.utils.clip_grad_norm_(parameters, 10)
        optimizer.step()
        steps += 1
    return steps * BATCH / budget


def endless(dataset: DetectionDataset) -> Iterator[tuple[list[Tensor], list[Target]]]:
    """Batches of photos, decoded once, half of them mirrored."""
    photos = [to_image(dataset.path(photo)) for photo in range(len(dataset))]
    while True:
        order = torch.randperm(len(photos)).tolist()
        for first in range(0, len(photos) - BATCH + 1, BATCH):
            chosen = order[first : first + BATCH]
            pairs = [maybe_mirrored(photos[one] / 255, dataset.target(one)) for one in chosen]
            yield [image for image, _ in pairs], [target for _, target in pairs]


def maybe_mirrored(image: Tensor, target: Target) -> tuple[Tensor, Target]:
    target = Target.of(target.boxes[~target.ignore], target.labels[~target.ignore])
    if torch.rand(()) < 0.5:
        return image, target
    left, top, right, bottom = target.boxes.T
    width = image.shape[-1]
    return image.flip(-1), Target.of(
        torch.stack([width - right, top, width - left, bottom], 1), target.labels
    )


@torch.inference_mode()
def their_detections(network: nn.Module, dataset: DetectionDataset, photo: int) -> Detections:
    image = to_image(dataset.path(photo)) / 255
    found = network.eval()([image])[0]
    size = (image.shape[1], image.shape[2])
    return Detections(found["boxes"], found["scores"], found["labels"] - 1, dataset.class_names, size)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, nargs="?", help="labeled photos; the demo's unless given")
    parser.add_argument("--minutes", type=float, default=6)
    parser.add_argument("--seeds", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        data = options.data or make_demo(Path(folder) / "demo")
        table = Table("", "seed", "images/s", "AP", "AP50", "ms a photo", "peak memory")
        for name, side in (("torchvision", their_result), ("boxmask", our_result)):
            for seed in range(options.seeds):
                with ProcessPoolExecutor(1, get_context("spawn")) as alone:
                    found = alone.submit(side, data, options.minutes, seed).result()
                figures = (f"{found.images_a_second:.2f}", f"{found.ap:.3f}", f"{found.ap50:.3f}")
                table.add_row(name, str(seed), *figures, f"{found.milliseconds:.0f}", f"{found.peak:.1f} GB")
    title = f"{data.name}, {options.minutes:g} minutes, {torch.get_num_threads()} threads"
    table.title = title
    Console(width=110).print(table)


if __name__ == "__main__":
    main()
