"""The R-CNN family on the same photos: `python benchmarks/lineage.py DATA --out DIR`.

Trains every method from the command line, with the same backbone, photos and photo size, each for its own
minutes, proposals included. Evaluates them on the test photos. Then measures the seconds per photo, split
into proposals, features, heads and the rest; no proposals come from a cache. One-stage detectors have no
proposals. On photos with masks, Mask R-CNN and the segmenters can be chosen, too. Runs that are in DIR
already are not trained again, so a benchmark that was stopped can be continued.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from rich.console import Console
from rich.table import Table

from boxmask.cli.memory import keep_memory
from boxmask.detectors.fast_rcnn import compress_with_svd
from boxmask.models.table import AnyModel
from boxmask.photos.read import to_image
from boxmask.runs.run import Run
from boxmask.tasks.contract import LabelOptions
from boxmask.tasks.table import task_of
from boxmask.weights.checkpoint import load_model

PARTS = ("image", "proposals", "features", "heads", "post-processing")


@dataclass(frozen=True)
class Method:
    """A row of the table: flags of the training, and the part of a photo's time that each function is in."""

    name: str
    flags: tuple[str, ...]
    minutes: float
    parts: dict[str, str]
    svd: bool = False


RCNN = {
    "prepare": "image",
    "propose": "proposals",
    "extract_features": "features",
    "scores": "heads",
    "deltas": "heads",
    "postprocess": "post-processing",
}
FAST = {
    "prepare": "image",
    "propose": "proposals",
    "features": "features",
    "pool": "heads",
    "box_head.forward": "heads",
    "postprocess": "post-processing",
}
FASTER = {**FAST, "rpn_proposals": "proposals"}
ONE_STAGE = {"prepare": "image", "features": "features", "postprocess": "post-processing"}
SSD = {**ONE_STAGE, "head.forward": "heads", "default_boxes": "heads"}
RETINANET = {**ONE_STAGE, "heads": "heads", "anchors": "heads"}
FCOS = {**ONE_STAGE, "heads": "heads", "points": "heads"}
MASK = {
    "boxes.prepare": "image",
    "boxes.rpn_proposals": "proposals",
    "boxes.features": "features",
    "boxes.pool": "heads",
    "boxes.box_head.forward": "heads",
    "boxes.postprocess": "post-processing",
    "mask_head.forward": "heads",
    "add_masks": "post-processing",
}
SEGMENTER = {"features": "features", "heads": "heads"}  # resizing and labeling are not measured apart
METRICS = ("AP", "AP50", "mask_AP", "mask_AP50", "mIoU")
METHODS = {
    "rcnn": Method("R-CNN", ("--model", "rcnn"), 20, RCNN),
    "fast-rcnn": Method("Fast R-CNN", ("--model", "fast-rcnn"), 10, FAST),
    "fast-rcnn-svd": Method("Fast R-CNN, SVD", ("--model", "fast-rcnn"), 10, FAST, svd=True),
    "faster-rcnn": Method("Faster R-CNN", ("--model", "faster-rcnn"), 10, FASTER),
    "alternating": Method(
        "Faster R-CNN, 4 steps", ("--model", "faster-rcnn", "--training", "alternating"), 10, FASTER
    ),
    "ssd": Method("SSD", ("--model", "ssd"), 10, SSD),
    "retinanet": Method("RetinaNet", ("--model", "retinanet"), 10, RETINANET),
    "fcos": Method("FCOS", ("--model", "fcos"), 10, FCOS),
    "mask-rcnn": Method("Mask R-CNN", ("--model", "mask-rcnn"), 10, MASK),
    "fcn": Method("FCN", ("--model", "fcn"), 10, SEGMENTER),
    "unet": Method("U-Net", ("--model", "unet"), 10, SEGMENTER),
    "deeplab-v3": Method("DeepLabv3", ("--model", "deeplab-v3"), 10, SEGMENTER),
}


