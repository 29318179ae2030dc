"""Fill many outlines, in little memory."""

from __future__ import annotations

from array import array
from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Int

from boxmask.data.detection.rle_masks import RleMasks
from boxmask.data.outlines import Outline, Polygons, fill, fill_compressed
from boxmask.geometry import rle
from boxmask.masks import Size

_BATCH = 2000
"""Compressed texts that are decompressed at once, which takes a fifth of the time."""


class MaskRows:
    """Collects the masks of outlines as run lengths."""

    def __init__(self) -> None:
        self._runs = array("i")
        self._lengths = array("q")
        self._waiting: list[bytes] = []

    def add(self, outline: Outline, size: Size, label_size: Size) -> None:
        """Fill an outline; see `fill`. Raises ValueError as it does."""
        if isinstance(outline, Polygons) and not outline.holes:
            self._waiting.append(fill_compressed(outline, size, label_size))
            if len(self._waiting) >= _BATCH:
                self._decompress()
            return
        runs = fill(outline, size, label_size)
        self._decompress()
        self._append(runs, np.array([len(runs)]))

    def at(self, rows: Sequence[int], num_objects: int) -> tuple[RleMasks, Bool[np.ndarray, " N"]]:
        """The masks in the given rows of N objects, the others unknown; and which ones have no pixel.

        Masks without a pixel are unknown, too.
        """
        self._decompress()
        lengths = np.zeros(num_objects, dtype=np.int64)
        lengths[list(rows)] = np.array(self._lengths, dtype=np.int64)
        runs = np.frombuffer(self._runs, dtype=np.intc) if self._runs else np.zeros(0, dtype=np.int32)
        masks = RleMasks.from_flat(runs.astype(np.int32, copy=False), lengths)
        is_empty = masks.known & (masks.areas() == 0)
        if is_empty.any():
            kept = np.repeat(~is_empty, lengths)
            masks = RleMasks.from_flat(masks.runs[kept], np.where(is_empty, 0, lengths))
        return masks, is_empty

    def _decompress(self) -> None:
        if self._waiting:
            self._append(*rle.decompress_all(self._waiting))
            self._waiting.clear()

    def _append(self, runs: Int[np.ndarray, " R"], lengths: Int[np.ndarray, " M"]) -> None:
        self._runs.frombytes(runs.astype(np.intc).tobytes())
        self._lengths.frombytes(lengths.astype(np.int64).tobytes())
