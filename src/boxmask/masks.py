"""Masks of one photo's objects, each stored only inside its bounding window.

As a full (N, H, W) array, 300 masks of a 12-megapixel photo would take 3.6 GB; as windows, 300 cells take
kilobytes. Shifting, cropping, flipping and resizing work on the windows. Every operation is exact: it
commutes with `dense()`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, Int, Shaped

Size = tuple[int, int]  # (height, width)
Window = tuple[int, int, int, int]  # x1, y1, x2, y2

IGNORED = 255
"""In a label map, the label of a pixel whose class is not known."""


@dataclass(frozen=True, slots=True, eq=False)
class Masks:
    """N masks of one photo.

    size:    (height, width) of the photo
    windows: (N, 4) int64, x1, y1, x2, y2 in whole pixels with x2 and y2 exclusive, inside the photo. A mask
             is False outside its window. The window of an empty mask is all zeros.
    bits:    (M,) bool, the pixels of all windows, one window after the other, each row by row

    An empty mask means that the object's mask is unknown.
    Raises ValueError if the fields do not match.
    """

    size: Size
    windows: Int[np.ndarray, "N 4"]
    bits: Bool[np.ndarray, " M"]

    def __post_init__(self) -> None:
        """Check the fields."""
        if self.windows.dtype != np.int64 or self.windows.ndim != 2 or self.windows.shape[1:] != (4,):
            raise ValueError(
                f"windows: expected int64 (N, 4), found {self.windows.dtype} {self.windows.shape}"
            )
        height, width = self.size
        low, high = self.windows[:, :2], self.windows[:, 2:]
        if (low < 0).any() or (low > high).any() or (high > (width, height)).any():
            raise ValueError(
                f"windows: expected them inside {width} x {height}, found {self.windows[:3].tolist()}"
            )
        expected = int(self.offsets[-1])
        if self.bits.dtype != np.bool_ or self.bits.shape != (expected,):
            raise ValueError(f"bits: expected bool ({expected},), found {self.bits.dtype} {self.bits.shape}")

    # ---------------------------------------------------------------- constructors

    @staticmethod
    def unknown(count: int, size: Size) -> Masks:
        """Return `count` empty masks: the masks of these objects are unknown."""
        return Masks(size, np.zeros((count, 4), dtype=np.int64), np.zeros(0, dtype=np.bool_))

    @staticmethod
    def from_crops(
        crops: Sequence[Bool[np.ndarray, "h w"]], corners: Sequence[tuple[int, int]], size: Size
    ) -> Masks:
        """Build masks from their pixels and the (x, y) of each crop's upper left corner.

        Pixels outside the photo are dropped, and windows are shrunk to fit the masks.
        """
        inside = [_clip(crop, x, y, size) for crop, (x, y) in zip(crops, corners, strict=True)]
        tight = [_shrink(crop, x, y) for crop, x, y in inside]
        windows = np.array([window for _, window in tight], dtype=np.int64).reshape(-1, 4)
        return Masks(size, windows, _flatten([crop for crop, _ in tight]))

    @staticmethod
    def from_dense(dense: Bool[np.ndarray, "N H W"]) -> Masks:
        """Build masks from a full (N, H, W) array."""
        size = (int(dense.shape[1]), int(dense.shape[2]))
        return Masks.from_crops(list(dense.astype(np.bool_, copy=False)), [(0, 0)] * len(dense), size)

    @staticmethod
    def concatenate(parts: Sequence[Masks], size: Size) -> Masks:
        """Concatenate masks of the same photo."""
        windows = [np.zeros((0, 4), dtype=np.int64), *(part.windows for part in parts)]
        return Masks(size, np.concatenate(windows), _flatten([part.bits for part in parts]))

    # ---------------------------------------------------------------- reading

    def __len__(self) -> int:
        return len(self.windows)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Masks):
            return NotImplemented
        same_windows = self.size == other.size and np.array_equal(self.windows, other.windows)
        return same_windows and np.array_equal(self.bits, other.bits)

    __hash__ = None  # type: ignore[assignment]

    @property
    def offsets(self) -> Int[np.ndarray, " N+1"]:
        """Start of each window in `bits`, followed by the end of the last."""
        sides = self.windows[:, 2:] - self.windows[:, :2]
        return np.concatenate([[0], np.cumsum(sides[:, 0] * sides[:, 1])]).astype(np.int64)

    def crops(self) -> list[Bool[np.ndarray, "h w"]]:
        """Return the pixels of each window, as views."""
        offsets = self.offsets
        return [
            self.bits[begin:end].reshape(y2 - y1, x2 - x1)
            for (x1, y1, x2, y2), begin, end in zip(self.windows.tolist(), offsets, offsets[1:], strict=False)
        ]

    def dense(self) -> Bool[np.ndarray, "N H W"]:
        """Return the full masks; they take N * H * W bytes."""
        full = np.zeros((len(self), *self.size), dtype=np.bool_)
        for mask, crop, (x1, y1, x2, y2) in zip(full, self.crops(), self.windows.tolist(), strict=True):
            mask[y1:y2, x1:x2] = crop
        return full

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Shaped[np.ndarray, "N H W"]:
        """Return the full masks, for `numpy.asarray`."""
        return self.dense() if dtype is None else self.dense().astype(dtype)

    def paint(self, values: Shaped[np.ndarray, " N"]) -> Shaped[np.ndarray, "H W"]:
        """Paint one value per mask, (N,) -> (H, W), zero elsewhere. The first mask lies on top."""
        picture = np.zeros(self.size, dtype=values.dtype)
        layers = list(zip(self.crops(), self.windows.tolist(), values, strict=True))
        for crop, (x1, y1, x2, y2), value in reversed(layers):
            picture[y1:y2, x1:x2][crop] = value
        return picture

    def areas(self) -> Int[np.ndarray, " N"]:
        """Count the pixels of each mask."""
        sums = np.concatenate([[0], np.cumsum(self.bits, dtype=np.int64)])
        return np.asarray(np.diff(sums[self.offsets]))

    @property
    def known(self) -> Bool[np.ndarray, " N"]:
        """True for masks that have any pixel."""
        return self.areas() > 0

    def boxes(self) -> Float[np.ndarray, "N 4"]:
        """Return the smallest box (xyxy) around each mask; zeros for an empty mask."""
        tight = [_shrink(crop, x, y)[1] for crop, (x, y) in zip(self.crops(), self._corners(), strict=True)]
        return np.array(tight, dtype=np.float32).reshape(-1, 4)

    # ---------------------------------------------------------------- transforming

    def __getitem__(self, rows: Any) -> Masks:
        """Select masks by a slice, or by an array or tensor of indices or flags."""
        chosen = np.arange(len(self))[rows if isinstance(rows, slice) else np.asarray(rows)]
        crops = self.crops()
        bits = _flatten([crops[row] for row in np.atleast_1d(chosen)])
        return Masks(self.size, self.windows[chosen].reshape(-1, 4), bits)

    def shift_and_crop(self, x: int, y: int, size: Size) -> Masks:
        """Move the photo's upper left corner to (x, y) of a canvas of another `size`; crop and pad to fit."""
        is_empty = self.windows[:, 2:3] == 0
        crops, windows = self.crops(), np.where(is_empty, 0, self.windows + np.array([x, y, x, y]))
        is_cropped = ((windows[:, :2] < 0) | (windows[:, 2:] > [size[1], size[0]])).any(axis=1)
        for row in np.flatnonzero(is_cropped).tolist():
            left, top = windows[row, :2].tolist()
            crops[row], windows[row] = _shrink(*_clip(crops[row], left, top, size))
        return Masks(size, windows, _flatten(crops))

    def intersect(self, region: Bool[np.ndarray, "H W"]) -> Masks:
        """Keep the pixels inside a region of the photo, (H, W)."""
        crops, windows = self.crops(), self.windows.copy()
        for row, (x1, y1, x2, y2) in enumerate(windows.tolist()):
            inside = region[y1:y2, x1:x2]
            if not inside.all():
                crops[row], windows[row] = _shrink(crops[row] & inside, x1, y1)
        return Masks(self.size, windows, _flatten(crops))

    def hflip(self) -> Masks:
        """Mirror left to right."""
        x1, y1, x2, y2 = self.windows.T
        flipped = np.stack([self.size[1] - x2, y1, self.size[1] - x1, y2], axis=1)
        windows = np.where(self.windows.any(axis=1, keepdims=True), flipped, 0)
        return Masks(self.size, windows, _flatten([crop[:, ::-1] for crop in self.crops()]))

    def vflip(self) -> Masks:
        """Mirror top to bottom."""
        x1, y1, x2, y2 = self.windows.T
        flipped = np.stack([x1, self.size[0] - y2, x2, self.size[0] - y1], axis=1)
        windows = np.where(self.windows.any(axis=1, keepdims=True), flipped, 0)
        return Masks(self.size, windows, _flatten([crop[::-1] for crop in self.crops()]))

    def resize(self, size: Size) -> Masks:
        """Resize to `size`: each new pixel takes the value of the old pixel under its center."""
        rows = nearest_indices(self.size[0], size[0])
        columns = nearest_indices(self.size[1], size[1])
        crops, corners = [], []
        for crop, (x1, y1, x2, y2) in zip(self.crops(), self.windows.tolist(), strict=True):
            left, right = np.searchsorted(columns, (x1, x2)).tolist()
            top, bottom = np.searchsorted(rows, (y1, y2)).tolist()
            crops.append(crop[rows[top:bottom, None] - y1, columns[None, left:right] - x1])
            corners.append((left, top))
        return Masks.from_crops(crops, corners, size)

    def _corners(self) -> list[tuple[int, int]]:
        return [(x, y) for x, y, _, _ in self.windows.tolist()]


