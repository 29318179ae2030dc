"""Mend what labels say about photos: declared sizes, and suffixes that contradict the content."""

from __future__ import annotations

import posixpath

import numpy as np

from boxmask.data.photo_records.records import PhotoRecords
from boxmask.doctor.fix.mending import Change, Mending

_SUFFIXES = {
    "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "PNG": (".png",),
    "BMP": (".bmp",),
    "TIFF": (".tif", ".tiff"),
    "WEBP": (".webp",),
    "GIF": (".gif",),
}
"""The suffixes of a format, the usual one first. Photos in rarer formats keep their names."""


def mend_sizes(mending: Mending) -> None:
    """Write the sizes of the photos, and scale the labels of photos that were resized after labeling.

    The boxes of resized photos are already scaled when they are read. Here they get back what they were, so
    that the change is seen.
    """
    labels, sizes = mending.labels, mending.examination.sizes
    resized = _photos_of(mending, "photo-resized")
    known = mending.examination.sizes_known
    for index, photo in enumerate(labels.photos):
        declared, size = photo.declared_size, tuple(sizes[index].tolist())
        if declared is None or declared == size or not known[index] or photo.missing_name:
            continue
        mending.sizes_before[index] = declared
        is_resized = photo.file in resized
        kind_id = "photo-resized" if is_resized else "size-differs"
        why = "its labels are scaled to the photo" if is_resized else "the size of the photo"
        before, after = (f"{width} × {height}" for height, width in (declared, size))
        change = Change(kind_id, photo.location, f"{photo.file}: size", before, after, why)
        mending.changes.append(change)
        if is_resized:
            rows = np.flatnonzero(labels.photo_of == index)
            factors = (np.array(declared) / np.array(size))[[1, 0, 1, 0]]
            mending.boxes_before[rows] *= factors


def rename_photos(mending: Mending, records: PhotoRecords | None) -> None:
    """Give photos the suffix of their format, unless another photo would then have the same name."""
    if records is None:
        return
    formats = dict(zip(records.files, records.formats.tolist(), strict=True))
    wrong = _photos_of(mending, "photo-wrong-suffix")
    taken = {posixpath.splitext(file)[0].casefold() for file in mending.files if file not in wrong}
    for index, photo in enumerate(mending.labels.photos):
        stem, suffix = posixpath.splitext(photo.file)
        suffixes = _SUFFIXES.get(formats.get(photo.file, ""), (suffix.lower(),))
        if photo.file not in wrong or suffix.lower() in suffixes or stem.casefold() in taken:
            continue
        taken.add(stem.casefold())
        new = stem + suffixes[0]
        why = "the format of the photo"
        change = Change("photo-wrong-suffix", photo.location, "photo", photo.file, new, why)
        mending.changes.append(change)
        mending.files[index] = new


def _photos_of(mending: Mending, kind_id: str) -> set[str]:
    """The photos of the findings of one kind."""
    kinds = [kind for kind in mending.findings.kinds if kind.id == kind_id]
    return {finding.photo for kind in kinds for finding in mending.findings.of(kind)}
