"""The sizes of labeled photos, as far as they are known."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy.typing import NDArray

from boxmask.data.findings import Finding, Findings, Kind, Location
from boxmask.data.formats.labels import Labels
from boxmask.data.photo_checks import UNREADABLE
from boxmask.messages import format_count

UNKNOWN_SIZE = UNREADABLE
"""In place of a size that nobody knows: no photo was read, and the labels declare no size. Labels in
fractions of such a photo stay fractions."""

SIZE_UNKNOWN = Kind(
    "size-unknown",
    "note",
    "Photos of unknown size",
    "Some checks of their boxes and outlines did not run. Check again with the photos beside the labels, and "
    "without --labels-only.",
)


def sizes_to_use(labels: Labels, sizes: NDArray[np.int32]) -> Int[np.ndarray, "P 2"]:
    """The sizes of photos; without a readable header, those that the labels declare, else `UNKNOWN_SIZE`.

    sizes: (P, 2) as read; `UNREADABLE` where no header could be read
    """
    sizes = sizes.copy()
    for index in np.flatnonzero((sizes == UNREADABLE).all(axis=1)).tolist():
        sizes[index] = labels.photos[index].declared_size or UNKNOWN_SIZE
    return sizes


def has_size(sizes: Int[np.ndarray, "P 2"]) -> Bool[np.ndarray, " P"]:
    """Whether each size is known."""
    return np.asarray((sizes > 0).all(axis=1))


def edges_of(sizes: Int[np.ndarray, "P 2"], unknown: float = np.inf) -> Float[np.ndarray, "P 2"]:
    """Widths and heights; `unknown` where the size is unknown."""
    return np.asarray(np.where(has_size(sizes)[:, None], sizes[:, ::-1], unknown))


def sides_or_ones(sizes: Int[np.ndarray, "P 2"]) -> Int[np.ndarray, "P 2"]:
    """The sizes, to multiply or divide by; ones where they are unknown, so that fractions stay fractions."""
    return np.asarray(np.maximum(sizes, 1))


def report_unknown_sizes(labels: Labels, sizes: Int[np.ndarray, "P 2"], findings: Findings) -> None:
    """Add one finding on the photos that exist and have objects, but whose size is unknown."""
    with_objects = np.bincount(labels.photo_of, minlength=len(sizes)) > 0
    exist = np.array([not photo.missing_name for photo in labels.photos], dtype=bool)
    photos = np.flatnonzero(with_objects & exist & ~has_size(sizes))
    if len(photos):
        first = labels.photos[int(photos[0])]
        count = f"{len(photos):,} of {format_count(int(exist.sum()), 'photo')}"
        detail = f"{count}: no file was read, and the labels declare no size; the first: "
        detail += first.file
        findings.add(Finding(SIZE_UNKNOWN, Location(str(labels.root)), detail, first.file))
