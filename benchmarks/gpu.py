"""Speed on a GPU beside torchvision's, in one run: `python benchmarks/gpu.py`; a few minutes, no network.

Both sides have the same weights, sizes, photos, labels and trained parameters. They run in turns on the same
device, and the tables show medians. "host" is the time until the program may go on; the device may still
compute then. "launches" and "waits" are those of one run, as PyTorch's profiler counts them: kernels and
copies that were started, and points at which the host waited for the device.

Single precision is PyTorch's default: TF32 in convolutions, float32 in matrix products. --quick runs
everything once in a small form, also on a CPU.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
import torchvision
from PIL import Image
from rich.console import Console
from rich.table import Table
from torch import Tensor
from torch.autograd import DeviceType
from torch.profiler import ProfilerActivity, profile
from torch.utils.data import DataLoader, Dataset
from torchvision.models.detection.roi_heads import paste_masks_in_image
from torchvision.ops import MultiScaleRoIAlign

from boxmask.cli.memory import keep_memory
from boxmask.data.demo.make import make_demo
from boxmask.data.demo.scenes import DemoRecipe
from boxmask.kernels import batched_nms, paste_masks, pyramid_roi_align
from boxmask.runs.recipe import Recipe
from boxmask.training.clock import Clock
from boxmask.training.progress import Report
from boxmask.training.train import train
from boxmask.types import Target
from launches import make_step, predictors
from torchvision_pairs import LOSSES, Pair, make_pair
from training_step import Case, freeze, make_photos
from training_step import both as make_small_pair

Work = Callable[[], object]
SIDES = ("torchvision", "boxmask")
SECTIONS = ("kernels", "step", "prediction", "compiled", "files")


@dataclass(frozen=True)
class Settings:
    """What is run. `rounds` per row; sides in pixels; `seconds` per training from files."""

    device: torch.device
    rounds: int = 11
    side: int = 600
    batch: int = 4
    photos: int = 120
    seconds: float = 7.0
    networks: tuple[str, ...] = tuple(LOSSES)
    compiler: str = "inductor"
    precisions: tuple[str, ...] = ("fp32", "bf16")


@dataclass
class Measurement:
    """Medians of one side in milliseconds, and counts of one run (-1: not known)."""

    total: float
    host: float
    device: float = -1.0
    launches: int = -1
    waits: int = -1


@dataclass
class Row:
    """One line of a table: both sides."""

    section: str
    name: str
    torchvision: Measurement
    boxmask: Measurement
    note: str = ""

    def cells(self) -> list[str]:
        """The text of each column."""
        ours, theirs = self.boxmask, self.torchvision
        counts = [
            f"{a:.0f} / {b:.0f}" if min(a, b) >= 0 else ""
            for a, b in (
                (ours.host, theirs.host),
                (ours.device, theirs.device),
                (ours.launches, theirs.launches),
                (ours.waits, theirs.waits),
            )
        ]
        ratio = f"{theirs.total / ours.total:.2f}x"
        return [self.name, f"{theirs.total:.2f}", f"{ours.total:.2f}", ratio, *counts, self.note]


def measure(works: tuple[Work, Work], settings: Settings) -> list[Measurement]:
    """Time both sides in turns, after a warm-up, and profile one run of each."""
    for _ in range(3):
        for work in works:
            work()
    times: list[list[tuple[float, float]]] = [[], []]
    for _ in range(settings.rounds):
        for side, work in zip(times, works, strict=True):
            side.append(_time(work, settings.device))
    medians = [[median(column) * 1e3 for column in zip(*side, strict=True)] for side in times]
    return [
        Measurement(*values, *_profile(work, settings.device))
        for values, work in zip(medians, works, strict=True)
    ]


def _time(work: Work, device: torch.device) -> tuple[float, float]:
    """Seconds until the device is done, and until the host may go on."""
    _synchronize(device)
    begin = time.perf_counter()
    work()
    host = time.perf_counter() - begin
    _synchronize(device)
    return time.perf_counter() - begin, host


def _profile(work: Work, device: torch.device) -> tuple[float, int, int]:
    """Milliseconds of kernels, launches and waits of one run; -1 on a CPU."""
    if device.type != "cuda":
        return -1.0, -1, -1
    work()  # what the last timing left in the allocator and in caches
    _synchronize(device)
    with profile(activities=[ProfilerActivity.CPU, ProfilerActivity.CUDA], acc_events=True) as profiler:
        work()
        _synchronize(device)
    rows = profiler.key_averages()
    on_device = sum(row.self_device_time_total for row in rows if row.device_type != DeviceType.CPU)
    launches = sum(row.count for row in rows if "Launch" in row.key or "MemcpyAsync" in row.key)
    waits = sum(row.count for row in rows if row.key.startswith("cudaStreamSynchronize"))
    return on_device / 1e3, launches, waits


def _synchronize(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def bf16(device: torch.device) -> AbstractContextManager[Any]:
    """Mixed precision of both sides."""
    return torch.autocast(device.type, torch.bfloat16)


def context_of(precision: str, device: torch.device) -> Callable[[], AbstractContextManager[Any]]:
    """The context of "fp32" or "bf16"."""
    return nullcontext if precision == "fp32" else lambda: bf16(device)


def within(context: Callable[[], AbstractContextManager[Any]], work: Callable[[], Any]) -> Callable[[], Any]:
    """`work` inside a context."""

    def inside() -> Any:
        with context():
            return work()

    return inside


# ---------------------------------------------------------------- kernels


def kernel_rows(settings: Settings) -> Iterator[Row]:
    """RoIAlign, NMS and pasting of masks."""
    device, count = settings.device, 2048 if settings.side > 200 else 64
    torch.manual_seed(0)
    height, width = settings.side, settings.side * 4 // 3
    maps = [
        torch.rand(2, 256, height // s, width // s, device=device, requires_grad=True) for s in (4, 8, 16, 32)
    ]
    corner = torch.rand(count, 2, device=device) * torch.tensor([width, height], device=device) * 0.7
    side = 8 + torch.rand(count, 2, device=device) * settings.side * 0.3
    boxes = torch.cat([corner, corner + side], 1)
    levels = torch.randint(0, 4, (count,), device=device)
    pooler = MultiScaleRoIAlign(["0", "1", "2", "3"], 7, 2)
    named = {str(level): x for level, x in enumerate(maps)}
    halves = [boxes[: count // 2], boxes[count // 2 :]]
    levels = pooler_levels(pooler, named, halves, (height, width))
    scales = [1 / 4, 1 / 8, 1 / 16, 1 / 32]

    def align_reference() -> None:
        pooler(named, halves, [(height, width)] * 2).sum().backward()

    def align() -> None:
        pyramid_roi_align(maps, halves, levels, 7, scales, 2).sum().backward()

    yield Row("kernels", "RoIAlign, 4 levels", *measure((align_reference, align), settings))
    scores, classes = torch.rand(count, device=device), torch.randint(0, 80, (count,), device=device)
    works = (
        lambda: torchvision.ops.batched_nms(boxes, scores, classes, 0.5),
        lambda: batched_nms(boxes, scores, classes, 0.5),
    )
    yield Row("kernels", "NMS by class", *measure(works, settings))
    masks = torch.rand(100 if count > 100 else 10, 28, 28, device=device)
    near = boxes[: len(masks)]
    pastes = (
        lambda: paste_masks_in_image(masks[:, None], near, (height, width)),
        lambda: paste_masks(masks, near, (height, width)),
    )
    yield Row("kernels", f"paste {len(masks)} masks", *measure(pastes, settings))


def pooler_levels(
    pooler: MultiScaleRoIAlign, maps: dict[str, Tensor], boxes: list[Tensor], size: Any
) -> Tensor:
    """The levels that torchvision's pooler chooses."""
    pooler(maps, boxes, [size] * 2)
    levels: Tensor = pooler.map_levels(boxes)
    return levels


