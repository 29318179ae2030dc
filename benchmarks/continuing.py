"""Whether going on from a finished run keeps what it has learned.

    python benchmarks/continuing.py --data DATA --out DIR

Every method is trained for --minutes, and then goes on from its own run (`--init`) for --more minutes with
the default flags. DATA has boxes and masks, from which segmenters make their label maps and classifiers cut
their objects.

Prints a Markdown table of the metric that decides which weights are best, on all validation photos: of the
first run (start), and of the last and the best weights of the second. A run is loaded with its best weights.
Trainings that are in DIR already are not repeated, and a stopped one is continued.
"""

from __future__ import annotations

import argparse
import json
import shlex
from dataclasses import dataclass
from pathlib import Path

from ablations import boxmask, deciding, train
from boxmask.models.table import MODELS

TOLERANCE = 0.01


@dataclass(frozen=True)
class Continuation:
    """A metric on the validation photos, before and after the second training of a method."""

    metric: str
    start: float
    last: float
    best: float

    @property
    def keeps(self) -> bool:
        """Whether the weights at the end are as good as those at the start."""
        return self.last >= self.start - TOLERANCE


def go_on(model: str, args: argparse.Namespace) -> Continuation:
    """Train a method twice, the second time from the first run."""
    flags = shlex.split(args.flags)
    first_flags = [*flags, "--model", model, "--max-minutes", f"{args.minutes:g}"]
    first = train(args.data, first_flags, args.out / model)
    more = [*flags, "--init", str(first.path), "--max-minutes", f"{args.more:g}"]
    second = train(args.data, more, args.out / f"{model}-more")
    checkpoints = (first.best_checkpoint, second.last_checkpoint, second.best_checkpoint)
    found = [evaluate(checkpoint, args.data) for checkpoint in checkpoints]
    metric = deciding(found[0])
    start, last, best = (metrics[metric] for metrics in found)
    return Continuation(metric, start, last, best)


def evaluate(checkpoint: Path, data: Path) -> dict[str, float]:
    """The metrics of a checkpoint on all validation photos; kept beside it."""
    file = checkpoint.with_suffix(".val.json")
    if not file.is_file():
        boxmask("evaluate", checkpoint, data, "--split", "val", "--json", file)
    return {name: value for name, value in json.loads(file.read_text()).items() if isinstance(value, float)}


def row(model: str, found: Continuation) -> str:
    change = f"{found.last - found.start:+.3f}" + ("" if found.keeps else " (falls)")
    values = f"{found.start:.3f} | {found.last:.3f} | {found.best:.3f}"
    return f"| {model} | {found.metric} | {values} | {change} |"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="photos labeled with boxes and masks")
    parser.add_argument("--out", type=Path, required=True, help="folder for the runs")
    parser.add_argument("--minutes", type=float, default=3.0, help="minutes of the first training")
    parser.add_argument("--more", type=float, default=2.0, help="minutes of the second training")
    parser.add_argument("--models", nargs="+", default=list(MODELS), choices=list(MODELS))
    parser.add_argument("--flags", default="", help="flags of both trainings, in one word")
    args = parser.parse_args()
    args.data, args.out = args.data.absolute(), args.out.absolute()
    args.out.mkdir(parents=True, exist_ok=True)
    print("| model | metric | start | last | best | last - start |\n| --- | --- | --- | --- | --- | --- |")
    for model in args.models:
        print(row(model, go_on(model, args)), flush=True)


if __name__ == "__main__":
    main()
