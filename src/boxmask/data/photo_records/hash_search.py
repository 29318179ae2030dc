"""Find all pairs of similar hashes without comparing every hash with every other.

Two hashes that differ in at most r bits agree in at least one of r + 1 bands of bits, so that only hashes
with the same band are compared (Norouzi et al., "Fast exact search in Hamming space with multi-index
hashing", TPAMI 2014).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

import numpy as np
from jaxtyping import Int, UInt64

from boxmask.data.photo_records.hashes import hamming_distances

Pairs: TypeAlias = tuple[Int[np.ndarray, " N"], Int[np.ndarray, " N"]]

MAX_COMPARED = 1000
"""A hash is compared with at most this many others that share a band, those next to it in sorted order. It
bounds the time for sets of mostly equal photos."""

MAX_COMPARED_BETWEEN = 200
"""The same for pairs between two lists, of which the search compares many within a list in vain."""

_NUM_BITS = 64


def similar_pairs(
    hashes: UInt64[np.ndarray, " P"], radius: int, max_compared: int = MAX_COMPARED
) -> Iterator[Pairs]:
    """Pairs of indices i, j whose hashes differ in at most `radius` bits, in arrays; some come repeatedly.

    All pairs are found as long as no more than `max_compared` hashes have a band in common.
    """
    edges = np.linspace(0, _NUM_BITS, radius + 2).astype(int)
    for low, high in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        bands = (hashes >> np.uint64(low)) & np.uint64(2 ** (high - low) - 1)
        order = np.lexsort((hashes, bands))
        yield from _pairs_in_bands(hashes[order], bands[order], order, radius, max_compared)


def similar_pairs_between(
    hashes: UInt64[np.ndarray, " P"], others: UInt64[np.ndarray, " P"], radius: int
) -> Iterator[Pairs]:
    """Pairs i < j for which hash i of the first and hash j of the second differ in at most `radius` bits."""
    count, both = len(hashes), np.concatenate([hashes, others])
    for first, second in similar_pairs(both, radius, MAX_COMPARED_BETWEEN):
        low, high = np.minimum(first, second), np.maximum(first, second) - count
        kept = (low < count) & (high >= 0) & (low < high)
        if kept.any():
            yield low[kept], high[kept]


def _pairs_in_bands(
    hashes: UInt64[np.ndarray, " P"],
    bands: UInt64[np.ndarray, " P"],
    indices: Int[np.ndarray, " P"],
    radius: int,
    max_compared: int,
) -> Iterator[Pairs]:
    """Pairs with the same band, sorted by it: each with the next, then with the one after that, and so on."""
    positions = np.arange(len(hashes))
    for step in range(1, max_compared + 1):
        positions = positions[positions + step < len(hashes)]
        positions = positions[bands[positions] == bands[positions + step]]
        if not len(positions):
            return
        found = positions[hamming_distances(hashes[positions], hashes[positions + step]) <= radius]
        if len(found):
            yield indices[found], indices[found + step]
