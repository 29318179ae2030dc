"""Regions of interest (RoIs), prepared for the loops: checked, in one array, grouped by level and image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

_TILE = 8  # pixels of the feature map; RoIs whose centers share a tile are processed in sequence
_CHUNK = 32  # RoIs per task of a thread


@dataclass(frozen=True, slots=True)
class RoiGroup:
    """The RoIs of one image on one level.

    rows: (n,) their rows in the array of all RoIs, in an order that keeps neighbors together
    """

    level: int
    image: int
    rows: NDArray[np.int64]

    def chunks(self) -> list[RoiGroup]:
        """Split the group into tasks for threads."""
        starts = range(0, len(self.rows), _CHUNK)
        return [RoiGroup(self.level, self.image, self.rows[start : start + _CHUNK]) for start in starts]

    def centers(self, rois: NDArray[Any], scale: float) -> NDArray[Any]:
        """Return the map row at the center of each RoI; 0 for NaN."""
        centers: NDArray[Any] = np.nan_to_num((rois[self.rows, 2] + rois[self.rows, 4]) * (scale / 2))
        return centers


def group_rois(
    rois: NDArray[Any], levels: NDArray[np.int64], scales: Sequence[float], images: int
) -> list[RoiGroup]:
    """Group RoIs by level and image, largest group first: (R, 5), (R,), one scale per level."""
    scale = np.asarray(scales)[levels]
    with np.errstate(invalid="ignore", over="ignore"):  # the tile of a NaN does not matter
        tile_x = ((rois[:, 1] + rois[:, 3]) * scale // (2 * _TILE)).astype(np.int32)
        tile_y = ((rois[:, 2] + rois[:, 4]) * scale // (2 * _TILE)).astype(np.int32)
    key = levels * images + rois[:, 0].astype(np.int64)
    order = np.lexsort((tile_x, tile_y, key))
    edges = np.searchsorted(key[order], np.arange(len(scales) * images + 1))
    groups = [
        RoiGroup(i // images, i % images, order[begin:end]) for i, (begin, end) in enumerate(pairwise(edges))
    ]
    return sorted(groups, key=lambda group: -len(group.rows))


def split_evenly(size: int, points: NDArray[Any], parts: int) -> list[tuple[int, int]]:
    """Split 0..`size` into at most `parts` ranges that contain about the same number of points."""
    inner = np.quantile(points, np.arange(1, parts) / parts) if len(points) else []
    edges = np.unique(np.clip(np.rint([0, *inner, size]), 0, size).astype(np.int64)).tolist()
    return list(pairwise(edges))


# ---------------------------------------------------------------- arguments


def to_rois(boxes: Tensor | Sequence[Tensor]) -> Tensor:
    """Return (R, 5) rows of (image, x1, y1, x2, y2), from the same or from one (L, 4) tensor per image.

    Raises ValueError for any other shape.
    """
    if isinstance(boxes, Tensor):
        expected = "shape (R, 5), or a list of (L, 4)"
        _check(boxes.ndim == 2 and boxes.shape[1] == 5, "boxes", expected, boxes.shape)
        return boxes
    for image, part in enumerate(boxes):
        _check(part.ndim == 2 and part.shape[1] == 4, f"boxes[{image}]", "shape (L, 4)", part.shape)
    counts = torch.tensor([len(part) for part in boxes])
    rows = torch.cat(list(boxes))
    images = torch.arange(len(boxes), dtype=rows.dtype).repeat_interleave(counts)[:, None]
    return torch.cat([images.to(rows.device, non_blocking=True), rows], dim=1)


def to_pair(output_size: int | Sequence[int]) -> list[int]:
    """Return [height, width], from the same or from one number for both."""
    pair = [output_size] * 2 if isinstance(output_size, int) else list(output_size)
    _check(len(pair) == 2 and min(pair) > 0, "output_size", "a positive (height, width)", output_size)
    return pair


def check_rois(features: Sequence[Tensor], rois: Tensor, levels: Tensor) -> None:
    """Raise ValueError for arguments with which the loops would read outside `features`, or wrong types."""
    _check(len(features) > 0, "features", "at least one level", 0)
    first = features[0]
    expected = f"(N, C, H, W) of {first.dtype}, with the same N and C on all levels and H, W above 0"
    for feature in features:
        same = feature.shape[:2] == first.shape[:2] and feature.dtype == first.dtype
        valid = feature.ndim == 4 and same and min(feature.shape[2:]) > 0
        _check(valid, "features", expected, f"{feature.dtype} {tuple(feature.shape)}")
    _check(first.dtype in (torch.float32, torch.float64), "features", "float32 or float64", first.dtype)
    _check(rois.dtype == first.dtype, "rois", f"{first.dtype} like the features", rois.dtype)
    fits = levels.shape == rois.shape[:1] and levels.dtype == torch.int64
    _check(fits, "levels", f"int64 ({len(rois)},)", f"{levels.dtype} {tuple(levels.shape)}")
    _check_indices("image indices in rois", rois[:, 0], len(first))
    _check_indices("levels", levels, len(features))


def _check_indices(name: str, indices: Tensor, limit: int) -> None:
    inside = (indices >= 0) & (indices < limit)
    _check(bool(inside.all()), name, f"0 to {limit - 1}", indices[~inside][:3].tolist())


def _check(condition: bool, name: str, expected: str, found: object) -> None:
    if not condition:
        raise ValueError(f"{name}: expected {expected}, found {found}")
