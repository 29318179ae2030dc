"""The tiles that cover a photo."""

from __future__ import annotations

import numpy as np
from jaxtyping import Int

from boxmask.pipeline.images import Size
from boxmask.pipeline.segmentation.tiling import tile_starts


def tile_windows(size: Size, tile: int, overlap: float) -> Int[np.ndarray, "T 4"]:
    """The tiles of a photo, xyxy in whole pixels, evenly spaced.

    tile:    side in pixels; a side of the photo that is shorter is covered at once
    overlap: the smallest part of a tile's side that it shares with the next
    """
    height, width = min(tile, size[0]), min(tile, size[1])
    corners = [
        (left, top)
        for top in tile_starts(size[0], height, overlap)
        for left in tile_starts(size[1], width, overlap)
    ]
    return np.array([(x, y, x + width, y + height) for x, y in corners], dtype=np.int64)