# ---------------------------------------------------------------- training step and prediction


def pairs(settings: Settings) -> Iterator[tuple[Pair, list[Tensor], list[Target]]]:
    """The networks on the device, with photos and labels."""
    for name in settings.networks:
        pair = make_pair(name, settings.side).to(settings.device)
        torch.manual_seed(0)
        images, targets = make_photos(settings.batch)
        pixels = [image.to(settings.device) for image in images]
        yield pair, pixels, [target.to(settings.device) for target in targets]
        del pair
        if settings.device.type == "cuda":
            torch.cuda.empty_cache()


def step_works(pair: Pair, images: list[Tensor], targets: list[Target], precision: Any) -> tuple[Work, Work]:
    """One step of both sides; `precision` is the context of the losses."""
    return (
        make_step(pair.reference, within(precision, pair.reference_loss(images, targets))),
        make_step(pair.detector, within(precision, pair.loss(images, targets))),
    )


def step_rows(settings: Settings) -> Iterator[Row]:
    """A training step of each network in both precisions."""
    for pair, images, targets in pairs(settings):
        differences = pair.differences(images, targets)
        mask = f", mask by {differences.pop('mask'):.0e}" if "mask" in differences else ""
        differ = f"losses differ by {max(differences.values()):.0e}{mask}"
        for name in settings.precisions:
            works = step_works(pair, images, targets, context_of(name, settings.device))
            note = differ if name == "fp32" else ""
            yield Row("step", f"{pair.name}, {name}", *measure(works, settings), note)


