"""A classification data set: whole photos, or objects cropped from labeled photos, with one class each.

Both rest on a `DetectionDataset`, in which a whole photo is a box as large as the photo. So splits, split
files and checks are those of detection. All items of a photo are in the same split.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from jaxtyping import UInt8
from numpy.typing import NDArray
from torch import Tensor

from boxmask.data.detection.dataset import DetectionDataset
from boxmask.data.draw import Draw
from boxmask.data.seen import Seen
from boxmask.photos.read import to_image
from boxmask.pipeline.warp import with_context
from boxmask.types import ClassificationTarget

CONTEXT = (227, 16)  # R-CNN, appendix A: 16 pixels around an object, in a square of 227
NO_CONTEXT = (1, 0)


@dataclass(frozen=True)
class ClassificationDataset:
    """N items, each a part of a photo.

    photos:  the photos and their objects
    rows:    (N,) int64, the object in `photos` that each item shows
    windows: (N, 4) int64, the pixels of the photo that are shown: x1, y1, x2, y2, with x2 and y2 exclusive
    context: how much of an object's surroundings is shown; see `crop_objects`
    """

    UNIT: ClassVar[str] = "items"  # what `counts` counts

    photos: DetectionDataset
    rows: NDArray[np.int64]
    windows: NDArray[np.int64]
    context: tuple[int, int]

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def root(self) -> Path:
        """The folder that `files` are relative to."""
        return self.photos.root

    @property
    def class_names(self) -> tuple[str, ...]:
        """The K class names, in the order of the labels."""
        return self.photos.class_names

    @property
    def notes(self) -> tuple[str, ...]:
        """Remarks from reading the labels."""
        return self.photos.notes

    @property
    def draw(self) -> Draw | None:
        """How the splits were drawn; None if they were given."""
        return self.photos.draw

    @property
    def seen(self) -> Mapping[str, Seen] | None:
        """Where the evaluated model has seen photos in training; None if that is not known."""
        return self.photos.seen

    @property
    def photo_of(self) -> NDArray[np.int64]:
        """(N,) the index of each item's photo in `photos`."""
        return np.asarray(np.searchsorted(self.photos.offsets, self.rows, side="right") - 1)

    @property
    def files(self) -> NDArray[np.str_]:
        """(N,) the path of each item's photo, relative to `root`."""
        return self.photos.files[self.photo_of]

    @property
    def splits(self) -> NDArray[np.str_]:
        """(N,) "train", "val" or "test"."""
        return self.photos.splits[self.photo_of]

    @property
    def labels(self) -> NDArray[np.int64]:
        """(N,) the class of each item."""
        return self.photos.labels[self.rows]

    @property
    def sizes(self) -> NDArray[np.int32]:
        """(N, 2) int32, (height, width) of each item."""
        return (self.windows[:, [3, 2]] - self.windows[:, [1, 0]]).astype(np.int32)

    def counts(self) -> NDArray[np.int64]:
        """(N, K) 1 for the class of each item, else 0."""
        return np.eye(len(self.class_names), dtype=np.int64)[self.labels]

    def path(self, item: int) -> Path:
        """The file of the photo that contains the item with index `item`."""
        return self.photos.path(self._photo_index(item))

    def photo(self, item: int) -> UInt8[Tensor, "3 h w"]:
        """The pixels of the item with index `item`. Raises PhotoError if the photo cannot be read."""
        image, (x1, y1, x2, y2) = to_image(self.path(item)), self.windows[item].tolist()
        return image[:, y1:y2, x1:x2]

    def target(self, item: int) -> ClassificationTarget:
        """The class of the item with index `item`."""
        return ClassificationTarget(int(self.photos.labels[self.rows[item]]))

    def subset(self, items: NDArray[np.int64]) -> ClassificationDataset:
        """The items with the given indices, in that order. Classes and photos stay the same."""
        return replace(self, rows=self.rows[items], windows=self.windows[items])

    def split(self, name: str) -> ClassificationDataset:
        """The items of one split: "train", "val" or "test"."""
        return self.subset(np.flatnonzero(self.splits == name))

    def with_seen(
        self, seen: Mapping[str, Seen] | None, notes: tuple[str, ...] = ()
    ) -> ClassificationDataset:
        """The same items, from photos of which the model has seen some, with further notes."""
        return replace(self, photos=self.photos.with_seen(seen, notes))

    def with_photos(self, photos: DetectionDataset) -> ClassificationDataset:
        """The data set with `photos` in place of its own: other photos, or the same with other splits."""
        return crop_objects(photos, self.context)

    def fingerprint(self) -> str:
        """16 hexadecimal digits that change with the photos, their splits, the items or their windows."""
        digest = hashlib.sha256(self.photos.fingerprint().encode())
        for integers in (self.rows, self.windows):
            digest.update(integers.astype("<i8").tobytes())
        return digest.hexdigest()[:16]

    def _photo_index(self, item: int) -> int:
        """The index of one item's photo; `photo_of` would compute those of all items."""
        return int(np.searchsorted(self.photos.offsets, self.rows[item], side="right")) - 1


def crop_objects(dataset: DetectionDataset, context: tuple[int, int] = CONTEXT) -> ClassificationDataset:
    """The counted objects of a detection data set, each with some of its surroundings.

    context: (S, p): p pixels on each side if the object with its surroundings were resized to S × S. The
             surroundings end at the edge of the photo. `NO_CONTEXT` gives the boxes alone.
    """
    rows = np.flatnonzero(dataset.counted)
    photo = np.searchsorted(dataset.offsets, rows, side="right") - 1
    boxes = with_context(torch.from_numpy(dataset.boxes[rows].astype(np.float32)), *context).numpy()
    edges = dataset.sizes[photo].astype(np.int64).reshape(-1, 2)[:, [1, 0]]
    low = np.clip(np.floor(boxes[:, :2]).astype(np.int64), 0, edges - 1)
    high = np.clip(np.ceil(boxes[:, 2:]).astype(np.int64), low + 1, edges)
    return ClassificationDataset(dataset, rows, np.concatenate([low, high], axis=1), context)