DETECTORS = ",".join(name for name, method in METHODS.items() if method.parts not in (MASK, SEGMENTER))


@dataclass
class Watch:
    """Seconds by part; time in an inner part is not counted for the outer one."""

    seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    inner: list[float] = field(default_factory=list)

    def timed(self, part: str, work: Callable[..., Any]) -> Callable[..., Any]:
        def run(*given: Any, **named: Any) -> Any:
            self.inner.append(0.0)
            begin = time.perf_counter()
            result = work(*given, **named)
            elapsed = time.perf_counter() - begin
            self.seconds[part] += elapsed - self.inner.pop()
            if self.inner:
                self.inner[-1] += elapsed
            return result

        return run


def watch_methods(model: AnyModel, parts: dict[str, str]) -> Watch:
    """Replace the model's methods by timed ones."""
    watch = Watch()
    for path, part in parts.items():
        *inside, name = path.split(".")
        owner = model.get_submodule(".".join(inside))
        setattr(owner, name, watch.timed(part, getattr(owner, name)))
    return watch


@dataclass(frozen=True)
class Row:
    """The measurements of a method."""

    name: str
    minutes: float
    metrics: dict[str, float]
    seconds: dict[str, float]

    @property
    def total(self) -> float:
        return sum(self.seconds.values())


def train(method: Method, run: Path, args: argparse.Namespace) -> None:
    """Train from the command line. A complete run is kept, a stopped one is continued."""
    if Run(run).finished:
        return
    if Run(run).resume_file.is_file():
        boxmask(run, "train", "--resume", "--out", run)
        return
    minutes = [] if args.epochs else ["--max-minutes", str(method.minutes * args.scale)]
    length = ["--epochs", str(args.epochs)] if args.epochs else minutes
    size = ["--size", str(args.size)] if args.size else []
    split = ["--split-file", args.split_file] if args.split_file else []
    flags = [*method.flags, *length, *size, *split, *reading_flags(args)]
    boxmask(run, "train", args.data, *flags, "--out", run)


def reading_flags(args: argparse.Namespace) -> list[object]:
    classes = ["--classes-file", args.classes_file, "--on-unknown-colors", "skip"]
    return ["--on-bad-boxes", "skip", *(classes if args.classes_file else ())]


def boxmask(run: Path, *words: object) -> None:
    """Run the program with a cache per run, so that no training uses proposals of another."""
    program = "from boxmask.cli import main; main()"
    cache = {"BOXMASK_CACHE": str(run.with_name(f"{run.name}-cache"))}
    subprocess.run([sys.executable, "-c", program, *map(str, words)], check=True, env=os.environ | cache)


def measure(method: Method, run: Path, args: argparse.Namespace) -> Row:
    """Metrics on the test photos, from the command line, and seconds per photo."""
    svd = ["--svd", *map(str, args.svd)] if method.svd else []
    metrics_file = run / f"test{'-svd' if method.svd else ''}.json"
    if not metrics_file.is_file():
        boxmask(run, "evaluate", run, args.data, *reading_flags(args), "--json", metrics_file, *svd)
    found = json.loads(metrics_file.read_text())
    model = load_model(run)
    if method.svd:
        compress_with_svd(model, tuple(args.svd))
    on_unknown_colors = "skip" if args.classes_file else None
    options = LabelOptions("skip", "error", args.classes_file, on_unknown_colors)
    labeled = task_of(model).read_split(run, Path(args.data), "test", options)
    seconds = seconds_of(model, method, labeled, args.photos)
    minutes = [json.loads(line)["minutes"] for line in (run / "log.jsonl").read_text().splitlines()][-1]
    metrics = {name: found[name] for name in METRICS if found.get(name) is not None}
    return Row(method.name, minutes, metrics, seconds)


