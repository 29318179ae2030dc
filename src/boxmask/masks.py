"""Masks of a photo's objects, each kept only inside its own window: three hundred cells take kilobytes.

A full (N, H, W) array of 300 masks of a 12-megapixel photo would take 3.6 GB. Everything that training and
prediction do to masks (move, crop, pad, mirror, resize) is done to the windows, and is exact: `dense()` of
the result is what the same change would make of the full array.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy.typing import NDArray

Size = tuple[int, int]  # (height, width)


@dataclass(frozen=True, slots=True, eq=False)
class Masks:
    """N masks of one photo.

    size:    (height, width) of the photo
    windows: (N, 4) int64, x1, y1, x2, y2 in whole pixels, the last ones excluded, inside the photo; outside
             of its window a mask has no pixel. A window without pixels is all zeros.
    bits:    (M,) bool, the windows' pixels row by row, one window after the other

    A mask without any pixel says that the outline of its object is not known.
    Raises ValueError where the parts do not fit together.
    """

    size: Size
    windows: Int[np.ndarray, "N 4"]
    bits: Bool[np.ndarray, " M"]

    def __post_init__(self) -> None:
        """Raise ValueError, with what was expected and what was found."""
        if self.windows.dtype != np.int64 or self.windows.ndim != 2 or self.windows.shape[1:] != (4,):
            raise ValueError(
                f"windows: expected int64 (any, 4), found {self.windows.dtype} {self.windows.shape}"
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

    # ---------------------------------------------------------------- made from

    @staticmethod
    def none(count: int, size: Size) -> Masks:
        """`count` objects whose outlines are not known."""
        return Masks(size, np.zeros((count, 4), dtype=np.int64), np.zeros(0, dtype=np.bool_))

    @staticmethod
    def of(crops: Sequence[Bool[np.ndarray, "h w"]], corners: Sequence[tuple[int, int]], size: Size) -> Masks:
        """From the pixels of each and where (x, y) their upper left corner lies; windows are made tight.

        What lies outside the photo is cut off.
        """
        tight = [_tight(*_inside(crop, x, y, size)) for crop, (x, y) in zip(crops, corners, strict=True)]
        windows = np.array([window for _, window in tight], dtype=np.int64).reshape(-1, 4)
        parts = [pixels.ravel() for pixels, _ in tight]
        return Masks(size, windows, np.concatenate([np.zeros(0, dtype=np.bool_), *parts]))

    @staticmethod
    def from_dense(dense: Bool[np.ndarray, "N H W"]) -> Masks:
        """From full masks."""
        size = (int(dense.shape[1]), int(dense.shape[2]))
        return Masks.of(list(dense.astype(np.bool_, copy=False)), [(0, 0)] * len(dense), size)

    @staticmethod
    def joined(parts: Sequence[Masks], size: Size) -> Masks:
        """The masks of several, one after the other; all of the same photo."""
        windows = [np.zeros((0, 4), dtype=np.int64), *(part.windows for part in parts)]
        bits = [np.zeros(0, dtype=np.bool_), *(part.bits for part in parts)]
        return Masks(size, np.concatenate(windows), np.concatenate(bits))

    # ---------------------------------------------------------------- looked at

    def __len__(self) -> int:
        return len(self.windows)

    @property
    def offsets(self) -> Int[np.ndarray, " N+1"]:
        """Where each window begins in `bits`, and where the last one ends."""
        sides = self.windows[:, 2:] - self.windows[:, :2]
        return np.concatenate([[0], np.cumsum(sides[:, 0] * sides[:, 1])]).astype(np.int64)

    def crops(self) -> list[Bool[np.ndarray, "h w"]]:
        """The pixels of each window, as views."""
        offsets = self.offsets
        return [
            self.bits[begin:end].reshape(y2 - y1, x2 - x1)
            for (x1, y1, x2, y2), begin, end in zip(self.windows.tolist(), offsets, offsets[1:], strict=False)
        ]

    def dense(self) -> Bool[np.ndarray, "N H W"]:
        """The full masks; N x H x W bytes."""
        full = np.zeros((len(self), *self.size), dtype=np.bool_)
        for mask, crop, (x1, y1, x2, y2) in zip(full, self.crops(), self.windows.tolist(), strict=True):
            mask[y1:y2, x1:x2] = crop
        return full

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        """As `numpy.asarray` wants it: the full masks."""
        return self.dense() if dtype is None else self.dense().astype(dtype)

    def areas(self) -> Int[np.ndarray, " N"]:
        """Pixels of each mask."""
        sums = np.concatenate([[0], np.cumsum(self.bits, dtype=np.int64)])
        return np.asarray(np.diff(sums[self.offsets]))

    @property
    def known(self) -> Bool[np.ndarray, " N"]:
        """Which masks have any pixel."""
        return self.areas() > 0

    def boxes(self) -> Float[np.ndarray, "N 4"]:
        """The smallest box xyxy around each mask; zeros where there is no pixel."""
        tight = [_tight(crop, x, y)[1] for crop, (x, y) in zip(self.crops(), self._corners(), strict=True)]
        return np.array(tight, dtype=np.float32).reshape(-1, 4)

    # ---------------------------------------------------------------- changed

    def __getitem__(self, rows: Any) -> Masks:
        """Some of the masks: a slice, numbers or flags, as an array or a tensor."""
        chosen = np.arange(len(self))[rows if isinstance(rows, slice) else np.asarray(rows)]
        crops = self.crops()
        parts = [crops[row].ravel() for row in np.atleast_1d(chosen)]
        bits = np.concatenate([np.zeros(0, dtype=np.bool_), *parts])
        return Masks(self.size, self.windows[chosen].reshape(-1, 4), bits)

    def shift_and_crop(self, x: int, y: int, size: Size) -> Masks:
        """On a canvas of another size, where the photo's upper left corner lies at (x, y): crop and pad."""
        corners = [(left + x, top + y) for left, top in self._corners()]
        return Masks.of(self.crops(), corners, size)

    def hflip(self) -> Masks:
        """Left to right."""
        width = self.size[1]
        corners = [(width - x2, y1) for _, y1, x2, _ in self.windows.tolist()]
        return Masks.of([crop[:, ::-1] for crop in self.crops()], corners, self.size)

    def vflip(self) -> Masks:
        """Top to bottom."""
        height = self.size[0]
        corners = [(x1, height - y2) for x1, _, _, y2 in self.windows.tolist()]
        return Masks.of([crop[::-1] for crop in self.crops()], corners, self.size)

    def resize(self, size: Size) -> Masks:
        """At another size: each new pixel is the old one under its center."""
        rows, columns = (nearest(*sides) for sides in zip(self.size, size, strict=True))
        crops, corners = [], []
        for crop, (x1, y1, x2, y2) in zip(self.crops(), self.windows.tolist(), strict=True):
            left, right = np.searchsorted(columns, (x1, x2)).tolist()
            top, bottom = np.searchsorted(rows, (y1, y2)).tolist()
            crops.append(crop[rows[top:bottom, None] - y1, columns[None, left:right] - x1])
            corners.append((left, top))
        return Masks.of(crops, corners, size)

    def _corners(self) -> list[tuple[int, int]]:
        return [(x, y) for x, y, _, _ in self.windows.tolist()]


def nearest(old: int, new: int) -> Int[np.ndarray, " new"]:
    """Which of `old` pixels in a row lies under the center of each of `new`."""
    return ((np.arange(new) + 0.5) * old / new).astype(np.int64)


def _inside(crop: NDArray[np.bool_], x: int, y: int, size: Size) -> tuple[NDArray[np.bool_], int, int]:
    """The part of a crop at (x, y) that lies in the photo, and where it begins."""
    left, top = max(0, -x), max(0, -y)
    right, bottom = max(left, min(crop.shape[1], size[1] - x)), max(top, min(crop.shape[0], size[0] - y))
    return crop[top:bottom, left:right], x + left, y + top


def _tight(crop: NDArray[np.bool_], x: int, y: int) -> tuple[NDArray[np.bool_], tuple[int, int, int, int]]:
    """Without empty rows and columns at its rims."""
    rows, columns = np.flatnonzero(crop.any(axis=1)), np.flatnonzero(crop.any(axis=0))
    if not len(rows):
        return crop[:0, :0], (0, 0, 0, 0)
    top, bottom, left, right = int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1
    return crop[top:bottom, left:right], (x + left, y + top, x + right, y + bottom)
