"""The features of all training regions on disk, which R-CNN's SVMs and box regressors are fitted to.

fc7 has one row per region, pool5 one row per region that the box regressors learn from. Both are
memory-mapped, so that only the rows in use take up memory. The regions follow from the labels and the
proposals alone: the sizes of the files are known before the first feature is computed.

Shapes: N regions, of which M for box regression, and G objects of a photo; K classes; D and F features.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from boxmask.data.detection.dataset import DetectionDataset
from boxmask.errors import TrainingError
from boxmask.geometry.boxes import coverage, iou
from boxmask.geometry.matching import CROWD_COVERAGE
from boxmask.options import option

Rows: TypeAlias = Float[np.ndarray, "rows features"]


@dataclass(frozen=True)
class PhotoRegions:
    """The regions of one photo: its ground-truth boxes first, then its proposals.

    Objects count unless they are difficult or crowd regions.

    boxes:           xyxy in pixels of the photo
    overlaps:        the highest IoU with an object of each class. For difficult and crowd objects, the
                     fraction of the region inside if that is larger: such regions are not negatives
    ignored:         whether half of the region or more is inside a difficult or crowd object
    positive_class:  the label of a ground-truth box that counts; -1 for proposals
    regression_rows: the rows whose IoU with an object that counts is high enough for box regression
    objects, labels: the ground-truth boxes that count
    """

    boxes: Float[np.ndarray, "N 4"]
    overlaps: Float[np.ndarray, "N K"]
    ignored: Bool[np.ndarray, " N"]
    positive_class: Int[np.ndarray, " N"]
    regression_rows: Int[np.ndarray, " M"]
    objects: Float[np.ndarray, "G 4"]
    labels: Int[np.ndarray, " G"]


def photo_regions(
    dataset: DetectionDataset, photo: int, proposals: Tensor, regression_iou: float
) -> PhotoRegions:
    """Return the regions of a photo, compared with its labels.

    regression_iou: box regression uses the regions whose IoU with an object is above this
    """
    target = dataset.target(photo)
    objects, labels = target.boxes[~target.ignore], target.labels[~target.ignore]
    boxes = torch.cat([objects, proposals])
    inside_ignored = coverage(target.boxes, boxes).T * target.ignore
    overlap = torch.maximum(iou(boxes, target.boxes), inside_ignored)
    overlaps = torch.zeros(len(boxes), len(dataset.class_names))
    for label in target.labels.unique().tolist():
        overlaps[:, label] = overlap[:, target.labels == label].amax(dim=1)
    positive_class = torch.full((len(boxes),), -1)
    positive_class[: len(objects)] = labels
    best_iou = iou(boxes, objects).amax(dim=1) if len(objects) else torch.zeros(len(boxes))
    return PhotoRegions(
        boxes.numpy(),
        overlaps.numpy(),
        (inside_ignored >= CROWD_COVERAGE).any(dim=1).numpy(),
        positive_class.numpy(),
        torch.where(best_iou > regression_iou)[0].numpy(),
        objects.numpy(),
        labels.numpy(),
    )


ReadRegions: TypeAlias = Callable[[int], PhotoRegions]
"""The index of a photo -> its regions, the same on every call."""


class RegionFeatures:
    """fc7 and pool5 of the regions of all photos, in two files of a folder.

    widths: the number of features per region in fc7 and in pool5
    new:    whether the files were just made, because there were none or they were for other regions

    Raises TrainingError if the disk has too little space for them.
    """

    def __init__(self, folder: Path, regions: ReadRegions, num_photos: int, widths: tuple[int, int]) -> None:
        self.regions, self.num_photos = regions, num_photos
        counts = [(0, 0)]
        for photo in map(regions, range(num_photos)):
            counts.append((len(photo.boxes), len(photo.regression_rows)))
        self.fc7_starts, self.pool5_starts = np.cumsum(counts, axis=0).T
        fc7_shape = (int(self.fc7_starts[-1]), widths[0])
        pool5_shape = (int(self.pool5_starts[-1]), widths[1])
        _check_space(folder, 4 * (fc7_shape[0] * fc7_shape[1] + pool5_shape[0] * pool5_shape[1]))
        fc7_file, pool5_file = folder / "fc7.npy", folder / "pool5.npy"
        self.new = not (_holds(fc7_file, fc7_shape) and _holds(pool5_file, pool5_shape))
        open_rows = _create if self.new else _map
        self.fc7, self.pool5 = open_rows(fc7_file, fc7_shape), open_rows(pool5_file, pool5_shape)

    def write(self, photo: int, pool5: Tensor, fc7: Tensor) -> None:
        """Store the features of a photo's regions; of pool5, only the rows for box regression."""
        self.fc7_of(photo)[:] = fc7.cpu().numpy()
        self.pool5_of(photo)[:] = pool5[torch.from_numpy(self.regions(photo).regression_rows)].cpu().numpy()

    def flush(self) -> None:
        """Write all changes to disk, so that a power cut loses nothing."""
        for rows in (self.fc7, self.pool5):
            if isinstance(rows, np.memmap):
                rows.flush()

    def fc7_of(self, photo: int) -> Float[np.ndarray, "N D"]:
        """Return the fc7 features of a photo's regions."""
        return self.fc7[self.fc7_starts[photo] : self.fc7_starts[photo + 1]]

    def pool5_of(self, photo: int) -> Float[np.ndarray, "M F"]:
        """Return the pool5 features of a photo's regions for box regression."""
        return self.pool5[self.pool5_starts[photo] : self.pool5_starts[photo + 1]]


def _check_space(folder: Path, size: int) -> None:
    """Make the folder; raise TrainingError if files of `size` bytes in it would nearly fill the disk."""
    folder.mkdir(parents=True, exist_ok=True)
    existing = sum(path.stat().st_size for path in folder.glob("*.npy"))
    free = shutil.disk_usage(folder).free + existing
    if size > 0.9 * free:
        raise TrainingError(
            f"{folder}: the features of all training regions take {size / 1e9:.1f} GB, and "
            f"{free / 1e9:.1f} GB are free. Free some space and use --resume, or train again with another "
            f"--out or a lower {option('max_regions')}."
        )


def _holds(path: Path, shape: tuple[int, int]) -> bool:
    """Whether the file is complete and holds rows of this shape. No file is needed for no rows."""
    if not shape[0]:
        return True
    try:
        return _map(path, shape).shape == shape
    except (FileNotFoundError, ValueError, EOFError):  # not made yet, or cut short by a crash
        return False


def _map(path: Path, shape: tuple[int, int]) -> Rows:
    """Map an existing file; a file without rows cannot be mapped."""
    if not shape[0]:
        return np.zeros(shape, np.float32)
    rows: Rows = np.load(path, mmap_mode="r+", allow_pickle=False)
    return rows


def _create(path: Path, shape: tuple[int, int]) -> Rows:
    """Create and map a file of zeros."""
    if not shape[0]:
        return np.zeros(shape, np.float32)
    rows: Rows = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=shape)
    if hasattr(os, "posix_fallocate"):  # writing to a map on a full disk would kill the process
        with path.open("r+b") as file:
            os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
    return rows