def prediction_rows(settings: Settings) -> Iterator[Row]:
    """The prediction of one photo with each network in both precisions."""
    for pair, images, _ in pairs(replace(settings, batch=1)):
        counts = f"{count_boxes(pair, images[0])} boxes"
        for name in settings.precisions:
            context = context_of(name, settings.device)
            reference, ours = (within(context, work) for work in predictors(pair, images[0]))
            note = counts if name == "fp32" else ""
            yield Row("prediction", f"{pair.name}, {name}", *measure((reference, ours), settings), note)


def count_boxes(pair: Pair, image: Tensor) -> str:
    """Numbers of detections: boxmask's and torchvision's."""
    with torch.inference_mode():
        expected = len(pair.reference.eval()([image])[0]["boxes"])
    return f"{len(pair.detector.eval().predict([image])[0])} / {expected}"


def compiled_rows(settings: Settings) -> Iterator[Row]:
    """A step of the first network with compiled backbone and pyramid."""
    for pair, images, targets in pairs(replace(settings, networks=settings.networks[:1])):
        pair.reference.backbone.compile(backend=settings.compiler)
        for part in (pair.detector.backbone, pair.detector.fpn):
            part.compile(backend=settings.compiler)
        begin = time.perf_counter()
        works = step_works(pair, images, targets, nullcontext)
        row = Row("compiled", f"{pair.name}, fp32, compiled", *measure(works, settings))
        row.note = f"{time.perf_counter() - begin:.0f} s with compilation"
        yield row
        mixed = step_works(pair, images, targets, lambda: bf16(settings.device))
        yield Row("compiled", f"{pair.name}, bf16, compiled", *measure(mixed, settings))


# ---------------------------------------------------------------- training from files


class TimedReport(Report):
    """Keeps the time and the number of images of each step."""

    def __init__(self) -> None:
        super().__init__(Console(quiet=True))
        self.steps: list[tuple[float, int]] = []

    def step(self, clock: Clock, losses: dict[str, float], images: int) -> None:
        """Keep one step."""
        super().step(clock, losses, images)
        self.steps.append((time.perf_counter(), images))


