"""Seconds and memory of `boxmask check --labels-only` on many photos: `python benchmarks/check_labels.py`.

Writes labels of 100,000 photos with about five objects each, in COCO, VOC, YOLO, CVAT and CSV. The photos
are empty files. Each data set is checked in a process of its own. Prints the seconds of the program, those of
its processors, the most memory that its process held, and the number of findings. Bounds: 30 seconds, 1 GB.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

MAX_SECONDS, MAX_BYTES = 30.0, 1e9
CLASS_NAMES = tuple(f"class {letter}" for letter in "abcdefghijklmnopqrst")
WIDTH, HEIGHT = 640, 480


@dataclass(frozen=True)
class Row:
    """A photo: its name, and class and x1, y1, x2, y2 of each object."""

    name: str
    split: str
    labels: list[int]
    boxes: list[list[int]]


def main() -> int:
    arguments = _parser().parse_args()
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in (
        "format",
        "photos",
        "objects",
        "seconds",
        "CPU seconds",
        "MB",
        "errors",
        "warnings",
        "notes",
    ):
        table.add_column(heading, justify="left" if heading == "format" else "right")
    failed = 0
    for name in arguments.format:
        with tempfile.TemporaryDirectory(dir=arguments.folder) as scratch:
            folder = Path(scratch) / "data"
            num_objects = write_data(folder, name, arguments.photos)
            print(f"{name}: written", file=sys.stderr)
            seconds, cpu_seconds, memory, totals = check(folder)
        failed |= seconds > MAX_SECONDS or memory > MAX_BYTES
        counts = [str(totals[severity]) for severity in ("errors", "warnings", "notes")]
        numbers = [
            f"{arguments.photos:,}",
            f"{num_objects:,}",
            f"{seconds:.1f}",
            f"{cpu_seconds:.1f}",
            f"{memory / 1e6:.0f}",
        ]
        table.add_row(name, *numbers, *counts)
    Console(width=100).print(table)
    return int(failed)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="check_labels", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--photos", type=int, default=100_000, help="photos of each data set")
    parser.add_argument("--format", nargs="+", default=list(WRITERS), choices=list(WRITERS))
    parser.add_argument(
        "--folder", type=Path, help="where the data sets are written (default: a temporary one)"
    )
    return parser


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


# ---------------------------------------------------------------- data


def write_data(folder: Path, name: str, num_photos: int) -> int:
    """Write labels and empty photos. Returns the number of objects."""
    counted = [0]

    def rows() -> Iterator[Row]:
        for row in make_rows(num_photos):
            counted[0] += len(row.labels)
            yield row

    WRITERS[name](folder, rows())
    return counted[0]


def make_rows(num_photos: int) -> Iterator[Row]:
    """Photos with 2 to 8 objects in random places."""
    rng = np.random.default_rng(0)
    for index in range(num_photos):
        count = int(rng.integers(2, 9))
        sides = rng.integers(12, 200, (count, 2))
        corners = (rng.random((count, 2)) * ((WIDTH, HEIGHT) - sides)).astype(int)
        split = ("train", "train", "train", "val", "test")[index % 5]
        boxes = np.concatenate([corners, corners + sides], axis=1).tolist()
        labels = rng.integers(0, len(CLASS_NAMES), count).tolist()
        yield Row(f"{rng.integers(16**8):08x}-{index:06d}.jpg", split, labels, boxes)


def _make_photo(path: Path) -> None:
    """An empty file. Its folder is made with the first one."""
    try:
        path.touch()
    except FileNotFoundError:
        path.parent.mkdir(parents=True)
        path.touch()


def _write_text(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except FileNotFoundError:
        path.parent.mkdir(parents=True)
        path.write_text(text, encoding="utf-8")


def write_coco(folder: Path, rows: Iterator[Row]) -> None:
    categories = [{"id": index + 1, "name": name} for index, name in enumerate(CLASS_NAMES)]
    documents = {
        split: {"images": [], "annotations": [], "categories": categories}
        for split in ("train", "val", "test")
    }
    number = 0
    for index, row in enumerate(rows):
        _make_photo(folder / "images" / row.split / row.name)
        document = documents[row.split]
        document["images"].append({"id": index, "file_name": row.name, "width": WIDTH, "height": HEIGHT})
        for label, (x1, y1, x2, y2) in zip(row.labels, row.boxes, strict=True):
            number += 1
            box = [x1, y1, x2 - x1, y2 - y1]
            document["annotations"].append(
                {
                    "id": number,
                    "image_id": index,
                    "category_id": label + 1,
                    "bbox": box,
                    "area": box[2] * box[3],
                    "iscrowd": 0,
                }
            )
    for split, document in documents.items():
        _write_text(folder / "annotations" / f"instances_{split}.json", json.dumps(document))


def write_voc(folder: Path, rows: Iterator[Row]) -> None:
    listed: dict[str, list[str]] = {"train": [], "val": [], "test": []}
    for row in rows:
        _make_photo(folder / "JPEGImages" / row.name)
        stem = row.name.removesuffix(".jpg")
        listed[row.split].append(stem)
        objects = "".join(
            f"  <object>\n    <name>{CLASS_NAMES[label]}</name>\n    <pose>Unspecified</pose>\n"
            "    <truncated>0</truncated>\n    <difficult>0</difficult>\n    <bndbox>\n"
            f"      <xmin>{x1 + 1}</xmin>\n      <ymin>{y1 + 1}</ymin>\n"
            f"      <xmax>{x2}</xmax>\n      <ymax>{y2}</ymax>\n    </bndbox>\n  </object>\n"
            for label, (x1, y1, x2, y2) in zip(row.labels, row.boxes, strict=True)
        )
        sides = f"    <width>{WIDTH}</width>\n    <height>{HEIGHT}</height>\n    <depth>3</depth>\n"
        head = f"<annotation>\n  <folder>JPEGImages</folder>\n  <filename>{row.name}</filename>\n"
        _write_text(
            folder / "Annotations" / f"{stem}.xml",
            f"{head}  <size>\n{sides}  </size>\n{objects}</annotation>\n",
        )
    for split, stems in listed.items():
        _write_text(folder / "ImageSets" / "Main" / f"{split}.txt", "\n".join(stems) + "\n")


def write_yolo(folder: Path, rows: Iterator[Row]) -> None:
    names = "".join(f"  {index}: {name}\n" for index, name in enumerate(CLASS_NAMES))
    splits = "".join(f"{split}: images/{split}\n" for split in ("train", "val", "test"))
    _write_text(folder / "data.yaml", f"{splits}names:\n{names}")
    for row in rows:
        _make_photo(folder / "images" / row.split / row.name)
        lines = [
            f"{label} {(x1 + x2) / 2 / WIDTH:.6f} {(y1 + y2) / 2 / HEIGHT:.6f} "
            f"{(x2 - x1) / WIDTH:.6f} {(y2 - y1) / HEIGHT:.6f}\n"
            for label, (x1, y1, x2, y2) in zip(row.labels, row.boxes, strict=True)
        ]
        name = row.name.replace(".jpg", ".txt")
        _write_text(folder / "labels" / row.split / name, "".join(lines))


def write_cvat(folder: Path, rows: Iterator[Row]) -> None:
    parts = ['<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n  <version>1.1</version>\n']
    for index, row in enumerate(rows):
        _make_photo(folder / "images" / row.split / row.name)
        parts.append(
            f'  <image id="{index}" name="{row.name}" subset="{row.split}" '
            f'width="{WIDTH}" height="{HEIGHT}">\n'
        )
        parts += [
            f'    <box label="{CLASS_NAMES[label]}" source="manual" occluded="0" xtl="{x1}" ytl="{y1}" '
            f'xbr="{x2}" ybr="{y2}" z_order="0">\n    </box>\n'
            for label, (x1, y1, x2, y2) in zip(row.labels, row.boxes, strict=True)
        ]
        parts.append("  </image>\n")
    _write_text(folder / "annotations.xml", "".join([*parts, "</annotations>\n"]))


def write_csv(folder: Path, rows: Iterator[Row]) -> None:
    lines: dict[str, list[str]] = {"train": [], "val": [], "test": []}
    for row in rows:
        _make_photo(folder / "images" / row.split / row.name)
        lines[row.split] += [
            f"{row.name},{WIDTH},{HEIGHT},{CLASS_NAMES[label]},{x1},{y1},{x2},{y2}\n"
            for label, (x1, y1, x2, y2) in zip(row.labels, row.boxes, strict=True)
        ]
    heading = "filename,width,height,class,xmin,ymin,xmax,ymax\n"
    for split, of_split in lines.items():
        _write_text(folder / f"{split}_labels.csv", heading + "".join(of_split))


WRITERS: dict[str, Callable[[Path, Iterator[Row]], None]] = {
    "coco": write_coco,
    "voc": write_voc,
    "yolo": write_yolo,
    "cvat": write_cvat,
    "csv": write_csv,
}


if __name__ == "__main__":
    sys.exit(main())
