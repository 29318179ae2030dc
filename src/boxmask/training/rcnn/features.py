"""The features of all training regions, on disk: what R-CNN's SVMs and box regressors are fitted to.

One row of fc7 for each window, one of pool5 for each window that may teach a regressor. Both are
memory-mapped: no more of them is in memory than is looked at. Which windows there are follows from the labels
and the proposals alone, so that the files' sizes are known, and bounded, before the first is described.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from boxmask.data.detection.dataset import DetectionDataset
from boxmask.errors import TrainingError
from boxmask.geometry.boxes import coverage, iou
from boxmask.geometry.matching import CROWD_COVERAGE

Array = NDArray[np.float32]


@dataclass(frozen=True)
class PhotoRegions:
    """The windows of one photo: its ground truth first, then proposals.

    boxes:          (N, 4) xyxy in pixels of the photo
    overlaps:       (N, K) best IoU with an object of each class; with difficult and crowd ones the part of
                    the window inside, where that is more: what may be an object is not taught to be none
    doubtful:       (N,) half of it or more is inside a difficult or crowd one
    positive_class: (N,) label of a ground-truth box that counts, -1 elsewhere
    moving:         (M,) rows whose IoU with an object that counts is high enough to learn to move by
    objects:        (G, 4) ground-truth boxes that count; labels: (G,)
    """

    boxes: Array
    overlaps: Array
    doubtful: NDArray[np.bool_]
    positive_class: NDArray[np.int64]
    moving: NDArray[np.int64]
    objects: Array
    labels: NDArray[np.int64]


def regions_of(dataset: DetectionDataset, photo: int, proposals: Tensor, moving_iou: float) -> PhotoRegions:
    """The windows of a photo, with what the labels say of each."""
    target = dataset.target(photo)
    counted = target.boxes[~target.ignore]
    boxes = torch.cat([counted, proposals])
    inside = coverage(target.boxes, boxes).T * target.ignore
    shared = torch.maximum(iou(boxes, target.boxes), inside)
    overlaps = torch.zeros(len(boxes), len(dataset.class_names))
    for label in target.labels.unique().tolist():
        overlaps[:, label] = shared[:, target.labels == label].amax(dim=1)
    positive = torch.full((len(boxes),), -1)
    positive[: len(counted)] = target.labels[~target.ignore]
    nearest = iou(boxes, counted).amax(dim=1) if len(counted) else torch.zeros(len(boxes))
    return PhotoRegions(
        boxes.numpy(),
        overlaps.numpy(),
        (inside >= CROWD_COVERAGE).any(dim=1).numpy(),
        positive.numpy(),
        torch.where(nearest > moving_iou)[0].numpy(),
        counted.numpy(),
        target.labels[~target.ignore].numpy(),
    )


Regions = Callable[[int], PhotoRegions]


class RegionFeatures:
    """fc7 and pool5 of every photo's windows, in two files of a folder.

    regions: gives the windows of a photo, the same each time
    photos:  how many there are
    widths:  numbers of a row of fc7, and of pool5
    Raises TrainingError, with what to do, where the disk has no room for them.
    """

    def __init__(self, folder: Path, regions: Regions, photos: int, widths: tuple[int, int]) -> None:
        self.regions, self.photos = regions, photos
        counts = [(len(one.boxes), len(one.moving)) for one in map(regions, range(photos))]
        self.first, self.first_moving = np.cumsum([(0, 0), *counts], axis=0).T
        rows = (int(self.first[-1]), int(self.first_moving[-1]))
        _require_room(folder, sum(4 * n * width for n, width in zip(rows, widths, strict=True)))
        shapes = {folder / "fc7.npy": (rows[0], widths[0]), folder / "pool5.npy": (rows[1], widths[1])}
        kept = [_kept(path, shape) for path, shape in shapes.items()]
        self.new = any(one is None for one in kept)  # nothing is described yet, or of other regions
        self.fc7, self.pool5 = (
            _made(path, shape) if self.new or one is None else one
            for one, (path, shape) in zip(kept, shapes.items(), strict=True)
        )

    def write(self, photo: int, pool5: Tensor, fc7: Tensor) -> None:
        """Keep the features of a photo's windows."""
        self.fc7[self.first[photo] : self.first[photo + 1]] = fc7.cpu().numpy()
        kept = pool5[torch.from_numpy(self.regions(photo).moving)]
        self.pool5[self.first_moving[photo] : self.first_moving[photo + 1]] = kept.cpu().numpy()

    def flush(self) -> None:
        """Let nothing be lost if the power goes."""
        for mapped in (self.fc7, self.pool5):
            if isinstance(mapped, np.memmap):
                mapped.flush()

    def fc7_of(self, photo: int) -> Array:
        """(N, D)."""
        return self.fc7[self.first[photo] : self.first[photo + 1]]

    def pool5_of(self, photo: int) -> Array:
        """(M, F), of the `moving` windows."""
        return self.pool5[self.first_moving[photo] : self.first_moving[photo + 1]]


def _require_room(folder: Path, size: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    there = sum(path.stat().st_size for path in folder.glob("*.npy"))
    free = shutil.disk_usage(folder).free + there
    if size > 0.9 * free:
        raise TrainingError(
            f"{folder}: the features of all training regions take {size / 1e9:.1f} GB, and "
            f"{free / 1e9:.1f} GB are free. Free some and go on with --resume; or train anew with another "
            "--out, or with fewer --max-regions."
        )


def _kept(path: Path, shape: tuple[int, int]) -> Array | None:
    """The rows of a file that is there, whole, and of this shape."""
    if not shape[0]:  # no file can be mapped that holds nothing
        return np.zeros(shape, np.float32)
    try:
        there: Array = np.load(path, mmap_mode="r+", allow_pickle=False)
    except (FileNotFoundError, ValueError, EOFError):  # not there yet, or cut short by a crash
        return None
    return there if there.shape == shape else None


def _made(path: Path, shape: tuple[int, int]) -> Array:
    """New rows."""
    if not shape[0]:
        return np.zeros(shape, np.float32)
    made: Array = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=shape)
    if hasattr(os, "posix_fallocate"):  # a disk that is full later would end the program without a word
        with path.open("r+b") as file:
            os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
    return made
