"""Copies and similar photos: found by their hashes, and confirmed by their thumbnails."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from jaxtyping import Bool, Float32, UInt8

from boxmask.data.photo_records.hash_search import Pairs, similar_pairs, similar_pairs_between
from boxmask.data.photo_records.hashes import (
    TURNS,
    UNTURNED,
    Turn,
    coefficient_signs,
    hashes,
    turn_thumbnails,
)
from boxmask.data.photo_records.records import THUMBNAIL_SIDE, PhotoRecords

# The thresholds are measured on 765 photos (people, animals, fruits, land from above, cells) and copies of
# them. Copies of another encoding, size or brightness differ in 0..6 bits, other photos in 12 or more.
_COPY_RADIUS = 6
_TURNED_RADIUS = 5
_ALIKE_RADIUS = 10
_COPY_CORRELATION = 0.98
_COPY_DIFFERENCE = 24
"""Copies correlate with more than 0.99, and differ in no pixel of their thumbnails by more than 24 gray
values, unless they are scaled to 64 pixels. A moved object differs by more."""
ALIKE_CORRELATION = 0.85
"""Photos of the same scene from the same place correlate with more. Other photos with similar hashes do not
reach 0.78."""
_MIN_CONTRAST = 2.0
"""Standard deviation of a thumbnail with something to compare, in gray values."""
_ASPECT_TOLERANCE = 0.02

_CHUNK = 50_000


def copy_pairs(records: PhotoRecords, turn: Turn = UNTURNED) -> Iterator[Pairs]:
    """Pairs of photos of which one is a copy of the other, in another encoding, size or brightness.

    Cropped photos, and frames in which something has moved, are no copies.

    turn: how the second photo is turned to look as the first
    """
    radius = _COPY_RADIUS if turn == UNTURNED else _TURNED_RADIUS
    for pairs in _candidates(records, turn, radius):
        similar = _compare(records, pairs, turn)
        copies = (similar.correlations > _COPY_CORRELATION) & (similar.differences < _COPY_DIFFERENCE)
        yield pairs[0][copies], pairs[1][copies]


def turned_copy_pairs(records: PhotoRecords) -> Iterator[Pairs]:
    """Pairs of photos of which one is a flipped or rotated copy of the other."""
    for turn in TURNS[1:]:
        yield from copy_pairs(records, turn)


def alike_pairs(records: PhotoRecords) -> Iterator[Pairs]:
    """Pairs of photos that show the same scene from the same place: frames of a video, or copies."""
    for pairs in _candidates(records, UNTURNED, _ALIKE_RADIUS):
        alike = _compare(records, pairs, UNTURNED).correlations > ALIKE_CORRELATION
        yield pairs[0][alike], pairs[1][alike]


def correlations(
    thumbnails: UInt8[np.ndarray, "N 16 16"], others: UInt8[np.ndarray, "N 16 16"]
) -> Float32[np.ndarray, " N"]:
    """Pearson's correlation of the gray values of each pair; 0 for a thumbnail without contrast."""
    return _Likeness.of(thumbnails, others).correlations


# ---------------------------------------------------------------- pairs


def _candidates(records: PhotoRecords, turn: Turn, radius: int) -> Iterator[Pairs]:
    """Pairs with similar hashes, a similar shape, and some contrast, in parts."""
    photos = np.flatnonzero(records.readable & (contrasts(records.thumbnails) >= _MIN_CONTRAST))
    signs = coefficient_signs(records.thumbnails[photos])
    if turn == UNTURNED:
        found = similar_pairs(hashes(signs), radius)
    else:
        found = similar_pairs_between(hashes(signs), hashes(signs, turn), radius)
    for first, second in found:
        for start in range(0, len(first), _CHUNK):
            pairs = photos[first[start : start + _CHUNK]], photos[second[start : start + _CHUNK]]
            same_shape = _have_same_shape(records, pairs, transposed=turn[0])
            yield pairs[0][same_shape], pairs[1][same_shape]


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


class _Likeness:
    """How similar the thumbnails of N pairs are, after their brightness and contrast are matched.

    correlations: (N,)
    differences:  (N,) the largest difference of a pixel
    """

    def __init__(
        self, correlations: Float32[np.ndarray, " N"], differences: Float32[np.ndarray, " N"]
    ) -> None:
        self.correlations, self.differences = correlations, differences

    @staticmethod
    def of(thumbnails: UInt8[np.ndarray, "N 16 16"], others: UInt8[np.ndarray, "N 16 16"]) -> _Likeness:
        """Compare each thumbnail with its other."""
        values, other_values = _centered(thumbnails), _centered(others)
        products = (values * other_values).sum(axis=1)
        squares, other_squares = (values**2).sum(axis=1), (other_values**2).sum(axis=1)
        smallest = np.float32(1e-6)
        correlations = products / np.sqrt(np.maximum(squares * other_squares, smallest))
        factors = products / np.maximum(other_squares, smallest)
        differences = np.abs(values - factors[:, None] * other_values).max(axis=1, initial=0)
        return _Likeness(correlations, differences)


def _compare(records: PhotoRecords, pairs: Pairs, turn: Turn) -> _Likeness:
    return _Likeness.of(records.thumbnails[pairs[0]], turn_thumbnails(records.thumbnails[pairs[1]], turn))


def _centered(thumbnails: UInt8[np.ndarray, "N 16 16"]) -> Float32[np.ndarray, "N 256"]:
    values = thumbnails.reshape(-1, THUMBNAIL_SIDE**2).astype(np.float32)
    return np.asarray(values - values.mean(axis=1, keepdims=True))
