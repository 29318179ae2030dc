"""The masks of many objects as COCO's compressed text, which takes a quarter of the memory of run lengths."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from hotcoco import mask as hotcoco_mask
from jaxtyping import Bool, Float, Int, UInt8
from numpy.typing import NDArray

from boxmask.data.detection.rle_masks import RleMasks
from boxmask.geometry import rle
from boxmask.masks import Masks, Size

_BATCH = 2000
"""Masks that are decoded at once."""

_ANY_SIZE = (1, 2**31 - 1)
"""A size that no photo exceeds, for functions of hotcoco that only check that runs are not longer."""


@dataclass(frozen=True, slots=True, eq=False)
class CompressedMasks:
    """Masks of N objects, each over its whole photo as shown.

    text:    (B,) the texts of all objects, one after the other (see `boxmask.geometry.rle.decompress`)
    offsets: (N + 1,) int64; object n has text[offsets[n]:offsets[n + 1]], and none if its mask is unknown
    """

    text: UInt8[np.ndarray, " B"]
    offsets: Int[np.ndarray, " N+1"]

    @staticmethod
    def unknown(count: int) -> CompressedMasks:
        """`count` objects with unknown masks."""
        return CompressedMasks(np.zeros(0, dtype=np.uint8), np.zeros(count + 1, dtype=np.int64))

    @staticmethod
    def from_texts(text: bytes | bytearray, lengths: Int[np.ndarray, " N"]) -> CompressedMasks:
        """From the texts of all objects, one after the other, and the length of each."""
        offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        return CompressedMasks(np.frombuffer(text, dtype=np.uint8), offsets)

    @staticmethod
    def from_run_lengths(runs_per_object: Sequence[Int[np.ndarray, " R"]]) -> CompressedMasks:
        """From the run lengths of each object."""
        texts = [compress(runs) if len(runs) else b"" for runs in runs_per_object]
        return CompressedMasks.from_texts(b"".join(texts), np.array(list(map(len, texts)), dtype=np.int64))

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def known(self) -> Bool[np.ndarray, " N"]:
        """Whether each object's mask is known."""
        return np.diff(self.offsets) > 0

    def text_of(self, row: int) -> bytes:
        """The text of an object; empty if its mask is unknown."""
        return self.text[self.offsets[row] : self.offsets[row + 1]].tobytes()

    def run_lengths(self, row: int) -> Int[np.ndarray, " R"]:
        """The run lengths of an object; empty if its mask is unknown."""
        text = self.text_of(row)
        return rle.decompress(text).astype(np.int32) if text else np.zeros(0, dtype=np.int32)

    def mask(self, row: int, size: Size) -> Masks:
        """The mask of one object in a photo of (height, width)."""
        return rle.decode([self.run_lengths(row).astype(np.int64)], size)

    def areas(self) -> Int[np.ndarray, " N"]:
        """Pixels of each object; 0 if its mask is unknown."""
        areas = np.zeros(len(self), dtype=np.int64)
        for rows in _batches(np.flatnonzero(self.known)):
            areas[rows] = hotcoco_mask.area([self._encoded(row, _ANY_SIZE) for row in rows.tolist()])
        return areas

    def boxes(self, rows: Int[np.ndarray, " M"], sizes: Int[np.ndarray, "M 2"]) -> Float[np.ndarray, "M 4"]:
        """The smallest box around the pixels of each mask: x1, y1, x2, y2 with continuous edges.

        rows:  of the masks, which must be known and have a pixel
        sizes: (height, width) of the photo of each mask
        """
        found = [np.zeros((0, 4))]
        for batch in _batches(np.arange(len(rows))):
            pairs = zip(rows[batch].tolist(), sizes[batch].tolist(), strict=True)
            found.append(hotcoco_mask.to_bbox([self._encoded(row, size) for row, size in pairs]))
        boxes = np.concatenate(found)
        boxes[:, 2:] += boxes[:, :2]
        return boxes

    def expand(self) -> RleMasks:
        """The same masks as run lengths, which are decoded faster one by one."""
        runs, lengths = array("i"), np.zeros(len(self), dtype=np.int64)
        for rows in _batches(np.flatnonzero(self.known)):
            found, lengths[rows] = rle.decompress_all([self.text_of(row) for row in rows.tolist()])
            runs.frombytes(found.astype(np.intc).tobytes())
        flat = np.frombuffer(runs, dtype=np.intc) if runs else np.zeros(0, dtype=np.intc)
        return RleMasks.from_flat(flat.astype(np.int32, copy=False), lengths)

    def _encoded(self, row: int, size: Sequence[int]) -> dict[str, object]:
        return {"size": size, "counts": self.text_of(row)}


def compress(runs: Int[np.ndarray, " R"]) -> bytes:
    """COCO's compressed text of run lengths; see `boxmask.geometry.rle.decompress`."""
    return str(hotcoco_mask.rle_to_string({"size": _ANY_SIZE, "counts": runs})).encode()


def _batches(rows: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    for start in range(0, len(rows), _BATCH):
        yield rows[start : start + _BATCH]
