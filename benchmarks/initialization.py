"""What initialization gains Mask R-CNN: `python benchmarks/initialization.py DATA --out DIR`.

DATA has masks. The script trains a Faster R-CNN on the boxes and a classifier on the objects. Then it trains
Mask R-CNNs for the same minutes with several seeds: from ImageNet weights alone, from the classifier, from
the detector, and from both. Every fifth photo, by name, is never trained on but evaluated several times
during training. The chart shows the mask AP on these photos over the minutes, validations included. Runs that
are in DIR already are not trained again.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from boxmask.data.detection.read import read_unsplit_detection
from boxmask.runs.run import Run

LEVELS = (0.3, 0.5, 0.6, 0.7)  # of mask AP, whose minutes are in the table


@dataclass(frozen=True)
class Init:
    """An initialization: its name, its color, and the runs that it comes from."""

    name: str
    color: str
    parents: tuple[str, ...]


INITS = (
    Init("ImageNet alone", "#882255", ()),
    Init("classifier", "#E69F00", ("classifier",)),
    Init("detector", "#56B4E9", ("detector",)),
    Init("detector and classifier", "#009E73", ("detector", "classifier")),
)


def train(run: Path, args: argparse.Namespace, *flags: object) -> None:
    """Train from the command line, unless the run is complete."""
    if Run(run).finished:
        return
    split = ("--split-file", args.out / "split.json")
    words = map(str, ("train", args.data, *split, *flags, "--out", run))
    subprocess.run([sys.executable, "-c", "from boxmask.cli import main; main()", *words], check=True)


def write_split_file(args: argparse.Namespace) -> None:
    """Write a split: every fifth photo, starting with the first, for validation; the others for training."""
    files = read_unsplit_detection(args.data).files.tolist()
    split = {"train": [f for n, f in enumerate(files) if n % 5], "val": files[::5], "test": []}
    (args.out / "split.json").write_text(json.dumps(split))


def curve(run: Path) -> NDArray[np.float64]:
    """(V, 2): minutes and mask AP of each validation."""
    rows = [json.loads(line) for line in Run(run).log_file.read_text().splitlines()]
    return np.array([(row["minutes"], row["val"]["mask_AP"]) for row in rows if "val" in row])


def minutes_to(curves: list[NDArray[np.float64]], level: float) -> str:
    """Mean minutes over the seeds until the curve reaches the level, and how many seeds never do."""
    reached = [c[np.argmax(c[:, 1] >= level), 0] for c in curves if (c[:, 1] >= level).any()]
    if not reached:
        return "–"
    missing = len(curves) - len(reached)
    return f"{np.mean(reached):.2f}" + (f" ({missing} never)" if missing else "")


def draw(curves: dict[str, list[NDArray[np.float64]]], picture: Path) -> None:
    """Draw a thin line per seed and a thick one for their mean."""
    figure = Figure(figsize=(7, 4.2), layout="constrained")
    axes = figure.subplots()
    for init in INITS:
        for points in curves[init.name]:
            axes.plot(points[:, 0], points[:, 1], color=init.color, linewidth=0.7, alpha=0.5)
        grid = np.linspace(0, max(points[-1, 0] for points in curves[init.name]), 100)
        all_seeds = [np.interp(grid, points[:, 0], points[:, 1], left=np.nan) for points in curves[init.name]]
        mean = np.mean(all_seeds, axis=0)
        axes.plot(grid, mean, color=init.color, linewidth=2.5, label=init.name)
    axes.set(xlabel="minutes", ylabel="mask AP on validation photos", ylim=(0, 1))
    axes.grid(alpha=0.3)
    axes.legend(title="Mask R-CNN initialized from")
    canvas: Any = FigureCanvasAgg(figure)
    canvas.print_png(picture)


def tabulate(curves: dict[str, list[NDArray[np.float64]]]) -> Table:
    table = Table(title="mean minutes to a mask AP of ...")
    for heading in ("initialized from", *(f"{level:.1f}" for level in LEVELS), "at the end"):
        table.add_column(heading)
    for name, seeds in curves.items():
        last = f"{np.mean([points[-1, 1] for points in seeds]):.3f}"
        table.add_row(name, *(minutes_to(seeds, level) for level in LEVELS), last)
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("data", type=Path, help="photos with masks, as for `boxmask train`")
    parser.add_argument("--out", type=Path, required=True, help="folder for the runs and the chart")
    parser.add_argument("--minutes", type=float, default=1.5, help="training time of each Mask R-CNN")
    parser.add_argument(
        "--parent-minutes", type=float, default=3.0, help="training time of the detector and the classifier"
    )
    parser.add_argument("--seeds", type=int, default=3, help="trainings per initialization")
    parser.add_argument("--num-validations", type=int, default=12, help="evaluations per training")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    write_split_file(args)
    for parent, model in (("detector", "faster-rcnn"), ("classifier", "classifier")):
        train(args.out / parent, args, "--model", model, "--max-minutes", args.parent_minutes)
    curves: dict[str, list[NDArray[np.float64]]] = {init.name: [] for init in INITS}
    length = ("--max-minutes", args.minutes, "--num-validations", args.num_validations)
    for seed in range(args.seeds):  # in turns, so that a busy machine disturbs all alike
        for init in INITS:
            run = args.out / f"{init.name.replace(' ', '-')}-{seed}"
            parents = [word for parent in init.parents for word in (f"--{parent}", args.out / parent)]
            train(run, args, "--model", "mask-rcnn", *length, "--seed", seed, *parents)
            curves[init.name].append(curve(run))
    Console().print(tabulate(curves))
    draw(curves, args.out / "initialization.png")
    print(args.out / "initialization.png")


if __name__ == "__main__":
    main()
