"""Regions of interest as the loops want them: one array, checked, in an order that is kind to caches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

_TILE = 8  # pixels of the feature map; RoIs whose centers share a tile are visited one after another
_PORTION = 32  # RoIs that a thread takes at a time


@dataclass(frozen=True, slots=True)
class Visit:
    """RoIs of one image on one level: `rows` of the RoIs, those that lie close together one after another."""

    level: int
    image: int
    rows: NDArray[np.int64]

    def portions(self) -> list[Visit]:
        """The same rows in portions for threads to take."""
        cuts = range(0, len(self.rows), _PORTION)
        return [Visit(self.level, self.image, self.rows[cut : cut + _PORTION]) for cut in cuts]

    def centers(self, rois: NDArray[Any], scale: float) -> NDArray[Any]:
        """The row of the map on which the middle of each RoI lies; 0 where it is not a number."""
        centers: NDArray[Any] = np.nan_to_num((rois[self.rows, 2] + rois[self.rows, 4]) * (scale / 2))
        return centers


def to_rois(boxes: Tensor | Sequence[Tensor]) -> Tensor:
    """(R, 5) rows of (image, x1, y1, x2, y2), from the same or from one (L, 4) tensor for each image.

    Raises ValueError for any other shape.
    """
    if not isinstance(boxes, Tensor):
        for image, one in enumerate(boxes):
            _require(one.ndim == 2 and one.shape[1] == 4, f"boxes[{image}]", "shape (L, 4)", one.shape)
        numbers = [torch.full_like(one[:, :1], image) for image, one in enumerate(boxes)]
        return torch.cat([torch.cat(pair, dim=1) for pair in zip(numbers, boxes, strict=True)])
    _require(
        boxes.ndim == 2 and boxes.shape[1] == 5, "boxes", "shape (R, 5), or a list of (L, 4)", boxes.shape
    )
    return boxes


def to_pair(output_size: int | Sequence[int]) -> list[int]:
    """[height, width] from the same or from one number for both."""
    pair = [output_size] * 2 if isinstance(output_size, int) else list(output_size)
    _require(len(pair) == 2 and min(pair) > 0, "output_size", "a positive (height, width)", output_size)
    return pair


def check_rois(features: Sequence[Tensor], rois: Tensor, levels: Tensor) -> None:
    """Raise ValueError where the loops would read outside `features`, or read wrong types."""
    _require(len(features) > 0, "features", "at least one level", 0)
    wanted = f"(N, C, H, W) of {features[0].dtype} alike in N and C, with H and W above 0"
    for feature in features:
        alike = feature.shape[:2] == features[0].shape[:2] and feature.dtype == features[0].dtype
        _require(
            feature.ndim == 4 and alike and min(feature.shape[2:]) > 0, "features", wanted, feature.shape
        )
    _require(
        features[0].dtype in (torch.float32, torch.float64),
        "features",
        "float32 or float64",
        features[0].dtype,
    )
    _require(rois.dtype == features[0].dtype, "rois", f"{features[0].dtype} like the features", rois.dtype)
    fits = levels.shape == rois.shape[:1] and levels.dtype == torch.int64
    _require(fits, "levels", f"int64 ({len(rois)},)", f"{levels.dtype} {tuple(levels.shape)}")
    _require_below("image numbers in rois", rois[:, 0], len(features[0]))
    _require_below("levels", levels, len(features))


def visits(
    rois: NDArray[Any], levels: NDArray[np.int64], scales: Sequence[float], images: int
) -> list[Visit]:
    """(R, 5), (R,), a scale for each level -> a visit for each level and image, the longest first."""
    scale = np.asarray(scales)[levels]
    with np.errstate(invalid="ignore", over="ignore"):  # a NaN may stand in any tile
        tile_x = ((rois[:, 1] + rois[:, 3]) * scale // (2 * _TILE)).astype(np.int32)
        tile_y = ((rois[:, 2] + rois[:, 4]) * scale // (2 * _TILE)).astype(np.int32)
    place = levels * images + rois[:, 0].astype(np.int64)
    order = np.lexsort((tile_x, tile_y, place))
    edges = np.searchsorted(place[order], np.arange(len(scales) * images + 1))
    found = [Visit(i // images, i % images, order[edges[i] : edges[i + 1]]) for i in range(len(edges) - 1)]
    return sorted(found, key=lambda visit: -len(visit.rows))


def cut_evenly(size: int, points: NDArray[Any], parts: int) -> list[tuple[int, int]]:
    """0 to `size` as at most `parts` ranges with about as many of the points in each."""
    inner = np.quantile(points, np.arange(1, parts) / parts) if len(points) else []
    edges = np.unique(np.clip(np.rint([0, *inner, size]), 0, size).astype(np.int64)).tolist()
    return list(pairwise(edges))


def _require_below(name: str, numbers: Tensor, limit: int) -> None:
    inside = (numbers >= 0) & (numbers < limit)
    _require(bool(inside.all()), name, f"0 to {limit - 1}", numbers[~inside][:3].tolist())


def _require(condition: bool, name: str, expected: str, found: object) -> None:
    if not condition:
        raise ValueError(f"{name}: expected {expected}, found {found}")
