"""Fill many outlines, in little memory."""

from __future__ import annotations

from array import array
from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool

from boxmask.data.detection.compressed_masks import CompressedMasks, compress
from boxmask.data.outlines import Outline, Polygons, fill, fill_compressed
from boxmask.masks import Size


class MaskRows:
    """Collects the masks of outlines."""

    def __init__(self) -> None:
        self._text = bytearray()
        self._lengths = array("q")

    def add(self, outline: Outline, size: Size, label_size: Size) -> None:
        """Fill an outline; see `fill`. Raises ValueError as it does."""
        if isinstance(outline, Polygons) and not outline.holes:
            text = fill_compressed(outline, size, label_size)
        else:
            text = compress(fill(outline, size, label_size))
        self._text += text
        self._lengths.append(len(text))

    def at(self, rows: Sequence[int], num_objects: int) -> tuple[CompressedMasks, Bool[np.ndarray, " N"]]:
        """The masks in the given rows of N objects, the others unknown; and which ones have no pixel.

        Masks without a pixel are unknown, too.
        """
        lengths = np.zeros(num_objects, dtype=np.int64)
        lengths[list(rows)] = np.array(self._lengths, dtype=np.int64)
        masks = CompressedMasks.from_texts(self._text, lengths)
        is_empty = masks.known & (masks.areas() == 0)
        if is_empty.any():
            kept = np.repeat(~is_empty, lengths)
            masks = CompressedMasks.from_texts(masks.text[kept].tobytes(), np.where(is_empty, 0, lengths))
        return masks, is_empty
