"""Connected components of photos, from pairs that arrive in parts."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import scipy
from jaxtyping import Bool, Int

from boxmask.data.photo_records.hash_search import Pairs

_MAX_WAITING = 2_000_000
"""Pairs that are kept before they are merged; it bounds the memory."""


class Components:
    """The connected components of P photos. At first, each photo is a component of its own."""

    def __init__(self, num_photos: int) -> None:
        self._numbers = np.arange(num_photos)
        self._waiting: list[Int[np.ndarray, "2 N"]] = []
        self._num_waiting = 0

    def join(self, first: Int[np.ndarray, " N"], second: Int[np.ndarray, " N"]) -> None:
        """Join the components of photos first[n] and second[n], for all n."""
        self._waiting.append(np.stack([first, second]))
        self._num_waiting += len(first)
        if self._num_waiting > _MAX_WAITING:
            self._merge()

    def join_if(self, pairs: Pairs, belong_together: Callable[[Pairs], Bool[np.ndarray, " N"]]) -> None:
        """Join the pairs that belong together. Only pairs that are not yet joined are compared."""
        if 10 * self._num_waiting > len(self._numbers):
            self._merge()
        apart = self._numbers[pairs[0]] != self._numbers[pairs[1]]
        pairs = pairs[0][apart], pairs[1][apart]
        found = belong_together(pairs)
        self.join(pairs[0][found], pairs[1][found])

    def join_equal(self, keys: Int[np.ndarray, " P"]) -> None:
        """Join all photos with the same key; those with a negative key are left alone."""
        order = np.argsort(keys, kind="stable")
        order = order[keys[order] >= 0]
        same = keys[order[:-1]] == keys[order[1:]]
        self.join(order[:-1][same], order[1:][same])

    def numbers(self) -> Int[np.ndarray, " P"]:
        """The component of each photo, 0..C-1, in the order of their first photos."""
        self._merge()
        return number_in_order(self._numbers)

    def _merge(self) -> None:
        if self._waiting:
            count = len(self._numbers)
            first, second = self._numbers[np.concatenate(self._waiting, axis=1)]
            edges = scipy.sparse.coo_array(
                (np.ones(len(first), dtype=np.bool_), (first, second)), shape=(count, count)
            )
            self._numbers = scipy.sparse.csgraph.connected_components(edges, directed=False)[1][self._numbers]
            self._waiting, self._num_waiting = [], 0


def number_in_order(keys: Int[np.ndarray, " P"]) -> Int[np.ndarray, " P"]:
    """0 for the first key and those equal to it, 1 for the next other key, and so on."""
    _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
    ranks = np.empty(len(first), dtype=np.int64)
    ranks[np.argsort(first)] = np.arange(len(first))
    return ranks[inverse.reshape(-1)]


def members_of_groups(numbers: Int[np.ndarray, " P"]) -> list[Int[np.ndarray, " M"]]:
    """The photos of each group of two or more, in order."""
    order = np.argsort(numbers, kind="stable")
    starts = np.flatnonzero(np.diff(numbers[order], prepend=-1))
    return [group for group in np.split(order, starts[1:]) if len(group) > 1]
