"""Seconds and memory of `boxmask check --labels-only` on many photos: `python benchmarks/check_labels.py`.

Writes labels of 100,000 photos with about five objects each, as boxes and as polygons of 20 points, in each
format that holds them. The photos are empty files. Each data set is checked in a process of its own. Prints
the seconds of the program, those of its processors, the most memory that its process held, and the number
of findings. Bounds: 30 seconds, 1 GB. Exits with 1 if a format exceeds them.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.table import Table

from many_labels import BOXES, POLYGONS, Row, make_rows

MAX_SECONDS, MAX_BYTES = 30.0, 1e9
NUMBERS = ("photos", "objects", "seconds", "CPU seconds", "MB", "errors", "warnings", "notes")
SHAPES = {"boxes": BOXES, "polygons": POLYGONS}


def main() -> int:
    arguments = _parser().parse_args()
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("format")
    table.add_column("shapes")
    for heading in NUMBERS:
        table.add_column(heading, justify="right")
    failed = 0
    for shape in arguments.shapes:
        for name in SHAPES[shape]:
            if name not in arguments.format:
                continue
            with tempfile.TemporaryDirectory(dir=arguments.folder) as scratch:
                folder = Path(scratch) / "data"
                num_objects = write_data(folder, name, shape, arguments.photos)
                seconds, cpu_seconds, memory, totals = check(folder)
            failed |= seconds > MAX_SECONDS or memory > MAX_BYTES
            numbers = [
                f"{arguments.photos:,}",
                f"{num_objects:,}",
                f"{seconds:.1f}",
                f"{cpu_seconds:.1f}",
                f"{memory / 1e6:.0f}",
                *(str(totals[severity]) for severity in ("errors", "warnings", "notes")),
            ]
            print(name, shape, *numbers, file=sys.stderr)
            table.add_row(name, shape, *numbers)
    Console(width=120).print(table)
    return int(failed)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="check_labels", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    names = sorted({*BOXES, *POLYGONS})
    parser.add_argument("--photos", type=int, default=100_000, help="photos of each data set")
    parser.add_argument("--format", nargs="+", default=names, choices=names, help="formats to check")
    parser.add_argument("--shapes", nargs="+", default=list(SHAPES), choices=list(SHAPES))
    parser.add_argument(
        "--folder", type=Path, help="where the data sets are written (default: a temporary one)"
    )
    return parser


def write_data(folder: Path, name: str, shape: str, num_photos: int) -> int:
    """Write labels and empty photos. Returns the number of objects."""
    counted = [0]

    def rows() -> Iterator[Row]:
        for row in make_rows(num_photos, polygons=shape == "polygons"):
            counted[0] += len(row.labels)
            yield row

    SHAPES[shape][name](folder, rows())
    return counted[0]


def check(folder: Path) -> tuple[float, float, float, dict[str, int]]:
    """Seconds, CPU seconds, bytes and number of findings of one check."""
    report = folder.parent / "report.json"
    command = [sys.executable, "-m", "boxmask", "check", str(folder), "--labels-only", "--json", str(report)]
    start = time.perf_counter()
    log = os.open(folder.parent / "log.txt", os.O_WRONLY | os.O_CREAT)
    to_log = [(os.POSIX_SPAWN_DUP2, log, 1), (os.POSIX_SPAWN_DUP2, log, 2)]
    process = os.posix_spawn(sys.executable, command, os.environ, file_actions=to_log)
    _, status, usage = os.wait4(process, 0)
    seconds = time.perf_counter() - start
    os.close(log)
    if not report.is_file():
        raise SystemExit((folder.parent / "log.txt").read_text() or f"boxmask check ended with {status}")
    in_kilobytes = 1 if sys.platform == "darwin" else 1024
    cpu_seconds = usage.ru_utime + usage.ru_stime
    return seconds, cpu_seconds, usage.ru_maxrss * in_kilobytes, json.loads(report.read_text())["totals"]


if __name__ == "__main__":
    sys.exit(main())