def images_per_second(steps: list[tuple[float, int]]) -> float:
    """The rate of the later half of the steps, which caches and workers have reached."""
    late = steps[len(steps) // 2 :]
    if len(late) < 2:
        return 0.0
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


def file_rows(settings: Settings) -> Iterator[tuple[str, float]]:
    """Training from JPEG files: images per second."""
    size = (480, 640) if settings.side > 200 else (96, 128)
    with tempfile.TemporaryDirectory() as scratch:
        folder = make_demo(Path(scratch) / "demo", photos=settings.photos, recipe=DemoRecipe(size=size))
        several = 8 if settings.side > 200 else 1
        steps = train_torchvision(folder, settings, several)
        yield f"torchvision, lite0-FPN, {several} workers", images_per_second(steps)
        same = {"preset": "fpn", "backbone": "tf_efficientnet_lite0"}
        for workers in sorted({1, several}):
            yield from boxmask_rates(folder, Path(scratch), settings, workers, "no", same)
        if settings.device.type == "cuda":
            yield from boxmask_rates(folder, Path(scratch), settings, several, "bf16", same)
            yield from boxmask_rates(folder, Path(scratch), settings, several, "bf16", {"preset": "default"})


def boxmask_rates(
    folder: Path, scratch: Path, settings: Settings, workers: int, precision: Any, options: dict[str, str]
) -> Iterator[tuple[str, float]]:
    """Train boxmask's Faster R-CNN with its own augmentation, average and checkpoints."""
    recipe = Recipe(
        max_minutes=settings.seconds / 60,
        size=320 if settings.side > 200 else 96,
        batch_size=settings.batch,
        workers=workers,
        precision=precision,
        num_validations=1,
        device=str(settings.device),
        on_unseen_classes="skip",
        **options,  # type: ignore[arg-type]
    )
    report = TimedReport()
    train(folder, recipe, scratch / f"run-{workers}-{precision}-{options['preset']}", report)
    name = f"boxmask, {options['preset']}, {precision}, {workers} workers"
    yield name, images_per_second(report.steps)


# ---------------------------------------------------------------- tables


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--quick", action="store_true", help="small photos, few rounds")
    parser.add_argument("--only", nargs="+", choices=SECTIONS, default=SECTIONS, help="these sections only")
    parser.add_argument("--networks", nargs="+", choices=list(LOSSES), help="these networks only")
    parser.add_argument("--precision", nargs="+", choices=("fp32", "bf16"), default=("fp32", "bf16"))
    parser.add_argument("--minutes", type=float, default=5.0, help="begin no section after this time")
    parser.add_argument("--out", type=Path, help="folder for gpu.txt and gpu.json")
    options = parser.parse_args()
    keep_memory()
    settings = Settings(torch.device(options.device), precisions=tuple(options.precision))
    if options.quick:
        settings = replace(settings, rounds=1, side=96, batch=2, photos=20, seconds=3.0, compiler="aot_eager")
    if options.networks:
        settings = replace(settings, networks=tuple(options.networks))
    console = Console(width=170, record=True)
    console.print(describe(settings))
    results: list[dict[str, Any]] = []
    begin = time.perf_counter()
    for section in options.only:
        if time.perf_counter() - begin > options.minutes * 60:
            console.print(f"{section}: left out, the time is up")
            continue
        console.print(run_section(section, settings, results, console))
        console.print(f"{time.perf_counter() - begin:.0f} s so far")
        save(options.out, console, results)


def run_section(section: str, settings: Settings, results: list[dict[str, Any]], console: Console) -> Table:
    """Run a section; after an error, the other networks still run."""
    if section == "files":
        table = Table("training from files", "images/s", title="files")
    else:
        table = Table("", "torchvision ms", "boxmask ms", "speed", "host", "GPU", "launches", "waits", "")
        table.title = f"{section}; pairs are boxmask / torchvision"
    several = section in ("step", "prediction")
    for networks in [(name,) for name in settings.networks] if several else [settings.networks]:
        try:
            for cells, result in section_rows(section, replace(settings, networks=networks)):
                table.add_row(*cells)
                results.append({"section": section, **result})
                print(section, *cells, sep="  ", flush=True)  # in case that the time is up before the table
        except Exception:
            console.print(f"{section} failed:\n{traceback.format_exc()}", markup=False)
    return table


def section_rows(section: str, settings: Settings) -> Iterator[tuple[list[str], dict[str, Any]]]:
    """The cells of each row of a section, and its numbers."""
    if section == "files":
        for name, rate in file_rows(settings):
            yield [name, f"{rate:.1f}"], {"name": name, "images_per_second": rate}
        return
    makers = {
        "kernels": kernel_rows,
        "step": step_rows,
        "prediction": prediction_rows,
        "compiled": compiled_rows,
    }
    for row in makers[section](settings):
        yield row.cells(), asdict(row)


def describe(settings: Settings) -> str:
    """The device and the versions."""
    card = torch.cuda.get_device_name(settings.device) if settings.device.type == "cuda" else "CPU"
    return f"{card}, torch {torch.__version__}, torchvision {torchvision.__version__}, {settings}"


def save(folder: Path | None, console: Console, results: list[dict[str, Any]]) -> None:
    """Write what there is so far."""
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "gpu.txt").write_text(console.export_text(clear=False))
        (folder / "gpu.json").write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