def seconds_of(model: Any, method: Method, test: Any, count: int) -> dict[str, float]:
    """Mean seconds per photo by part, after one photo of warm-up."""
    photos = [to_image(test.path(photo)) for photo in range(min(count + 1, len(test)))]
    model.predict(photos[0])
    watch = watch_methods(model, method.parts)
    for photo in photos[1:]:
        model.predict(photo)
    return {part: watch.seconds[part] / max(1, len(photos) - 1) for part in PARTS}


def table_of(rows: list[Row], title: str) -> Table:
    table = Table(title=title, title_justify="left")
    table.add_column("method")
    shown = [name for name in METRICS if any(name in row.metrics for row in rows)]
    parts_named = [f"{part}, s" for part in PARTS]
    for heading in ("training, min", *shown, *parts_named, "total, s", "speedup"):
        table.add_column(heading, justify="right")
    for row in rows:
        parts = [f"{row.seconds[part]:.3f}" for part in PARTS]
        metrics = [f"{row.metrics[name]:.3f}" if name in row.metrics else "" for name in shown]
        cells = [f"{row.minutes:.1f}", *metrics, *parts, f"{row.total:.3f}"]
        table.add_row(row.name, *cells, f"{rows[0].total / row.total:.1f}")
    return table


def draw(rows: list[Row], picture: Path, title: str) -> None:
    """Draw a bar of seconds per photo for each method, split into parts, with its metrics."""
    figure = Figure(figsize=(10, 0.7 * len(rows) + 1.4), layout="constrained")
    axes = figure.subplots()
    left = [0.0] * len(rows)
    for part in PARTS:
        widths = [row.seconds[part] for row in rows]
        axes.barh([row.name for row in rows], widths, left=left, label=part)
        left = [a + b for a, b in zip(left, widths, strict=True)]
    for y, (row, end) in enumerate(zip(rows, left, strict=True)):
        name = next(name for name in ("AP50", "mIoU") if name in row.metrics)
        text = f"  {end:.2f} s   {name} {row.metrics[name]:.3f}   {row.minutes:.0f} min"
        axes.text(end, y, text, va="center")
    axes.invert_yaxis()
    axes.set(xlabel="seconds per photo", title=title, xlim=(0, 1.45 * max(left)))
    axes.legend(loc="lower right", fontsize="small")
    canvas: Any = FigureCanvasAgg(figure)
    canvas.print_png(picture)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", help="labeled photos, as for `boxmask train`")
    parser.add_argument("--out", type=Path, required=True, help="folder for the runs and the chart")
    parser.add_argument("--methods", default=DETECTORS, help=f"comma-separated; any of: {', '.join(METHODS)}")
    parser.add_argument(
        "--scale", type=float, default=1.0, help="factor on the minutes: R-CNN has 20, the others 10"
    )
    parser.add_argument("--epochs", type=int, help="train for epochs instead of minutes")
    parser.add_argument(
        "--size", type=int, default=480, help="shorter side in pixels; 0: each method's default"
    )
    parser.add_argument("--svd", type=int, nargs=2, default=(128, 64), help="ranks of fc6 and fc7")
    parser.add_argument("--photos", type=int, default=20, help="number of photos to measure seconds on")
    parser.add_argument("--split-file", type=Path, help="as for `boxmask train`")
    parser.add_argument("--classes-file", type=Path, help="as for `boxmask train`, for label images")
    parser.add_argument("--threads", type=int, default=2, help="threads of PyTorch")
    args = parser.parse_args()
    keep_memory()
    torch.set_num_threads(args.threads)
    args.out.mkdir(parents=True, exist_ok=True)
    rows = []
    for name in args.methods.split(","):
        run = args.out / name.removesuffix("-svd")
        train(METHODS[name], run, args)
        rows.append(measure(METHODS[name], run, args))
    title = f"{Path(args.data).resolve().name}: {args.threads} threads"
    Console(width=160).print(table_of(rows, title))
    draw(rows, args.out / "lineage.png", title)
    print(args.out / "lineage.png")


if __name__ == "__main__":
    main()
