"""Objects that were found in parts of a photo."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from boxmask.masks import Masks
from boxmask.pipeline.images import Size
from boxmask.types import Detections

CUT_MARGIN = 0.02  # of a tile's side: boxes this close to its edge may go on beyond it


@dataclass(frozen=True)
class TileObjects:
    """N objects of one photo, found in its tiles.

    boxes:   (N, 4) float64 xyxy in pixels of the photo
    scores, labels: (N,)
    tiles:   (N,) the number of the tile that each was found in
    windows: (N, 4) this tile, xyxy in pixels of the photo
    size:    of the photo
    masks:   of all N objects, in pixels of the photo; None without masks
    """

    boxes: Float[np.ndarray, "N 4"]
    scores: Float[np.ndarray, " N"]
    labels: Int[np.ndarray, " N"]
    tiles: Int[np.ndarray, " N"]
    windows: Int[np.ndarray, "N 4"]
    size: Size
    masks: Masks | None

    @staticmethod
    def of(found: Sequence[Detections], windows: Int[np.ndarray, "T 4"], size: Size) -> TileObjects:
        """Move the detections of each tile to where the tile lies in the photo."""
        counts = [len(detections) for detections in found]
        tiles = np.repeat(np.arange(len(found)), counts)
        boxes = np.concatenate([detections.boxes for detections in found]).astype(np.float64)
        masks = [
            detections.masks.shift_and_crop(x, y, size)
            for detections, (x, y) in zip(found, windows[:, :2].tolist(), strict=True)
            if detections.masks is not None
        ]
        return TileObjects(
            boxes + windows[tiles][:, [0, 1, 0, 1]],
            np.concatenate([detections.scores for detections in found]),
            np.concatenate([detections.labels for detections in found]),
            tiles,
            windows[tiles],
            size,
            Masks.concatenate(masks, size) if len(masks) == len(found) else None,
        )

    @property
    def is_cut(self) -> Bool[np.ndarray, " N"]:
        """Whether each object reaches an edge of its tile that is not an edge of the photo."""
        height, width = self.size
        margins = CUT_MARGIN * (self.windows[:, [2, 3, 2, 3]] - self.windows[:, [0, 1, 0, 1]])
        is_inner = self.windows != (0, 0, width, height)
        return np.asarray((is_inner & (np.abs(self.boxes - self.windows) <= margins)).any(axis=1))
