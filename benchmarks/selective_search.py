"""Selective Search beside OpenCV's: `python benchmarks/selective_search.py --data FOLDER`.

Both search the same photos in turns, with the same number of threads. Each side resizes the photos to the
mode's width with its own library; the times are of the search alone. The same code evaluates both sides'
boxes. The peak of memory is that of a process that searches the largest photo, libraries included (PyTorch is
loaded on both sides); "of the search" subtracts a process that does not search. Needs
opencv-contrib-python-headless, and Linux for the peaks.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import mean, median
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from torch import Tensor

from boxmask.data.detection.dataset import DetectionDataset
from boxmask.data.detection.read import read_detection
from boxmask.evaluation.proposals import ProposalRecall, proposal_recall
from boxmask.photos.read import load_photo
from boxmask.pipeline.selective_search.search import (
    MODES,
    PAPER_MODES,
    resize_for_search,
    selective_search,
)
from side_by_side import Plan, in_turns

Picture = NDArray[np.uint8]
Search = Callable[[Picture], Tensor]
COUNTS = (300, 500, 1000, None)  # of proposals, at which recall is measured


def opencv_search(mode: str, picture: Picture) -> Tensor:
    """(N, 4) xyxy, in OpenCV's order."""
    search = cv2.ximgproc.segmentation.createSelectiveSearchSegmentation()
    search.setBaseImage(np.ascontiguousarray(picture[:, :, ::-1]))
    {
        "single": search.switchToSingleStrategy,
        "fast": search.switchToSelectiveSearchFast,
        "quality": search.switchToSelectiveSearchQuality,
    }[mode]()
    found = search.process().astype(np.float32)
    return torch.from_numpy(np.concatenate([found[:, :2], found[:, :2] + found[:, 2:]], axis=1))


def boxmask_search(modes: dict[Any, Any], mode: str, picture: Picture) -> Tensor:
    return selective_search(picture, modes[mode])


def nothing(picture: Picture) -> Tensor:
    """No search, to measure the memory of the libraries alone."""
    return torch.empty(0, 4)


def for_opencv(photo: Picture, picture: Picture) -> Picture:
    """The photo at the picture's size, resized by OpenCV."""
    size = (picture.shape[1], picture.shape[0])
    smaller = photo.shape[1] >= picture.shape[1]
    return cv2.resize(photo, size, interpolation=cv2.INTER_AREA if smaller else cv2.INTER_LINEAR)


def with_objects(data: Path, split: str, photos: int | None) -> DetectionDataset:
    dataset = read_detection(data, on_bad_boxes="skip")
    dataset = dataset if split == "all" else dataset.split(split)
    return dataset.subset(np.flatnonzero(np.diff(dataset.offsets) > 0)[:photos])


def timed(search: Search, picture: Picture) -> tuple[float, Tensor]:
    begin = time.perf_counter()
    boxes = search(picture)
    return time.perf_counter() - begin, boxes


def searching(search: Search, picture: Picture, threads: int) -> Callable[[], object]:
    cv2.setNumThreads(threads)
    return partial(search, picture)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="labeled photos")
    parser.add_argument("--split", default="all", help="train, val, test or all")
    parser.add_argument("--mode", choices=MODES, default="fast")
    parser.add_argument("--paper", action="store_true", help="use the paper's parameters in boxmask")
    parser.add_argument("--photos", type=int, help="use only the first N photos")
    parser.add_argument("--threads", type=int, help="threads per side (default: PyTorch's)")
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    threads, modes = torch.get_num_threads(), PAPER_MODES if options.paper else MODES
    cv2.setNumThreads(threads)
    sides = {
        "OpenCV": partial(opencv_search, options.mode),
        "boxmask": partial(boxmask_search, modes, options.mode),
    }
    dataset = with_objects(options.data, options.split, options.photos)
    photos = [load_photo(dataset.path(photo)) for photo in range(len(dataset))]
    pictures = {"boxmask": [resize_for_search(photo, modes[options.mode]) for photo in photos]}
    pictures["OpenCV"] = [for_opencv(*pair) for pair in zip(photos, pictures["boxmask"], strict=True)]
    seconds, boxes = in_turn(sides, pictures)
    widths = [
        (photo.shape[1], picture.shape[1]) for photo, picture in zip(photos, pictures["boxmask"], strict=True)
    ]
    for found in boxes.values():
        found[:] = [one * (width / narrow) for one, (width, narrow) in zip(found, widths, strict=True)]
    console = Console(width=110)
    console.print(f"{options.mode}, {len(dataset)} photos of {options.data.name}, {threads} threads")
    console.print(speed_table(seconds, peaks_of(sides, max(pictures["boxmask"], key=len), threads)))
    console.print(recall_table(dataset, boxes))


def in_turn(
    sides: dict[str, Search], pictures: dict[str, list[Picture]]
) -> tuple[dict[str, list[float]], dict[str, list[Tensor]]]:
    """Seconds and boxes of every side for each picture."""
    sides["boxmask"](pictures["boxmask"][0])  # loads or compiles the kernels
    runs = [
        {name: timed(search, pictures[name][photo]) for name, search in sides.items()}
        for photo in range(len(pictures["boxmask"]))
    ]
    return tuple({name: [run[name][part] for run in runs] for name in sides} for part in (0, 1))


def peaks_of(sides: dict[str, Search], picture: Picture, threads: int) -> dict[str, float]:
    """Peak memory in GB of a process of each side, and of one that does not search."""
    plans = {
        name: Plan(partial(searching, search, picture, threads))
        for name, search in {**sides, "neither": nothing}.items()
    }
    return {name: found.peak for name, found in in_turns(plans, 1, threads).items()}


def speed_table(seconds: dict[str, list[float]], peaks: dict[str, float]) -> Table:
    table = Table(
        "",
        "s per photo, mean",
        "median",
        "ratio of means",
        "median of ratios",
        "peak memory",
        "of the search",
    )
    for name, each in seconds.items():
        ratio = mean(seconds["OpenCV"]) / mean(each)
        ratios = [a / b for a, b in zip(seconds["OpenCV"], each, strict=True)]
        cells = f"{mean(each):.3f}", f"{median(each):.3f}", f"{ratio:.1f}x", f"{median(ratios):.1f}x"
        table.add_row(
            name, *cells, f"{peaks[name] * 1e3:.0f} MB", f"{(peaks[name] - peaks['neither']) * 1e3:.0f} MB"
        )
    return table


def recall_table(dataset: DetectionDataset, boxes: dict[str, list[Tensor]]) -> Table:
    table = Table("", "proposals", "recall at 0.5", "recall at 0.7", "MABO")
    for count in COUNTS:
        for name, found in boxes.items():
            table.add_row(*row(name, count, proposal_recall(dataset, [one[:count] for one in found])))
    return table


def row(name: str, count: int | None, found: ProposalRecall) -> list[str]:
    metrics = (found.recall_50, found.recall_70, found.MABO)
    which = name if count is None else f"{name}, the first {count}"
    return [which, f"{found.mean_proposals:.0f}", *("" if n is None else f"{n:.3f}" for n in metrics)]


if __name__ == "__main__":
    main()
