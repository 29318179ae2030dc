"""Average precision after the same minutes, beside torchvision: `python benchmarks/time_to_accuracy.py DATA`.

boxmask runs its default recipe. torchvision's Faster R-CNN has the same ImageNet weights
(EfficientNet-Lite0), its default pyramid, heads and hyperparameters, SGD, horizontal flips, and a cosine
schedule over the minutes; its stem is frozen, while boxmask freezes two stages. boxmask's hyperparameters
were tuned for short trainings, torchvision's were not: the table compares the defaults. Each side trains
alone in its own process; both are evaluated on the same test photos with the same metric. The memory is that
of the training process; boxmask's loading process needs about 0.7 GB more.
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
from torchvision.models.detection import FasterRCNN as TorchvisionFasterRCNN
from torchvision.models.detection.anchor_utils import AnchorGenerator

from boxmask.cli.memory import keep_memory
from boxmask.data.demo.make import make_demo
from boxmask.data.detection.dataset import DetectionDataset
from boxmask.data.detection.read import read_detection
from boxmask.evaluation.detection.detect import detect_all
from boxmask.evaluation.detection.evaluate import evaluate_detections
from boxmask.model_verbs import load
from boxmask.photos.read import to_image
from boxmask.runs.recipe import Recipe
from boxmask.training.train import train
from boxmask.types import Detections, Target
from boxmask.weights.imagenet import backbone_weights
from side_by_side import peak_memory
from training_step import Body, freeze

BACKBONE, SIZE, BATCH, RATE, WARMUP = "tf_efficientnet_lite0", 320, 4, 0.01, 50


@dataclass(frozen=True)
class Result:
    images_per_second: float
    ap: float
    ap50: float
    milliseconds: float
    peak: float


def measured(dataset: DetectionDataset, detections: list[Detections], speed: float, seconds: float) -> Result:
    metrics = evaluate_detections(dataset, detections).to_dict()
    return Result(speed, metrics["AP"], metrics["AP50"], 1e3 * seconds / len(dataset), peak_memory())


def boxmask_result(data: Path, minutes: float, seed: int) -> Result:
    keep_memory()
    with tempfile.TemporaryDirectory() as folder:
        recipe = Recipe(max_minutes=minutes, seed=seed, size=SIZE, anchors="preset")
        run, _ = train(data, recipe, Path(folder) / "run")
        test, detector = read_detection(data).split("test"), load(run.path)
        begin = time.perf_counter()
        detections = detect_all(detector, test)
        seconds = time.perf_counter() - begin
        steps = json.loads(run.log_file.read_text().splitlines()[-1])["step"]
    return measured(test, detections, steps * recipe.batch_size / (60 * minutes), seconds)


def torchvision_result(data: Path, minutes: float, seed: int) -> Result:
    dataset = read_detection(data)
    torch.manual_seed(seed)
    network = torchvision_network(len(dataset.class_names))
    speed = torchvision_training(network, dataset.split("train"), 60 * minutes)
    test, began = dataset.split("test"), time.perf_counter()
    detections = [torchvision_detections(network, test, photo) for photo in range(len(test))]
    return measured(test, detections, speed, time.perf_counter() - began)


def torchvision_network(classes: int) -> TorchvisionFasterRCNN:
    body = Body(BACKBONE)
    weights = backbone_weights(BACKBONE, "imagenet")
    own = body.body.state_dict()
    body.body.load_state_dict({name: weights[name] for name in own})
    sizes = ((16,), (32,), (64,), (128,), (256,))
    anchors = AnchorGenerator(sizes, ((0.5, 1.0, 2.0),) * 5)
    image = {"min_size": SIZE, "max_size": int(SIZE * 1.667), "image_mean": [0.5] * 3, "image_std": [0.5] * 3}
    network = TorchvisionFasterRCNN(body, classes + 1, rpn_anchor_generator=anchors, **image)
    freeze(network)
    body.body.conv_stem.requires_grad_(False)
    return network


def torchvision_training(network: nn.Module, dataset: DetectionDataset, budget: float) -> float:
    """Train for `budget` seconds; return images per second."""
    parameters = [one for one in network.parameters() if one.requires_grad]
    optimizer = torch.optim.SGD(parameters, RATE, momentum=0.9, weight_decay=1e-4)
    batches, began, steps = endless(dataset), time.monotonic(), 0
    while (progress := (time.monotonic() - began) / budget) < 1:
        rate = RATE * min(1, (steps + 1) / WARMUP) * 0.5 * (1 + math.cos(math.pi * progress))
        for group in optimizer.param_groups:
            group["lr"] = rate
        images, targets = next(batches)
        optimizer.zero_grad()
        labels = [{"boxes": target.boxes, "labels": target.labels + 1} for target in targets]
        torch.stack(list(network(images, labels).values())).sum().backward()
        nn.utils.clip_grad_norm_(parameters, 10)
        optimizer.step()
        steps += 1
    return steps * BATCH / budget


def endless(dataset: DetectionDataset) -> Iterator[tuple[list[Tensor], list[Target]]]:
    """Batches of photos, decoded once, flipped at random."""
    photos = [to_image(dataset.path(photo)) for photo in range(len(dataset))]
    while True:
        order = torch.randperm(len(photos)).tolist()
        for first in range(0, len(photos) - BATCH + 1, BATCH):
            chosen = order[first : first + BATCH]
            pairs = [random_hflip(photos[one] / 255, dataset.target(one)) for one in chosen]
            yield [image for image, _ in pairs], [target for _, target in pairs]


def random_hflip(image: Tensor, target: Target) -> tuple[Tensor, Target]:
    target = Target.of(target.boxes[~target.ignore], target.labels[~target.ignore])
    if torch.rand(()) < 0.5:
        return image, target
    left, top, right, bottom = target.boxes.T
    width = image.shape[-1]
    return image.flip(-1), Target.of(
        torch.stack([width - right, top, width - left, bottom], 1), target.labels
    )


@torch.inference_mode()
def torchvision_detections(network: nn.Module, dataset: DetectionDataset, photo: int) -> Detections:
    image = to_image(dataset.path(photo)) / 255
    found = network.eval()([image])[0]
    size = (image.shape[1], image.shape[2])
    return Detections(found["boxes"], found["scores"], found["labels"] - 1, dataset.class_names, size)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, nargs="?", help="labeled photos (default: generated ones)")
    parser.add_argument("--minutes", type=float, default=6, help="training time of each side")
    parser.add_argument("--seeds", type=int, default=1, help="number of trainings per side")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        data = options.data or make_demo(Path(folder) / "demo")
        table = Table("", "seed", "images/s", "AP", "AP50", "ms per photo", "peak memory")
        for name, side in (("torchvision", torchvision_result), ("boxmask", boxmask_result)):
            for seed in range(options.seeds):
                with ProcessPoolExecutor(1, get_context("spawn")) as alone:
                    found = alone.submit(side, data, options.minutes, seed).result()
                cells = (f"{found.images_per_second:.2f}", f"{found.ap:.3f}", f"{found.ap50:.3f}")
                table.add_row(name, str(seed), *cells, f"{found.milliseconds:.0f}", f"{found.peak:.1f} GB")
    title = f"{data.name}, {options.minutes:g} minutes, {torch.get_num_threads()} threads"
    table.title = title
    Console(width=110).print(table)


if __name__ == "__main__":
    main()
