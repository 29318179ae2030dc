"""Label maps that are kept in memory."""

from __future__ import annotations

import numpy as np

from boxmask.tasks.segmentation.kept_label_maps import KeptLabelMaps
from boxmask.types import SegmentationMap


def test_label_maps_come_back_as_they_were() -> None:
    maps = [SegmentationMap(np.full((3, 5 + n), n, np.uint8), ("road", "sky", "tree")) for n in range(3)]
    kept = KeptLabelMaps()
    for each in maps:
        kept.append(each)
    assert len(kept) == 3
    assert list(kept) == maps
    assert kept[-1] == maps[2]
    assert kept[1:] == maps[1:]