def nearest_indices(old: int, new: int) -> Int[np.ndarray, " new"]:
    """For `old` pixels resized to `new`: return the index of the old pixel under each new pixel's center."""
    return ((np.arange(new) + 0.5) * old / new).astype(np.int64)


def _flatten(parts: Sequence[Bool[np.ndarray, "*shape"]]) -> Bool[np.ndarray, " M"]:
    return np.concatenate([np.zeros(0, dtype=np.bool_), *(part.ravel() for part in parts)])


def _clip(
    crop: Bool[np.ndarray, "h w"], x: int, y: int, size: Size
) -> tuple[Bool[np.ndarray, "h w"], int, int]:
    """Return the part of a crop at (x, y) that lies inside the photo, and its upper left corner."""
    left, top = max(0, -x), max(0, -y)
    right = max(left, min(crop.shape[1], size[1] - x))
    bottom = max(top, min(crop.shape[0], size[0] - y))
    return crop[top:bottom, left:right], x + left, y + top


def _shrink(crop: Bool[np.ndarray, "h w"], x: int, y: int) -> tuple[Bool[np.ndarray, "h w"], Window]:
    """Remove empty rows and columns at the edges of a crop at (x, y); return the rest and its window."""
    rows, columns = np.flatnonzero(crop.any(axis=1)), np.flatnonzero(crop.any(axis=0))
    if not len(rows):
        return crop[:0, :0], (0, 0, 0, 0)
    top, bottom = int(rows[0]), int(rows[-1]) + 1
    left, right = int(columns[0]), int(columns[-1]) + 1
    return crop[top:bottom, left:right], (x + left, y + top, x + right, y + bottom)
