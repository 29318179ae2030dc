"""Training from JPEG files: images per second."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from rich.console import Console
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from boxmask.data.demo.make import make_demo
from boxmask.data.demo.scenes import DemoRecipe
from boxmask.runs.recipe import Recipe
from boxmask.training.clock import Clock
from boxmask.training.progress import Report
from boxmask.training.train import train
from gpu_sections.measure import Settings
from training_step import Case, freeze
from training_step import both as make_small_pair


class TimedReport(Report):
    """Keeps the time and the number of images of each step."""

    def __init__(self) -> None:
        super().__init__(Console(quiet=True))
        self.steps: list[tuple[float, int]] = []

    def step(self, clock: Clock, losses: dict[str, float], images: int) -> None:
        """Keep one step."""
        super().step(clock, losses, images)
        self.steps.append((time.perf_counter(), images))


MIN_STEPS = 10
"""In the later half; the rate of fewer steps is mostly that of their start."""


def images_per_second(steps: list[tuple[float, int]]) -> float | None:
    """The rate of the later half of the steps, which caches and workers have reached; None for too few."""
    late = steps[len(steps) // 2 :]
    if len(late) < MIN_STEPS:
        return None
    return sum(images for _, images in late[1:]) / (late[-1][0] - late[0][0])


class Photos(Dataset[Any]):
    """The training photos of the demo, decoded by Pillow, with labels for torchvision."""

    def __init__(self, folder: Path) -> None:
        labels = json.loads((folder / "instances_train.json").read_text())
        self.paths = {photo["id"]: folder / "images" / photo["file_name"] for photo in labels["images"]}
        self.boxes: dict[int, list[Any]] = {}
        for found in labels["annotations"]:
            self.boxes.setdefault(found["image_id"], []).append(found)
        self.ids = list(self.boxes)

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, index: int) -> tuple[Tensor, dict[str, Tensor]]:
        found = self.boxes[self.ids[index]]
        pixels = torch.from_numpy(np.array(Image.open(self.paths[self.ids[index]]))).permute(2, 0, 1)
        boxes = torch.tensor([[x, y, x + w, y + h] for x, y, w, h in (one["bbox"] for one in found)]).float()
        labels = torch.tensor([1 + one["category_id"] % 3 for one in found])
        return pixels / 255, {"boxes": boxes, "labels": labels}


def train_torchvision(folder: Path, settings: Settings, workers: int) -> list[tuple[float, int]]:
    """Train torchvision's Faster R-CNN as its reference script does; returns the steps."""
    case = Case("Faster R-CNN", "tf_efficientnet_lite0", 320 if settings.side > 200 else 96, settings.batch)
    network = make_small_pair(case)[0].to(settings.device)
    freeze(network)
    loader = DataLoader(
        Photos(folder),
        settings.batch,
        shuffle=True,
        num_workers=workers,
        collate_fn=list,
        persistent_workers=workers > 0,
    )
    optimizer = torch.optim.SGD([p for p in network.parameters() if p.requires_grad], 1e-4, momentum=0.9)
    steps: list[tuple[float, int]] = []
    end = time.perf_counter() + settings.seconds
    while time.perf_counter() < end:
        for samples in loader:
            images = [image.to(settings.device) for image, _ in samples]
            labels = [{key: x.to(settings.device) for key, x in label.items()} for _, label in samples]
            loss = torch.stack(list(network(images, labels).values())).sum()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            if not bool(loss.isfinite()):
                raise AssertionError("torchvision's loss is not finite")
            steps.append((time.perf_counter(), len(images)))
            if time.perf_counter() > end:
                break
    return steps


def file_rows(settings: Settings) -> Iterator[tuple[str, float | None]]:
    """Training from JPEG files: images per second."""
    size = (480, 640) if settings.side > 200 else (96, 128)
    with tempfile.TemporaryDirectory() as scratch:
        folder = make_demo(Path(scratch) / "demo", photos=settings.photos, recipe=DemoRecipe(size=size))
        several = 8 if settings.side > 200 else 1
        steps = train_torchvision(folder, settings, several)
        yield f"torchvision, lite0-FPN, {several} workers", images_per_second(steps)
        recipe = recipe_of(settings)
        same = replace(recipe, preset="fpn", backbone="tf_efficientnet_lite0")
        for workers in sorted({1, several}):
            yield boxmask_rate(folder, replace(same, workers=workers), Path(scratch))
        if settings.device.type == "cuda":
            for mixed in (same, recipe):
                faster = replace(mixed, workers=several, precision="bf16")
                yield boxmask_rate(folder, faster, Path(scratch))


def recipe_of(settings: Settings) -> Recipe:
    """Boxmask's Faster R-CNN with its own augmentation, average and checkpoints."""
    return Recipe(
        max_minutes=settings.seconds / 60,
        size=320 if settings.side > 200 else 96,
        anchors="preset",
        batch_size=settings.batch,
        num_validations=1,
        device=str(settings.device),
        on_unseen_classes="skip",
    )


def boxmask_rate(folder: Path, recipe: Recipe, scratch: Path) -> tuple[str, float | None]:
    """What is trained, and images per second."""
    report = TimedReport()
    words = (recipe.preset, recipe.precision, f"{recipe.workers} workers")
    train(folder, recipe, scratch / "-".join(words).replace(" ", "-"), report)
    return f"boxmask, {', '.join(words)}", images_per_second(report.steps)
