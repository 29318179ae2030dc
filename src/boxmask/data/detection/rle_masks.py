"""The masks of many objects as run lengths in flat arrays, which worker processes can share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Bool, Int
from numpy.typing import NDArray

from boxmask.geometry import rle
from boxmask.masks import Masks, Size

_BLOCK = 10_000


@dataclass(frozen=True, slots=True, eq=False)
class RleMasks:
    """Masks of N objects, each over its whole photo as shown.

    runs:    (R,) int32, the COCO run lengths of all objects, one after the other (see `boxmask.geometry.rle`)
    offsets: (N + 1,) int64; object n has runs[offsets[n]:offsets[n + 1]], and none if its mask is unknown
    """

    runs: Int[np.ndarray, " R"]
    offsets: Int[np.ndarray, " N+1"]

    @staticmethod
    def unknown(count: int) -> RleMasks:
        """`count` objects with unknown masks."""
        return RleMasks(np.zeros(0, dtype=np.int32), np.zeros(count + 1, dtype=np.int64))

    @staticmethod
    def from_run_lengths(runs_per_object: Sequence[Int[np.ndarray, " R"]]) -> RleMasks:
        """From the run lengths of each object."""
        runs = np.concatenate([np.zeros(0, dtype=np.int32), *runs_per_object]).astype(np.int32)
        return RleMasks(runs, _offsets([len(runs_of_one) for runs_of_one in runs_per_object]))

    @staticmethod
    def from_flat(runs: Int[np.ndarray, " R"], lengths: Int[np.ndarray, " N"]) -> RleMasks:
        """From the run lengths of all objects, one after the other, and their number per object."""
        return RleMasks(runs, _offsets(lengths))

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> RleMasks:
        """The objects with the given indices, or where a mask of booleans is true."""
        lengths = np.diff(self.offsets)[rows]
        offsets = _offsets(lengths)
        moves = np.repeat(self.offsets[:-1][rows] - offsets[:-1], lengths)
        return RleMasks(self.runs[moves + np.arange(offsets[-1])], offsets)

    @property
    def known(self) -> Bool[np.ndarray, " N"]:
        """Whether each object's mask is known."""
        return np.diff(self.offsets) > 0

    def areas(self) -> Int[np.ndarray, " N"]:
        """Pixels of each object; 0 if its mask is unknown."""
        areas = np.zeros(len(self), dtype=np.int64)
        for start in range(0, len(self), _BLOCK):  # in blocks, because the sums need much memory
            offsets = self.offsets[start : start + _BLOCK + 1]
            runs = self.runs[offsets[0] : offsets[-1]]
            position = np.arange(len(runs)) - np.repeat(offsets[:-1] - offsets[0], np.diff(offsets))
            foreground = np.where(position % 2 == 1, runs, 0)  # runs of 0 and of 1 alternate, 0 first
            sums = np.concatenate([[0], np.cumsum(foreground, dtype=np.int64)])
            areas[start : start + _BLOCK] = np.diff(sums[offsets - offsets[0]])
        return areas

    def masks(self, rows: slice, size: Size) -> Masks:
        """The masks of objects in one photo of (height, width)."""
        bounds = self.offsets[rows.start : rows.stop + 1]
        return rle.decode([self.runs[a:b].astype(np.int64) for a, b in pairwise(bounds)], size)


def _offsets(lengths: Sequence[int] | NDArray[np.int64]) -> NDArray[np.int64]:
    """Where each of several consecutive parts begins, and where the last one ends."""
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
