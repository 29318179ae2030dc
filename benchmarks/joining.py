"""Does joining help? `python benchmarks/joining.py DATA --out DIR`, on photos with outlines.

Trains a Faster R-CNN on the boxes, a classifier on the objects cut out, and then Mask R-CNNs that begin with
ImageNet weights alone, with the classifier, with the detector, and with both; each with several seeds and in
the same minutes. Every fifth photo, by name, is never trained on, and judged often on the way: the curve is
their mask AP over the minutes, the validations included. A run that is in DIR already is not trained again.
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

LEVELS = (0.3, 0.5, 0.6, 0.7)  # mask AP, whose minutes are told


@dataclass(frozen=True)
class Beginning:
    """A way to begin: its name, its color, and the runs that it is joined from."""

    name: str
    color: str
    parents: tuple[str, ...]


BEGINNINGS = (
    Beginning("ImageNet alone", "#882255", ()),
    Beginning("classifier", "#E69F00", ("classifier",)),
    Beginning("detector", "#56B4E9", ("detector",)),
    Beginning("detector and classifier", "#009E73", ("detector", "classifier")),
)


def train(run: Path, args: argparse.Namespace, *flags: object) -> None:
    """From the command line, as a user would."""
    if Run(run).finished:
        return
    split = ("--split-file", args.out / "split.json")
    words = map(str, ("train", args.data, *split, *flags, "--out", run))
    subprocess.run([sys.executable, "-c", "from boxmask.cli import main; main()", *words], check=True)


def write_split_file(args: argparse.Namespace) -> None:
    """Every fifth photo, the first included, is for judging; the others are for training."""
    files = read_unsplit_detection(args.data).files.tolist()
    split = {"train": [f for n, f in enumerate(files) if n % 5], "val": files[::5], "test": []}
    (args.out / "split.json").write_text(json.dumps(split))


def curve(run: Path) -> NDArray[np.float64]:
    """(V, 2): minutes and mask AP of each validation."""
    rows = [json.loads(line) for line in Run(run).log_file.read_text().splitlines()]
    return np.array([(row["minutes"], row["val"]["mask_AP"]) for row in rows if "val" in row])


def minutes_to(curves: list[NDArray[np.float64]], level: float) -> str:
    """The mean over the seeds of when the curve first reaches the level; how many never do."""
    reached = [one[np.argmax(one[:, 1] >= level), 0] for one in curves if (one[:, 1] >= level).any()]
    if not reached:
        return "–"
    missing = len(curves) - len(reached)
    return f"{np.mean(reached):.2f}" + (f" ({missing} never)" if missing else "")


def draw(curves: dict[str, list[NDArray[np.float64]]], picture: Path) -> None:
    """Each seed thin, their mean thick."""
    figure = Figure(figsize=(7, 4.2), layout="constrained")
    axes = figure.subplots()
    for way in BEGINNINGS:
        for one in curves[way.name]:
            axes.plot(one[:, 0], one[:, 1], color=way.color, linewidth=0.7, alpha=0.5)
        grid = np.linspace(0, max(one[-1, 0] for one in curves[way.name]), 100)
        all_seeds = [np.interp(grid, one[:, 0], one[:, 1], left=np.nan) for one in curves[way.name]]
        mean = np.mean(all_seeds, axis=0)
        axes.plot(grid, mean, color=way.color, linewidth=2.5, label=way.name)
    axes.set(xlabel="minutes", ylabel="mask AP, photos not trained on", ylim=(0, 1))
    axes.grid(alpha=0.3)
    axes.legend(title="Mask R-CNN joined from")
    canvas: Any = FigureCanvasAgg(figure)
    canvas.print_png(picture)


def tabulate(curves: dict[str, list[NDArray[np.float64]]]) -> Table:
    table = Table(title="minutes to a mask AP of, mean of the seeds")
    for heading in ("joined from", *(f"{level:.1f}" for level in LEVELS), "at the end"):
        table.add_column(heading)
    for name, ones in curves.items():
        last = f"{np.mean([one[-1, 1] for one in ones]):.3f}"
        table.add_row(name, *(minutes_to(ones, level) for level in LEVELS), last)
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=1.5, help="of each Mask R-CNN")
    parser.add_argument("--parent-minutes", type=float, default=3.0, help="of the others")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--num-validations", type=int, default=12)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    write_split_file(args)
    for parent, model in (("detector", "faster-rcnn"), ("classifier", "classifier")):
        train(args.out / parent, args, "--model", model, "--max-minutes", args.parent_minutes)
    curves: dict[str, list[NDArray[np.float64]]] = {way.name: [] for way in BEGINNINGS}
    how = ("--model", "mask-rcnn", "--max-minutes", args.minutes, "--num-validations", args.num_validations)
    for seed in range(args.seeds):  # in turns, so that a busy machine is as busy for all
        for way in BEGINNINGS:
            run = args.out / f"{way.name.replace(' ', '-')}-{seed}"
            parents = [word for parent in way.parents for word in (f"--{parent}", args.out / parent)]
            train(run, args, *how, "--seed", seed, *parents)
            curves[way.name].append(curve(run))
    Console().print(tabulate(curves))
    draw(curves, args.out / "joining.png")
    print(args.out / "joining.png")


if __name__ == "__main__":
    main()
