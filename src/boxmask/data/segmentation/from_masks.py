"""A detection set with outlines as one of pixels: every object's class painted on a background of its own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol, cast

import numpy as np
from jaxtyping import Bool, Float, Int, UInt8
from numpy.typing import NDArray

from boxmask.data.detection.dataset import DetectionDataset
from boxmask.data.segmentation.dataset import SegmentationDataset
from boxmask.errors import LabelError
from boxmask.masks import Masks, Size
from boxmask.types import IGNORED

BACKGROUND = "background"


class _Outlined(Protocol):
    """What is asked of a detection set beside its arrays."""

    def masks(self, photo: int) -> Masks | None:
        """The outlines of a photo's objects, None where the set has none."""


@dataclass(frozen=True)
class MaskLabelMaps:
    """Where P photos' labels come from: the outlines of a detection set, painted when asked.

    Larger objects first, so that smaller ones lie over them, as they mostly do in the photo. Crowd regions
    and objects whose outline is not known are painted likewise, as boxes of which nothing is said, and
    difficult objects as outlines of which nothing is said.

    values: (K,) uint8, the label of each of the detection set's classes
    ground: the label of the background
    """

    dataset: DetectionDataset
    values: NDArray[np.uint8]
    ground: int

    def labels(self, photo: int) -> UInt8[np.ndarray, "H W"]:
        """The label of every pixel, 0..K-1 or IGNORED."""
        size: Size = tuple(self.dataset.sizes[photo].tolist())
        rows = self.dataset.rows(photo)
        values = np.where(self.dataset.difficult[rows], IGNORED, self.values[self.dataset.labels[rows]])
        masks = cast(_Outlined, self.dataset).masks(photo) or Masks.unknown(len(values), size)
        unclear = ~masks.known | self.dataset.crowd[rows]
        values[unclear] = IGNORED
        boxes = _whole_pixels(self.dataset.boxes[rows])
        crops, windows = masks.crops(), np.where(unclear[:, None], boxes, masks.windows).tolist()
        areas = np.where(unclear, (boxes[:, 2:] - boxes[:, :2]).prod(axis=1), masks.areas())
        picture = np.full(size, self.ground, dtype=np.uint8)
        for row in np.argsort(-areas, kind="stable").tolist():
            x1, y1, x2, y2 = windows[row]
            picture[y1:y2, x1:x2][... if unclear[row] else crops[row]] = values[row]
        return picture

    def subset(self, photos: NDArray[np.int64]) -> MaskLabelMaps:
        """Those of the given photos."""
        return replace(self, dataset=self.dataset.subset(photos))

    def fingerprint(self) -> bytes:
        """That of the detection set."""
        return self.dataset.fingerprint().encode()


def _whole_pixels(boxes: Float[np.ndarray, "N 4"]) -> Int[np.ndarray, "N 4"]:
    """The pixels that boxes touch."""
    return np.concatenate([np.floor(boxes[:, :2]), np.ceil(boxes[:, 2:])], axis=1).astype(np.int64)


def label_maps_from_masks(dataset: DetectionDataset) -> SegmentationDataset:
    """The same photos and splits, with a class for every pixel: "background", then the set's own.

    A class of the set's that is called "background" is taken for it. The pixels of each class are estimated
    from the objects' areas, as the outlines are not painted before they are needed.
    Raises LabelError where no object has a known outline.
    """
    with_masks = cast(_Outlined, dataset)
    if not any((masks := with_masks.masks(photo)) and masks.known.any() for photo in range(len(dataset))):
        advice = "Give a set with polygons, run lengths or label images, or train a detector on the boxes."
        raise LabelError(f"{dataset.root}: no object has an outline. {advice}")
    own = tuple(name for name in dataset.class_names if name != BACKGROUND)
    names = (BACKGROUND, *own)
    if len(names) > IGNORED:
        raise LabelError(f"{dataset.root}: {len(names)} classes; at most {IGNORED} can be told apart.")
    values = np.array([names.index(name) for name in dataset.class_names], dtype=np.uint8)
    return SegmentationDataset(
        root=Path(dataset.root),
        class_names=names,
        files=dataset.files,
        sizes=dataset.sizes,
        splits=dataset.splits,
        pixels=_estimated(dataset, values, len(names)),
        source=MaskLabelMaps(dataset, values, names.index(BACKGROUND)),
        notes=dataset.notes,
    )


def _estimated(dataset: DetectionDataset, values: NDArray[np.uint8], num_classes: int) -> NDArray[np.int64]:
    """(P, K) pixels of each class by the objects' areas; overlaps count for all, the rest is background."""
    counted: Bool[np.ndarray, " N"] = dataset.counted
    photo = np.repeat(np.arange(len(dataset)), np.diff(dataset.offsets))[counted]
    pixels = np.zeros((len(dataset), num_classes), dtype=np.int64)
    areas = np.maximum(1, dataset.areas[counted]).astype(np.int64)
    np.add.at(pixels, (photo, values[dataset.labels[counted]]), areas)
    covered = pixels.sum(axis=1)
    pixels[:, 0] += np.maximum(0, dataset.sizes.astype(np.int64).prod(axis=1) - covered)
    return pixels
