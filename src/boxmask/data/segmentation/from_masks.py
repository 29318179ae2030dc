"""Turn a detection data set with masks into a segmentation data set with a background class."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int, UInt8
from numpy.typing import NDArray
from PIL import Image

from boxmask.data.detection.dataset import DetectionDataset
from boxmask.data.segmentation.dataset import SegmentationDataset
from boxmask.errors import LabelError
from boxmask.masks import IGNORED, Masks, Size

BACKGROUND = "background"


@dataclass(frozen=True)
class LabelMapsFromMasks:
    """Labels of P photos, painted on demand from the masks of a detection data set.

    Large objects are painted first, so that small ones stay visible on top of them. Difficult objects are
    painted as IGNORED, and crowd regions and objects without a mask as IGNORED boxes.

    label_of_class: (K,) uint8, the label of each class of the detection data set
    background:     the label of the background
    """

    dataset: DetectionDataset
    label_of_class: NDArray[np.uint8]
    background: int

    def labels(self, photo: int) -> UInt8[np.ndarray, "H W"]:
        """The label of every pixel, 0..K-1 or IGNORED."""
        dataset = self.dataset
        size: Size = tuple(dataset.sizes[photo].tolist())
        rows = dataset.rows(photo)
        labels = np.where(dataset.difficult[rows], IGNORED, self.label_of_class[dataset.labels[rows]])
        masks = dataset.masks(photo) or Masks.unknown(len(labels), size)
        as_box = ~masks.known | dataset.crowd[rows]
        labels[as_box] = IGNORED
        boxes = _outward_to_pixels(dataset.boxes[rows])
        areas = np.where(as_box, (boxes[:, 2:] - boxes[:, :2]).prod(axis=1), masks.areas())
        crops, windows = masks.crops(), np.where(as_box[:, None], boxes, masks.windows).tolist()
        label_map = np.full(size, self.background, dtype=np.uint8)
        for row in np.argsort(-areas, kind="stable").tolist():
            x1, y1, x2, y2 = windows[row]
            label_map[y1:y2, x1:x2][... if as_box[row] else crops[row]] = labels[row]
        return label_map

    def subset(self, photos: NDArray[np.int64]) -> LabelMapsFromMasks:
        """The labels of the given photos."""
        return replace(self, dataset=self.dataset.subset(photos))

    def fingerprint(self) -> bytes:
        """The fingerprint of the detection data set."""
        return self.dataset.fingerprint().encode()


def _outward_to_pixels(boxes: Float[np.ndarray, "N 4"]) -> Int[np.ndarray, "N 4"]:
    """Boxes enlarged to whole pixels."""
    return np.concatenate([np.floor(boxes[:, :2]), np.ceil(boxes[:, 2:])], axis=1).astype(np.int64)


def segmentation_from_detection(dataset: DetectionDataset) -> SegmentationDataset:
    """The same photos and splits with a class for every pixel: "background", then the classes of the objects.

    A class of the data set called "background" becomes the background. To count the pixels of each class,
    every label map is painted once.
    Raises LabelError if no object has a mask, or there are too many classes.
    """
    if not (dataset.has_mask & ~dataset.crowd).any():
        advice = "Give a data set with polygons, run lengths or label maps, or train a detector on the boxes."
        raise LabelError(f"{dataset.root}: no object has a mask. {advice}")
    names = (BACKGROUND, *(name for name in dataset.class_names if name != BACKGROUND))
    if len(names) > IGNORED:
        raise LabelError(f"{dataset.root}: {len(names)} classes; at most {IGNORED} are supported.")
    label_of_class = np.array([names.index(name) for name in dataset.class_names], dtype=np.uint8)
    maps = LabelMapsFromMasks(dataset, label_of_class, names.index(BACKGROUND))
    return SegmentationDataset(
        root=Path(dataset.root),
        class_names=names,
        files=dataset.files,
        sizes=dataset.sizes,
        splits=dataset.splits,
        pixel_counts=_count_pixels(maps, len(names)),
        source=maps,
        notes=dataset.notes,
        seen=dataset.seen,
    )


def _count_pixels(maps: LabelMapsFromMasks, num_classes: int) -> NDArray[np.int64]:
    """(P, K) pixels of each class in each photo, as painted: exact where objects overlap."""
    dataset = maps.dataset
    counts = np.zeros((len(dataset), num_classes), dtype=np.int64)
    counts[:, maps.background] = dataset.sizes.astype(np.int64).prod(axis=1)
    for photo in np.flatnonzero(np.diff(dataset.offsets)).tolist():
        counts[photo] = Image.fromarray(maps.labels(photo)).histogram()[:num_classes]
    return counts
