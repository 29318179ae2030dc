"""Perceptual hashes: 63 bits that are nearly the same for copies of a photo in other sizes and encodings.

Bit (u, v) tells the sign of the coefficient (u, v) of the thumbnail's discrete cosine transform, for the
8 × 8 lowest frequencies without the mean: Zauner, "Implementation and benchmarking of perceptual image hash
functions", 2010. A flipped photo changes the signs of odd frequencies, and a transposed one exchanges u and
v, so that the hashes of all eight turned photos follow from one transform.
"""

from __future__ import annotations

from itertools import product

import numpy as np
import scipy
from jaxtyping import Bool, UInt8, UInt64

SIDE = 8
_CHUNK = 4096

Turn = tuple[bool, bool, bool]
"""Whether a photo is transposed, and whether its rows and its columns are then reversed."""

UNTURNED: Turn = (False, False, False)
TURNS: tuple[Turn, ...] = tuple(product((False, True), (False, True), (False, True)))


def coefficient_signs(thumbnails: UInt8[np.ndarray, "P S S"]) -> Bool[np.ndarray, "P 8 8"]:
    """Whether each of the lowest coefficients is positive."""
    transform = scipy.fft.dct(np.eye(thumbnails.shape[-1], dtype=np.float32), axis=0, norm="ortho")[:SIDE]
    signs = np.empty((len(thumbnails), SIDE, SIDE), dtype=np.bool_)
    for start in range(0, len(thumbnails), _CHUNK):
        values = thumbnails[start : start + _CHUNK].astype(np.float32)
        signs[start : start + _CHUNK] = transform @ values @ transform.T > 0
    return signs


def hashes(signs: Bool[np.ndarray, "P 8 8"], turn: Turn = UNTURNED) -> UInt64[np.ndarray, " P"]:
    """The hashes of photos that are turned, from the signs of the photos as they are."""
    transposed, rows, columns = turn
    turned = signs.transpose(0, 2, 1) if transposed else signs
    odd = np.arange(SIDE) % 2 == 1
    turned = turned ^ ((rows & odd)[:, None] ^ (columns & odd)[None, :])
    turned[:, 0, 0] = False  # the mean
    return np.packbits(turned.reshape(-1, SIDE * SIDE), axis=1).view(np.uint64)[:, 0]


def turn_thumbnails(thumbnails: UInt8[np.ndarray, "P S S"], turn: Turn) -> UInt8[np.ndarray, "P S S"]:
    """The thumbnails of the turned photos."""
    transposed, rows, columns = turn
    turned = thumbnails.transpose(0, 2, 1) if transposed else thumbnails
    return turned[:, :: -1 if rows else 1, :: -1 if columns else 1]


def hamming_distances(
    hashes: UInt64[np.ndarray, " P"], others: UInt64[np.ndarray, " P"]
) -> UInt8[np.ndarray, " P"]:
    """The number of different bits of each pair."""
    return _count_bits(hashes ^ others)


def _count_bits(values: UInt64[np.ndarray, " P"]) -> UInt8[np.ndarray, " P"]:
    if hasattr(np, "bitwise_count"):  # numpy 2
        return np.asarray(np.bitwise_count(values), dtype=np.uint8)
    parts = np.ascontiguousarray(values).view(np.uint16).reshape(-1, 4)
    return np.asarray(_BITS[parts].sum(axis=1, dtype=np.uint8))


_BITS = np.array([bin(value).count("1") for value in range(2**16)], dtype=np.uint8)
