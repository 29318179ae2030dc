"""All photos of a data set and their objects in arrays, so that they are filtered quickly."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import numpy as np
from jaxtyping import Bool, Float, Int

from boxmask.data.checks.examination import Examination

ObjectSize: TypeAlias = Literal["small", "medium", "large"]
PhotoSize: TypeAlias = Literal["small", "medium", "large"]

OBJECT_AREAS = {"small": (0.0, 32.0**2), "medium": (32.0**2, 96.0**2), "large": (96.0**2, np.inf)}
"""COCO's sizes of objects: areas of boxes in pixels."""
PHOTO_PIXELS = {"small": (0.0, 0.5e6), "medium": (0.5e6, 2e6), "large": (2e6, np.inf)}
"""Sizes of photos: numbers of pixels. The photos of COCO and VOC are small, those of phones are large."""


@dataclass(frozen=True, slots=True)
class PhotoFilter:
    """Which photos to show; None and "" ask for nothing.

    class_name, object_size: an object of this class and size
    empty:  whether the photo has no object
    photos: the photos of a finding
    text:   a part of the name, in any case
    """

    class_name: str = ""
    object_size: ObjectSize | None = None
    photo_size: PhotoSize | None = None
    empty: bool = False
    photos: Collection[int] | None = None
    text: str = ""


@dataclass(frozen=True, eq=False)
class PhotoIndex:
    """P photos, sorted by name, with N objects, sorted by photo.

    entries:  (P,) index in the labels; -1 for photos that no label names
    sizes:    (P, 2) heights and widths as shown; 0 where they are unknown
    photo_of: (N,) index of the photo
    boxes:    (N, 4) in pixels of the photo as shown; NaN for unknown ones
    """

    files: tuple[str, ...]
    class_names: tuple[str, ...]
    entries: Int[np.ndarray, " P"]
    sizes: Int[np.ndarray, "P 2"]
    photo_of: Int[np.ndarray, " N"]
    labels: Int[np.ndarray, " N"]
    boxes: Float[np.ndarray, "N 4"]

    @staticmethod
    def of(files: Sequence[str], examination: Examination) -> PhotoIndex:
        """The photos of a data set. files: sorted; entries of the labels for others are left out"""
        labels = examination.labels
        index_of = {file: number for number, file in enumerate(files)}
        places = np.array([index_of.get(photo.file, -1) for photo in labels.photos], dtype=np.int64)
        entries = np.full(len(files), -1, dtype=np.int64)
        for entry in range(len(places) - 1, -1, -1):  # of several entries, the first counts
            if places[entry] >= 0:
                entries[places[entry]] = entry
        sizes = np.zeros((len(files), 2), dtype=np.int64)
        known = np.flatnonzero(entries >= 0)
        sizes[known] = np.maximum(examination.sizes[entries[known]], 0)
        is_used = np.zeros(len(places) + 1, dtype=bool)
        is_used[entries[known]] = True
        rows = np.flatnonzero(is_used[labels.photo_of])
        rows = rows[np.argsort(places[labels.photo_of[rows]], kind="stable")]
        return PhotoIndex(
            tuple(files),
            labels.class_names,
            entries,
            sizes,
            places[labels.photo_of[rows]],
            labels.labels[rows],
            labels.boxes[rows],
        )

    def with_objects(
        self, photo: int, labels: Int[np.ndarray, " M"], boxes: Float[np.ndarray, "M 4"]
    ) -> PhotoIndex:
        """The same with other objects in one photo."""
        start, end = np.searchsorted(self.photo_of, [photo, photo + 1]).tolist()
        return replace(
            self,
            photo_of=np.concatenate(
                [self.photo_of[:start], np.full(len(labels), photo), self.photo_of[end:]]
            ),
            labels=np.concatenate([self.labels[:start], labels, self.labels[end:]]).astype(np.int64),
            boxes=np.concatenate([self.boxes[:start], boxes.reshape(-1, 4), self.boxes[end:]]),
        )

    def objects_of(self, photo: int, limit: int) -> tuple[Int[np.ndarray, " M"], Float[np.ndarray, "M 4"]]:
        """The classes and boxes of the first objects of a photo."""
        start, end = np.searchsorted(self.photo_of, [photo, photo + 1]).tolist()
        end = min(end, start + limit)
        return self.labels[start:end], self.boxes[start:end]

    def select(self, wanted: PhotoFilter) -> Int[np.ndarray, " M"]:
        """The photos that pass a filter, in the order of their names."""
        kept = np.ones(len(self.files), dtype=bool)
        if wanted.class_name or wanted.object_size:
            kept &= self._has_object(self._objects(wanted))
        if wanted.empty:
            kept &= ~self._has_object(np.ones(len(self.photo_of), dtype=bool))
        if wanted.photo_size:
            low, high = PHOTO_PIXELS[wanted.photo_size]
            pixels = self.sizes.astype(np.float64).prod(axis=1)
            kept &= (pixels >= low) & (pixels < high) & (pixels > 0)
        if wanted.photos is not None:
            chosen = np.zeros(len(self.files), dtype=bool)
            chosen[list(wanted.photos)] = True
            kept &= chosen
        if wanted.text:
            text = wanted.text.casefold()
            kept &= np.array([text in file.casefold() for file in self.files], dtype=bool)
        return np.flatnonzero(kept)

    def _objects(self, wanted: PhotoFilter) -> Bool[np.ndarray, " N"]:
        """The objects of a class and a size."""
        kept = np.ones(len(self.photo_of), dtype=bool)
        if wanted.class_name:
            names = self.class_names
            kept &= self.labels == (names.index(wanted.class_name) if wanted.class_name in names else -1)
        if wanted.object_size:
            low, high = OBJECT_AREAS[wanted.object_size]
            areas = (self.boxes[:, 2:] - self.boxes[:, :2]).clip(0).prod(axis=1)
            kept &= (areas >= low) & (areas < high)
        return kept

    def _has_object(self, objects: Bool[np.ndarray, " N"]) -> Bool[np.ndarray, " P"]:
        has = np.zeros(len(self.files), dtype=bool)
        has[self.photo_of[objects]] = True
        return has

    def counts(self) -> list[tuple[str, int, int]]:
        """The name of each class, its number of objects, and its number of photos."""
        pairs = np.unique(np.stack([self.labels, self.photo_of], axis=1), axis=0)
        objects = np.bincount(self.labels, minlength=len(self.class_names)).tolist()
        photos = np.bincount(pairs[:, 0], minlength=len(self.class_names)).tolist()
        return list(zip(self.class_names, objects, photos, strict=True))
