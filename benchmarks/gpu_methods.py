"""Every method on a GPU: it trains, evaluates and predicts there: `python benchmarks/gpu_methods.py`.

Each method is trained on generated photos for --max-minutes, in a process of its own, several at a time. The
losses of its first step are compared with those of the same training on the CPU, which has the same weights,
photos and samples; both compute in float32 without TF32. Dropout is off then, because the random generator of
a GPU gives other numbers.

Exits with 1 if a method fails, or if its losses differ by more than LIMIT.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
import traceback
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import suppress
from dataclasses import asdict, dataclass, fields, replace
from multiprocessing import get_context
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table

import boxmask
from boxmask.data.demo.make import make_demo
from boxmask.errors import TrainingError
from boxmask.models.table import MODELS, make_config
from boxmask.pipeline.selective_search.cache import ProposalCache
from boxmask.runs.recipe import Recipe
from boxmask.training.clock import Clock
from boxmask.training.progress import Report
from boxmask.training.train import train

PHOTOS = 24
LIMIT = 1e-3  # of the relative difference between the losses


@dataclass
class Result:
    """What came of one method. Seconds of each part; an error ends it.

    difference: the largest relative difference between the losses of the first step
    """

    method: str
    steps: int = 0
    stages: int = 0
    training: float = 0.0
    evaluation: float = 0.0
    prediction: float = 0.0
    difference: float = -1.0
    losses: str = ""
    error: str = ""

    def failed(self) -> bool:
        """Whether an error ended it, or its losses differ from the CPU's."""
        return bool(self.error) or not self.difference <= LIMIT  # NaN fails


class OneStepDone(TrainingError):
    """Ends a training after its first step."""


class FirstLosses(Report):
    """Keeps the losses of the first step, and counts steps and stages.

    only: end the training after its first step, with OneStepDone
    """

    def __init__(self, *, only: bool = False) -> None:
        super().__init__(Console(quiet=True))
        self.only = only
        self.losses: dict[str, float] = {}
        self.steps = self.stages = 0

    def begin_stage(self, stage: str, number: int, num_stages: int, seconds_before: float) -> None:
        """Count a stage."""
        super().begin_stage(stage, number, num_stages, seconds_before)
        self.stages = num_stages

    def step(self, clock: Clock, losses: dict[str, float], images: int) -> None:
        """Keep the losses if they are the first."""
        super().step(clock, losses, images)
        self.losses = self.losses or losses
        self.steps += 1
        if self.only:
            raise OneStepDone("one step is enough")


def run_method(method: str, data: Path, scratch: Path, device: str, minutes: float) -> Result:
    """Train, evaluate and predict with one method."""
    result = Result(method)
    torch.set_num_threads(2)
    torch.backends.cudnn.allow_tf32 = False
    try:
        _search(method, data)
        run, report = scratch / method, FirstLosses()
        begin = time.perf_counter()
        train(data, _recipe(method, device, minutes), run, report)
        result.training, begin = time.perf_counter() - begin, time.perf_counter()
        result.steps, result.stages = report.steps, report.stages
        boxmask.evaluate(run, data, device=device)
        result.evaluation, begin = time.perf_counter() - begin, time.perf_counter()
        photos = sorted((data / "images").glob("*.jpg"))[:4]
        boxmask.predict(run, photos, scratch / f"{method}-predictions", device=device)
        result.prediction = time.perf_counter() - begin
        found, expected = (
            _first_losses(data, _recipe(method, name, 5.0), scratch / f"{method}-first-{number}")
            for number, name in enumerate((device, "cpu"))
        )
        result.difference = max(
            abs(value - expected[name]) / max(1e-6, abs(expected[name])) for name, value in found.items()
        )
        if result.failed():
            result.losses = f"{_short(found)}; CPU {_short(expected)}"
    except Exception:
        result.error = traceback.format_exc()
    return result


def _first_losses(data: Path, recipe: Recipe, run: Path) -> dict[str, float]:
    """The losses of the first step of a training without dropout."""
    report = FirstLosses(only=True)
    config = make_config(recipe.model, "default", class_names=("a",))
    if "dropout" in {field.name for field in fields(config)}:
        recipe = replace(recipe, model_options=("dropout=0.0",))
    with suppress(OneStepDone):
        train(data, recipe, run, report)
    return report.losses


def _search(method: str, data: Path) -> None:
    """Run Selective Search, if the method needs it, so that it takes none of the training time."""
    if method in ("rcnn", "fast-rcnn"):
        search = make_config(method, "default", class_names=("a",)).search
        for path in (data / "images").glob("*.jpg"):
            ProposalCache(search).boxes(path)


def _recipe(method: str, device: str, minutes: float) -> Recipe:
    regions = 50 if method == "rcnn" else None
    return Recipe(
        model=method,
        device=device,
        max_minutes=minutes,
        size=None,  # the preset's network on every device
        anchors="preset",
        workers=0,
        num_validations=1,
        max_regions=regions,
        color_jitter=0.0,
        on_unseen_classes="skip",
    )


def _short(losses: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:.5f}" for name, value in losses.items())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--max-minutes", type=float, default=0.2, help="training time of each method")
    parser.add_argument("--methods", nargs="+", choices=list(MODELS), default=list(MODELS))
    parser.add_argument("--at-once", type=int, default=6, help="methods that run at the same time")
    parser.add_argument("--out", type=Path, help="folder for methods.txt and methods.json")
    options = parser.parse_args()
    console = Console(width=170, record=True)
    results: list[Result] = []
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        data = make_demo(scratch / "demo", photos=PHOTOS)
        with ProcessPoolExecutor(options.at_once, get_context("spawn")) as pool:
            tasks = [
                pool.submit(run_method, method, data, scratch, options.device, options.max_minutes)
                for method in options.methods
            ]
            for task in as_completed(tasks):
                results.append(task.result())
                save(options.out, results)
    table = Table("", "steps", "stages", "training s", "evaluation s", "prediction s", "differs from CPU", "")
    for found in results:
        seconds = [f"{value:.1f}" for value in (found.training, found.evaluation, found.prediction)]
        differs = f"{found.difference:.0e}" if found.difference >= 0 else ""
        note = found.error.strip().splitlines()[-1] if found.error else found.losses
        table.add_row(found.method, str(found.steps), str(found.stages), *seconds, differs, note)
    console.print(f"{describe(options.device)}, {options.max_minutes} minutes for each method")
    console.print(table)
    if options.out:
        (options.out / "methods.txt").write_text(console.export_text())
    return 1 if any(found.failed() for found in results) else 0


def describe(device: str) -> str:
    """The device and the version of PyTorch."""
    card = torch.cuda.get_device_name(device) if device.startswith("cuda") else "CPU"
    return f"{card}, torch {torch.__version__}"


def save(folder: Path | None, results: list[Result]) -> None:
    """Write what there is so far."""
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "methods.json").write_text(json.dumps([asdict(found) for found in results], indent=1))


if __name__ == "__main__":
    sys.exit(main())
