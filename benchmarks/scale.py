"""How cost grows with the work: `python benchmarks/scale.py`, or with the names of rows.

Each row does the same work at three sizes, ten times as large each time, each in a process of its own. The
table shows CPU time per photo or object, and the memory that the work adds to the process at its peak. The
last columns compare the largest size with the smallest: a time of 1.0 is linear.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from boxmask.data.detection.dataset import DetectionDataset

OBJECTS, SIDE = 8, 320  # objects per photo, pixels of a photo's side

Work = Callable[[], object]


class Row(NamedTuple):
    """What is counted, the sizes, and the function that prepares the work for one of them."""

    unit: str
    sizes: tuple[int, int, int]
    prepare: Callable[[int], Work]


# ---------------------------------------------------------------- the work


def make_dataset(photos: int) -> DetectionDataset:
    """Photos with eight objects of two classes each, all with masks. No file exists."""
    from boxmask.data.detection.dataset import DetectionDataset

    random, count = np.random.default_rng(0), photos * OBJECTS
    corners = random.uniform(0, SIDE - 40, (count, 2))
    boxes = np.concatenate([corners, corners + random.uniform(8, 40, (count, 2))], axis=1)
    return DetectionDataset(
        root=Path("none"),
        class_names=("cat", "dog"),
        files=np.array([f"{photo}.jpg" for photo in range(photos)]),
        image_ids=np.arange(photos),
        sizes=np.full((photos, 2), SIDE, np.int32),
        splits=np.full(photos, "test"),
        offsets=np.arange(photos + 1) * OBJECTS,
        boxes=boxes.astype(np.float32),
        labels=random.integers(0, 2, count),
        areas=(boxes[:, 2:] - boxes[:, :2]).prod(axis=1).astype(np.float32),
        crowd=np.zeros(count, bool),
        difficult=np.zeros(count, bool),
        runs=np.tile(np.array([100, 20, SIDE * SIDE - 120], np.int32), count),
        run_offsets=np.arange(count + 1) * 3,
    )


def matching(objects: int) -> Work:
    """Match 40,000 anchors to the objects of one photo."""
    import torch

    from boxmask.geometry.matching import match_boxes

    corners = torch.rand(40_000, 2, generator=torch.Generator().manual_seed(0)) * SIDE
    anchors = torch.cat([corners, corners + 32], dim=1)
    return lambda: match_boxes(anchors, anchors[:objects], None, (0.3, 0.7), allow_low_quality=True)


def masks(photos: int) -> Work:
    """Compress the labeled masks of each photo, as the evaluation of masks does."""
    from boxmask.evaluation.detection.coco_masks import object_rles

    dataset = make_dataset(photos)
    return lambda: [object_rles(dataset, photo) and None for photo in range(photos)]


def bootstrap(photos: int) -> Work:
    """Intervals of AP for detections that are the labels, moved a little."""
    from boxmask.evaluation.detection.bootstrap import ap_intervals
    from boxmask.types import Detections

    dataset, random = make_dataset(photos), np.random.default_rng(1)
    found = []
    for photo in range(photos):
        rows = dataset.rows(photo)
        boxes = (dataset.boxes[rows] + random.normal(0, 3, (OBJECTS, 1))).astype(np.float32)
        scores = np.sort(random.random(OBJECTS).astype(np.float32))[::-1].copy()
        found.append(Detections(boxes, scores, dataset.labels[rows], dataset.class_names, (SIDE, SIDE)))
    return lambda: ap_intervals(dataset, found, resamples=200)


ROWS = {
    "matching": Row("object", (40, 400, 4000), matching),
    "masks": Row("photo", (100, 1000, 10_000), masks),
    "bootstrap": Row("photo", (300, 3000, 30_000), bootstrap),
}


# ---------------------------------------------------------------- measuring


def measure_here(name: str, size: int) -> None:
    """Print the seconds and the bytes of one size, as JSON."""
    smallest = ROWS[name].prepare(ROWS[name].sizes[0])
    smallest()  # imports, compiled loops
    work = ROWS[name].prepare(size)
    before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    work()
    seconds = time.process_time() - began
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps([seconds, (after - before) * 1024]))


def measure(name: str, size: int) -> tuple[float, int]:
    """The same in a process of its own."""
    command = [sys.executable, __file__, "--size", str(size), name]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    seconds, memory = json.loads(done.stdout)
    return seconds, memory


def make_table(names: Sequence[str]) -> Table:
    """One line per row of `ROWS`."""
    table = Table("row", "sizes", "CPU µs each", "peak MB", "time each, largest/smallest", "memory, the same")
    for name in names:
        row = ROWS[name]
        costs = [measure(name, size) for size in row.sizes]
        each = [seconds / size for (seconds, _), size in zip(costs, row.sizes, strict=True)]
        table.add_row(
            f"{name} (per {row.unit})",
            " ".join(f"{size:,}" for size in row.sizes),
            " ".join(f"{1e6 * seconds:,.0f}" for seconds in each),
            " ".join(f"{memory / 1e6:,.0f}" for _, memory in costs),
            f"{each[-1] / each[0]:.2f}",
            f"{costs[-1][1] / max(1e6, costs[0][1]):.1f}",
        )
    return table


def main() -> None:
    """Print the table."""
    style = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=style)
    parser.add_argument("rows", nargs="*", choices=[*ROWS, []], help="default: all")
    parser.add_argument("--size", type=int, help="measure one size in this process, and print JSON")
    given = parser.parse_args()
    if given.size is not None:
        measure_here(given.rows[0], given.size)
    else:
        Console().print(make_table(given.rows or list(ROWS)))


if __name__ == "__main__":
    main()
