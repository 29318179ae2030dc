"""A segmentation data set as an index: photos with a class for every pixel. Labels are decoded on demand.

Worker processes share file names and counts only. The labels come from a `LabelMapSource`: label maps on disk
(`LabelMapsFromFiles`) or the masks of a detection data set (`LabelMapsFromMasks`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, Protocol

import numpy as np
import torch
from jaxtyping import UInt8
from numpy.typing import NDArray

from boxmask.data.draw import Draw
from boxmask.data.seen import Seen
from boxmask.errors import LabelError
from boxmask.types import SegmentationTarget


class LabelMapSource(Protocol):
    """The labels of P photos."""

    def labels(self, photo: int) -> UInt8[np.ndarray, "H W"]:
        """The label of every pixel of the photo with index `photo`, 0..K-1 or IGNORED."""

    def subset(self, photos: NDArray[np.int64]) -> LabelMapSource:
        """The labels of the given photos."""

    def fingerprint(self) -> bytes:
        """Changes with the label of any pixel."""


@dataclass(frozen=True)
class SegmentationDataset:
    """P photos whose pixels have one of K classes, or none.

    root:         the folder that `files` are relative to
    class_names:  the K class names, in the order of the labels
    files:        (P,) str, paths of the photos relative to `root`, with "/"
    sizes:        (P, 2) int32, (height, width) of the photos as shown
    splits:       (P,) str, "train", "val" or "test"; "" for a photo in no split
    pixel_counts: (P, K) int64, pixels of each class in each photo
    source:       the labels
    notes:        remarks from reading the labels
    draw:         how the splits were drawn; None if they were given
    seen:         where the evaluated model has seen photos in training; None if that is not known
    """

    UNIT: ClassVar[str] = "pixels"  # what `counts` counts

    root: Path
    class_names: tuple[str, ...]
    files: NDArray[np.str_]
    sizes: NDArray[np.int32]
    splits: NDArray[np.str_]
    pixel_counts: NDArray[np.int64]
    source: LabelMapSource
    notes: tuple[str, ...] = ()
    draw: Draw | None = None
    seen: Mapping[str, Seen] | None = None

    def __len__(self) -> int:
        return len(self.files)

    def counts(self) -> NDArray[np.int64]:
        """(P, K) pixels of each class in each photo."""
        return self.pixel_counts

    def path(self, photo: int) -> Path:
        """The file of the photo with index `photo`."""
        return self.root / str(self.files[photo])

    def target(self, photo: int) -> SegmentationTarget:
        """The labels of the photo with index `photo`. Raises LabelError if its label map has changed."""
        labels = self.source.labels(photo)
        size = tuple(self.sizes[photo].tolist())
        if labels.shape != size:
            found = (
                f"its label map is {labels.shape[1]} × {labels.shape[0]}, the photo is {size[1]} × {size[0]}"
            )
            raise LabelError(f"{self.path(photo)}: {found}. Files have changed; read the data set again.")
        return SegmentationTarget(torch.from_numpy(labels))

    def subset(self, photos: NDArray[np.int64]) -> SegmentationDataset:
        """The photos with the given indices, in that order. Classes stay the same."""
        return replace(
            self,
            files=self.files[photos],
            sizes=self.sizes[photos],
            splits=self.splits[photos],
            pixel_counts=self.pixel_counts[photos],
            source=self.source.subset(photos),
        )

    def with_seen(self, seen: Mapping[str, Seen] | None, notes: tuple[str, ...] = ()) -> SegmentationDataset:
        """The same photos, of which the model has seen some, with further notes."""
        return replace(self, seen=seen, notes=self.notes + notes)

    def split(self, name: str) -> SegmentationDataset:
        """The photos of one split: "train", "val" or "test"."""
        return self.subset(np.flatnonzero(self.splits == name))

    def fingerprint(self) -> str:
        """16 hexadecimal digits that change with class names, files, sizes, labels or splits.

        They do not depend on the machine, nor on where the folder lies.
        """
        digest = hashlib.sha256()
        for texts in (self.class_names, self.files.tolist(), self.splits.tolist()):
            digest.update(json.dumps(list(texts)).encode())
        for integers in (self.sizes, self.pixel_counts):
            digest.update(integers.astype("<i8").tobytes())
        digest.update(self.source.fingerprint())
        return digest.hexdigest()[:16]
