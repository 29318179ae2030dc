"""Training and prediction on a quiet and on a busy machine: `python benchmarks/busy.py`.

boxmask's default Faster R-CNN (EfficientNet-Lite0, 320 px) beside torchvision's
`fasterrcnn_mobilenet_v3_large_320_fpn`, on the same generated photos. A competitor is a Python process that
computes without end on one core. Every row of the table is measured in its own process, because OpenMP reads
its variables when PyTorch is loaded. With boxmask's setting, "sleep", idle threads soon sleep; with OpenMP's
default, "spin", they spin for longer. The rows take turns, and the table shows medians over the rounds. The
last column compares the two settings on the quiet machine. Run it on a machine that does nothing else; it
takes about six minutes on two cores.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import product
from statistics import median
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

from boxmask.wait_policy import SETTING

SIDES, WORKS = ("boxmask", "torchvision"), ("training", "prediction")
SETTINGS = {
    "sleep": SETTING,
    "spin": {
        "GOMP_SPINCOUNT": "300000"
    },  # the default of GNU's OpenMP, given so that boxmask changes nothing
}
COMPETITORS = (0, 1, 2)
BATCH = 4  # photos per training step; prediction takes one photo at a time
CLASSES = ("Platelets", "RBC", "WBC")
SPIN = "import os\nparent = os.getppid()\nwhile os.getppid() == parent: sum(range(100_000))"


class Case(NamedTuple):
    """A process that measures: whose network, training or prediction, and how its threads wait."""

    side: str
    work: str
    waiting: str


# ---------------------------------------------------------------- the measuring process


def make_work(side: str, work: str) -> tuple[Callable[[], object], int]:
    """The work to time, and its number of photos. Imports PyTorch."""
    import torch

    from training_step import freeze, make_photos, stepper

    torch.manual_seed(0)
    images, targets = make_photos(BATCH)
    if side == "boxmask":
        from boxmask.cli.memory import keep_memory
        from boxmask.models.table import make_config, model_entry

        keep_memory()
        config = make_config("faster-rcnn", "default", class_names=CLASSES)
        network = model_entry("faster-rcnn").build(config, None)
        network.freeze(2)  # as in the default recipe
        if work == "training":
            return stepper(network, lambda: network.loss(images, targets)), BATCH
        return lambda: network.predict(images[0]), 1
    from torchvision.models.detection import fasterrcnn_mobilenet_v3_large_320_fpn

    model = fasterrcnn_mobilenet_v3_large_320_fpn(
        weights=None, weights_backbone=None, num_classes=len(CLASSES) + 1
    )
    labels = [{"boxes": target.boxes, "labels": target.labels + 1} for target in targets]
    if work == "training":
        freeze(model)
        return stepper(model, lambda: model(images, labels)), BATCH
    model.eval()
    return torch.inference_mode()(lambda: model(images[:1])), 1


def measure(side: str, work: str, seconds: float) -> None:
    """After each line on stdin, work for `seconds` and print images per second; begin with a warm-up."""
    step, photos = make_work(side, work)
    step()
    print("ready", flush=True)
    for _ in sys.stdin:
        begin, steps = time.perf_counter(), 0
        while steps == 0 or time.perf_counter() - begin < seconds:
            step()
            steps += 1
        print(photos * steps / (time.perf_counter() - begin), flush=True)


# ---------------------------------------------------------------- all measurements


@contextmanager
def competing(count: int) -> Iterator[None]:
    """Keep `count` cores busy, with a process each; they end with this block, and with this script."""
    spinners = [subprocess.Popen([sys.executable, "-c", SPIN]) for _ in range(count)]
    try:
        yield
    finally:
        for spinner in spinners:
            spinner.kill()
        for spinner in spinners:
            spinner.wait()


def rates(case: Case, seconds: float, threads: int) -> list[float]:
    """Images per second beside each number of competitors, in one process."""
    command = [sys.executable, __file__, "--measure", case.side, case.work, "--seconds", str(seconds)]
    inherited = {name: value for name, value in os.environ.items() if name not in SETTING}
    environment = inherited | SETTINGS[case.waiting] | {"OMP_NUM_THREADS": str(threads)}
    process = subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    )
    try:
        read_line(process, case)
        return [rate(process, case, count) for count in COMPETITORS]
    finally:
        process.kill()
        process.wait()


def rate(process: subprocess.Popen[str], case: Case, competitors: int) -> float:
    with competing(competitors):
        process.stdin.write("measure\n")
        return float(read_line(process, case))


def read_line(process: subprocess.Popen[str], case: Case) -> str:
    line = process.stdout.readline()
    if not line:
        raise RuntimeError(f"{', '.join(case)}: the measuring process ended early")
    return line


def table_of(measured: dict[Case, list[list[float]]]) -> Table:
    """One row per case, with medians over the rounds."""
    table = Table("", "", "threads", title="images/s; in parentheses, relative to the quiet machine")
    for count in COMPETITORS:
        table.add_column(f"{count} competing" if count else "quiet", justify="right")
    table.add_column("sleep / spin, quiet", justify="right")
    medians = {
        case: [median(column) for column in zip(*rows, strict=True)] for case, rows in measured.items()
    }
    for case, (quiet, *busy) in medians.items():
        cells = [f"{quiet:.2f}", *(f"{value:.2f} ({value / quiet:.2f})" for value in busy)]
        if case.waiting == "sleep":
            cells.append(f"{quiet / medians[case._replace(waiting='spin')][0]:.2f}")
        table.add_row(*case, *cells)
    return table


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=4, help="length of each measurement")
    parser.add_argument("--rounds", type=int, default=2, help="measurements per cell of the table")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="threads of PyTorch")
    parser.add_argument("--measure", nargs=2, metavar=("SIDE", "WORK"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        measure(*options.measure, options.seconds)
        return
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that `finally` ends all processes
    cases = [Case(*case) for case in product(SIDES, WORKS, SETTINGS)]
    measured: dict[Case, list[list[float]]] = {case: [] for case in cases}
    with Console(stderr=True).status("") as status:
        for number in range(1, options.rounds + 1):
            for case in cases:
                status.update(f"round {number}: {', '.join(case)}")
                measured[case].append(rates(case, options.seconds, options.threads))
    console = Console(width=120)
    console.print(f"{options.threads} threads, {options.rounds} rounds of {options.seconds:g} s")
    console.print(table_of(measured))


if __name__ == "__main__":
    main()
