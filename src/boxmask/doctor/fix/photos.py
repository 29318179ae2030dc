"""Mend what labels say about photos: declared sizes, and suffixes that contradict the content."""

from __future__ import annotations

import posixpath

import numpy as np

from boxmask.data.detection.declared_sizes import EXIF_AS_SHOWN, SIZE_DIFFERS
from boxmask.data.formats.kinds import PHOTO_RESIZED
from boxmask.data.photo_records.records import PhotoRecords
from boxmask.doctor.fix.mending import Change, Mending
from boxmask.doctor.photos.kinds import PHOTO_WRONG_SUFFIX
from boxmask.photos.suffixes import suffixes_of

_WHY = {
    PHOTO_RESIZED: "its boxes and outlines are scaled to the photo",
    SIZE_DIFFERS: "the size of the photo",
    EXIF_AS_SHOWN: "the size of the photo as shown, on which its boxes are drawn",
}
"""Why a declared size is changed, by the kind of finding. Other sizes that differ are left."""


def mend_sizes(mending: Mending) -> None:
    """Write the sizes of the photos, and scale the labels of photos that were resized after labeling.

    The boxes of resized photos are scaled when they are read. `boxes_before` gets back what they were.
    """
    labels, sizes = mending.labels, mending.examination.sizes
    kind_of = {photo: kind for kind in _WHY for photo in mending.photos_of(kind)}
    for index, photo in enumerate(labels.photos):
        declared, size = photo.declared_size, tuple(sizes[index].tolist())
        kind = kind_of.get(photo.file)
        if kind is None or declared is None or declared == size:
            continue
        mending.sizes[index] = size
        before, after = (f"{width} × {height}" for height, width in (declared, size))
        change = Change(kind, photo.location, f"{photo.file}: size", before, after, _WHY[kind])
        mending.changes.append(change)
        if kind is PHOTO_RESIZED:
            rows = np.flatnonzero(labels.photo_of == index)
            factors = (np.array(size) / np.array(declared))[::-1]
            mending.boxes_before[rows] /= np.tile(factors, 2)
            mending.factors[rows] = factors  # outlines are scaled when they are written


def rename_photos(mending: Mending, records: PhotoRecords | None) -> None:
    """Give photos the suffix of their format, unless another photo would then have the same name."""
    if records is None:
        return
    formats = dict(zip(records.files, records.formats.tolist(), strict=True))
    wrong = mending.photos_of(PHOTO_WRONG_SUFFIX)
    taken = {posixpath.splitext(file)[0].casefold() for file in mending.files if file not in wrong}
    for index, photo in enumerate(mending.labels.photos):
        stem, suffix = posixpath.splitext(photo.file)
        suffixes = suffixes_of(formats.get(photo.file, "")) or (suffix.lower(),)
        if photo.file not in wrong or suffix.lower() in suffixes or stem.casefold() in taken:
            continue
        taken.add(stem.casefold())
        new = stem + suffixes[0]
        why = "the format of the photo"
        change = Change(PHOTO_WRONG_SUFFIX, photo.location, "photo", photo.file, new, why)
        mending.changes.append(change)
        mending.files[index] = new
