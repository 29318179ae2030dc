"""How long commands take to start, beside importing PyTorch: `python benchmarks/start.py`.

Every row is a process of its own, for one photo of 320x240 pixels and an untrained model of one class. CPU
time counts user and system time of all threads, which a busy machine disturbs less than wall time does. The
rows take turns; the table shows the smallest of the rounds, and each row beside "import torch, torchvision".
Cold rows compile the kernels into an empty cache, as after an installation. `--source FOLDER` measures
another version of boxmask, beside this one.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image
from rich.console import Console
from rich.table import Table

import boxmask

ANCHOR = "import torch, torchvision"
IMPORTS = f"import sys; {ANCHOR}; print(len(sys.modules), file=sys.stderr)"
PROGRAM = """
import sys
from boxmask.cli import main
try:
    main()
finally:
    print(len(sys.modules), file=sys.stderr)
"""


class Cost(NamedTuple):
    """Seconds of CPU and wall time of a process, and the modules that it has loaded at its end."""

    cpu: float
    wall: float
    modules: int


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cold", action="store_true", help="also with an empty cache of kernels")
    parser.add_argument("--source", type=Path, help="folder `src` of another version")
    given = parser.parse_args()
    sources = {"": Path(boxmask.__file__).parents[1]}
    if given.source:
        sources[" (other)"] = given.source.resolve()
    with tempfile.TemporaryDirectory() as folder:
        rows = commands(Path(folder))
        costs = {name: [] for name in (ANCHOR, *(row + which for row in rows for which in sources))}
        for number in range(given.rounds):
            cache = Path(folder, f"cache-{number}" if given.cold else "cache")
            for which, source in sources.items():
                costs[ANCHOR].append(
                    measure(["-c", f"import sys; {ANCHOR}; print(len(sys.modules), file=sys.stderr)"])
                )
                for row, arguments in rows.items():
                    costs[row + which].append(
                        measure(["-c", PROGRAM, *arguments], source, Path(f"{cache}{which}"))
                    )
    Console().print(make_table(costs))


def commands(folder: Path) -> dict[str, list[str]]:
    """The arguments of each row."""
    from boxmask.models.table import make_config, model_entry
    from boxmask.weights.checkpoint import CheckpointMetadata, save_checkpoint

    photo, run = folder / "photo.png", folder / "run.safetensors"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (240, 320, 3), np.uint8)).save(photo)
    config = make_config("faster-rcnn", "default", class_names=("cat",))
    network = model_entry("faster-rcnn").build(config, None)
    save_checkpoint(run, network.state_dict(), CheckpointMetadata("faster-rcnn", asdict(config)))
    return {
        "--help": ["--help"],
        "predict": ["predict", str(run), str(photo), "--out", str(folder / "found")],
        "proposals": ["proposals", str(photo), "--out", str(folder / "proposals")],
    }


def measure(arguments: list[str], source: Path | None = None, cache: Path | None = None) -> Cost:
    """The cost of one Python process. Raises RuntimeError if it fails."""
    environment = dict(os.environ)
    if source is not None:
        environment |= {"PYTHONPATH": str(source), "NUMBA_CACHE_DIR": str(cache)}
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run(
        [sys.executable, *arguments], env=environment, capture_output=True, text=True, check=False
    )
    after, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic() - began
    if done.returncode:
        raise RuntimeError(done.stderr)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(cpu, wall, int(done.stderr.split()[-1]))


def make_table(costs: dict[str, list[Cost]]) -> Table:
    """One row per command: the smallest costs, and the CPU time beside the anchor's."""
    table = Table("command", "CPU s", "wall s", "times the import", "modules")
    anchor = min(cost.cpu for cost in costs[ANCHOR])
    for name, rounds in costs.items():
        cpu, wall = min(cost.cpu for cost in rounds), min(cost.wall for cost in rounds)
        table.add_row(name, f"{cpu:.2f}", f"{wall:.2f}", f"{cpu / anchor:.2f}", f"{rounds[-1].modules:,}")
    return table


if __name__ == "__main__":
    main()
