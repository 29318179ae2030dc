"""Detect the objects of a large photo in tiles, and the largest ones in the whole photo."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from torch import Tensor

from boxmask.photos.read import accepts_photos
from boxmask.pipeline.images import spatial_size
from boxmask.prediction.tiles.merging import merge_objects
from boxmask.prediction.tiles.objects import TileObjects
from boxmask.prediction.tiles.windows import tile_windows
from boxmask.prediction.view_options import check_tiles
from boxmask.types import Detections


class _Detector(Protocol):
    config: Any

    def predict(self, photos: Tensor, /, proposals: Tensor | None = None) -> Detections: ...


class TiledDetector:
    """A detector that predicts a large photo in overlapping tiles.

    The tiles have a higher resolution than the whole photo would have. The detector also predicts the whole
    photo, to find objects larger than a tile: from this view, only objects are kept whose longer side exceeds
    the overlap. A photo that fits into a tile is predicted as a whole only.

    tile:    side of a tile in pixels of the photo
    overlap: fraction of a tile's side that overlaps the next tile. An object smaller than the overlap is
             complete in at least one tile.

    Tiles are predicted one after another, so memory use stays close to the size of the photo.
    Raises UsageError for a tile or an overlap out of range.
    """

    def __init__(self, detector: Any, tile: int, overlap: float = 0.25) -> None:
        check_tiles(tile, overlap)
        self.detector: _Detector = detector
        self.tile, self.overlap = tile, overlap

    @property
    def config(self) -> Any:
        """The config of the detector."""
        return self.detector.config

    @property
    def class_names(self) -> tuple[str, ...]:
        """The names of the classes, in the order of the labels."""
        names: tuple[str, ...] = self.config.class_names
        return names

    @accepts_photos
    def predict(self, images: list[Tensor], proposals: list[Tensor] | None = None) -> list[Detections]:
        """Photos -> the objects in each, as `Detector.predict`.

        Given proposals are for the view of the whole photo.
        """
        given = [None] * len(images) if proposals is None else proposals
        return [self._detect(image, boxes) for image, boxes in zip(images, given, strict=True)]

    def _detect(self, image: Tensor, proposals: Tensor | None) -> Detections:
        size = spatial_size(image)
        whole = self.detector.predict(image, proposals=proposals)
        if max(size) <= self.tile:
            return whole
        windows = tile_windows(size, self.tile, self.overlap)
        found = [self.detector.predict(image[:, y1:y2, x1:x2]) for x1, y1, x2, y2 in windows.tolist()]
        longer_sides = (whole.boxes[:, 2:] - whole.boxes[:, :2]).max(axis=1, initial=0)
        found.append(whole[longer_sides > self.tile * self.overlap])
        windows = np.concatenate([windows, [[0, 0, size[1], size[0]]]])
        return merge_objects(TileObjects.of(found, windows, size), self.class_names)
