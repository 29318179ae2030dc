"""The outlines of many objects as run lengths in one row of arrays, so that worker processes share them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Bool, Int
from numpy.typing import NDArray

from boxmask.geometry import rle
from boxmask.masks import Masks, Size


@dataclass(frozen=True, slots=True, eq=False)
class RleMasks:
    """RleMasks of N objects, each over the whole of its photo as shown.

    runs:    (R,) int32, COCO's run lengths of one object after the other (see `boxmask.geometry.rle`)
    offsets: (N + 1,) int64; those of object n are runs[offsets[n]:offsets[n + 1]], and none at all where its
             outline is not known
    """

    runs: Int[np.ndarray, " R"]
    offsets: Int[np.ndarray, " N+1"]

    @staticmethod
    def none(count: int) -> RleMasks:
        """`count` objects whose outlines are not known."""
        return RleMasks(np.zeros(0, dtype=np.int32), np.zeros(count + 1, dtype=np.int64))

    @staticmethod
    def of(counts: Sequence[Int[np.ndarray, " R"]]) -> RleMasks:
        """From the run lengths of each object."""
        runs = np.concatenate([np.zeros(0, dtype=np.int32), *counts]).astype(np.int32)
        return RleMasks(runs, _summed([len(one) for one in counts]))

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> RleMasks:
        """Some of the objects: numbers or flags."""
        lengths = np.diff(self.offsets)[rows]
        offsets = _summed(lengths)
        moves = np.repeat(self.offsets[:-1][rows] - offsets[:-1], lengths)
        return RleMasks(self.runs[moves + np.arange(offsets[-1])], offsets)

    @property
    def known(self) -> Bool[np.ndarray, " N"]:
        """Which outlines are known."""
        return np.diff(self.offsets) > 0

    def areas(self) -> Int[np.ndarray, " N"]:
        """Pixels of each object; 0 where the outline is not known."""
        place = np.arange(len(self.runs)) - np.repeat(self.offsets[:-1], np.diff(self.offsets))
        filled = np.where(place % 2 == 1, self.runs, 0)  # runs of 0 and of 1 take turns, 0 first
        sums = np.concatenate([[0], np.cumsum(filled, dtype=np.int64)])
        return np.asarray(np.diff(sums[self.offsets]))

    def masks(self, rows: slice, size: Size) -> Masks:
        """Of objects in one photo of (height, width)."""
        bounds = self.offsets[rows.start : rows.stop + 1]
        return rle.decode([self.runs[a:b].astype(np.int64) for a, b in pairwise(bounds)], size)


def _summed(lengths: Sequence[int] | NDArray[np.int64]) -> NDArray[np.int64]:
    """Where each of things that follow one another begins, and where the last one ends."""
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
