"""Label maps of many photos, compressed in memory."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import overload

import numpy as np

from boxmask.types import SegmentationMap


class KeptLabelMaps(Sequence[SegmentationMap]):
    """Label maps that take about a hundredth of their size. Each is decompressed when it is read."""

    def __init__(self) -> None:
        self._compressed: list[tuple[bytes, tuple[int, int], tuple[str, ...]]] = []

    def append(self, label_map: SegmentationMap) -> None:
        """Add the label map of the next photo."""
        compressed = zlib.compress(label_map.labels.tobytes(), level=1)
        self._compressed.append((compressed, label_map.size, label_map.class_names))

    def __len__(self) -> int:
        return len(self._compressed)

    @overload
    def __getitem__(self, photo: int) -> SegmentationMap: ...

    @overload
    def __getitem__(self, photo: slice) -> list[SegmentationMap]: ...

    def __getitem__(self, photo: int | slice) -> SegmentationMap | list[SegmentationMap]:
        if isinstance(photo, slice):
            return [self[index] for index in range(len(self))[photo]]
        compressed, size, class_names = self._compressed[photo]
        labels = np.frombuffer(zlib.decompress(compressed), np.uint8).reshape(size)
        return SegmentationMap(labels, class_names)
