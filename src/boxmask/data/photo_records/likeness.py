"""Copies and similar photos: found by their hashes, and confirmed by their thumbnails."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from jaxtyping import Bool, Float32, UInt8

from boxmask.data.photo_records.hash_search import Pairs, similar_pairs, similar_pairs_between
from boxmask.data.photo_records.hashes import (
    UNTURNED,
    Turn,
    coefficient_signs,
    hashes,
    turn_thumbnails,
)
from boxmask.data.photo_records.records import THUMBNAIL_SIDE, PhotoRecords

# The thresholds are measured on 765 photos (people, animals, fruits, land from above, cells) and copies of
# them. Copies of another encoding, size or brightness differ in 0..6 bits, other photos in 12 or more.
COPY_RADIUS = 6
TURNED_COPY_RADIUS = 5
ALIKE_RADIUS = 8  # of frames in which little has moved
_COPY_CORRELATION = 0.98
_COPY_DIFFERENCE = 24
"""Copies correlate with more than 0.99, and differ in no pixel of their thumbnails by more than 24 gray
values, unless they are scaled to 64 pixels. A moved object differs by more."""
_ALIKE_CORRELATION = 0.85
"""Photos of the same scene from the same place correlate with more. Other photos with similar hashes do not
reach 0.78."""
_MIN_CONTRAST = 2.0
"""Standard deviation of a thumbnail with something to compare, in gray values."""
_ASPECT_TOLERANCE = 0.02

_CHUNK = 4096  # pairs; it bounds the memory
_TINY = np.float32(1e-6)


def pairs_to_compare(records: PhotoRecords, turn: Turn, radius: int) -> Iterator[Pairs]:
    """Pairs of photos i, j with similar hashes, a similar shape, and some contrast, in parts.

    turn: how photo j is turned before it is compared; see `hashes`
    """
    photos = np.flatnonzero(records.readable & (contrasts(records.thumbnails) >= _MIN_CONTRAST))
    signs = coefficient_signs(records.thumbnails[photos])
    if turn == UNTURNED:
        found = similar_pairs(hashes(signs), radius)
    else:
        found = similar_pairs_between(hashes(signs), hashes(signs, turn), radius)
    for first, second in found:
        pairs = photos[first], photos[second]
        same_shape = _have_same_shape(records, pairs, transposed=turn[0])
        yield pairs[0][same_shape], pairs[1][same_shape]


def are_copies(records: PhotoRecords, pairs: Pairs, turn: Turn = UNTURNED) -> Bool[np.ndarray, " N"]:
    """Which photos are copies of each other: in another encoding, size or brightness.

    Cropped photos, and frames in which something has moved, are no copies.
    """
    correlations, differences = _compare(records, pairs, turn)
    return np.asarray((correlations > _COPY_CORRELATION) & (differences < _COPY_DIFFERENCE))


def are_alike(records: PhotoRecords, pairs: Pairs) -> Bool[np.ndarray, " N"]:
    """Which photos show the same scene from the same place: frames of a video, or copies."""
    return np.asarray(correlate(records, pairs) > _ALIKE_CORRELATION)


def correlate(records: PhotoRecords, pairs: Pairs) -> Float32[np.ndarray, " N"]:
    """Pearson's correlation of the gray values of each pair of thumbnails; 0 without contrast."""
    return _compare(records, pairs, UNTURNED)[0]


def contrasts(thumbnails: UInt8[np.ndarray, "P 16 16"]) -> Float32[np.ndarray, " P"]:
    """The standard deviations of the gray values."""
    chunks = [thumbnails[start : start + _CHUNK] for start in range(0, len(thumbnails), _CHUNK)]
    deviations = [chunk.reshape(-1, THUMBNAIL_SIDE**2).std(axis=1, dtype=np.float32) for chunk in chunks]
    return np.concatenate([np.zeros(0, dtype=np.float32), *deviations])


def _have_same_shape(records: PhotoRecords, pairs: Pairs, *, transposed: bool) -> Bool[np.ndarray, " N"]:
    heights, widths = records.sizes[pairs[0]].T.astype(np.float64)
    other_heights, other_widths = records.sizes[pairs[1]].T[:: -1 if transposed else 1].astype(np.float64)
    ratios = (heights / widths) / (other_heights / other_widths)
    rounding = 1 / np.minimum.reduce([heights, widths, other_heights, other_widths])
    return np.asarray(np.abs(np.log(ratios)) < _ASPECT_TOLERANCE + rounding)


def _compare(
    records: PhotoRecords, pairs: Pairs, turn: Turn
) -> tuple[Float32[np.ndarray, " N"], Float32[np.ndarray, " N"]]:
    """Correlations of thumbnails, and the largest difference of a pixel after their contrast is matched."""
    correlations = np.zeros(len(pairs[0]), dtype=np.float32)
    differences = np.zeros(len(pairs[0]), dtype=np.float32)
    for start in range(0, len(pairs[0]), _CHUNK):
        rows = slice(start, start + _CHUNK)
        values = _centered(records.thumbnails[pairs[0][rows]])
        others = _centered(turn_thumbnails(records.thumbnails[pairs[1][rows]], turn))
        products = (values * others).sum(axis=1)
        squares, other_squares = ((side**2).sum(axis=1) for side in (values, others))
        correlations[rows] = products / np.sqrt(np.maximum(squares * other_squares, _TINY))
        factors = products / np.maximum(other_squares, _TINY)
        differences[rows] = np.abs(values - factors[:, None] * others).max(axis=1)
    return correlations, differences


def _centered(thumbnails: UInt8[np.ndarray, "N 16 16"]) -> Float32[np.ndarray, "N 256"]:
    values = thumbnails.reshape(-1, THUMBNAIL_SIDE**2).astype(np.float32)
    return np.asarray(values - values.mean(axis=1, keepdims=True))
