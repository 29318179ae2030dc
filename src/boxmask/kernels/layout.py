"""Memory as the loops want it.

Channels-last, so that one pixel's channels are one contiguous run. Large arrays come from numpy, which asks
Linux for pages of 2 MB where PyTorch takes pages of 4 KB: an operator's result is fresh memory at each call,
and touching 100 MB of it for the first time costs several times as much as filling it.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

_BLOCK = 64
_FEWEST = 64  # channels that are worth a thread
_LINE = 64  # bytes of a cache line, and of the widest vector


def fresh(like: Tensor, *shape: int, dtype: torch.dtype | None = None) -> Tensor:
    """Uninitialized contiguous memory, aligned to cache lines, of the type of `like` unless given."""
    empty = torch.empty(0, dtype=dtype or like.dtype)
    count = prod(shape) * empty.itemsize
    raw = np.empty(count + _LINE, np.uint8)
    start = -raw.ctypes.data % _LINE
    return torch.from_numpy(raw[start : start + count]).view(empty.dtype).view(shape)


def fresh_maps(like: Tensor, images: int, height: int, width: int, channels: int) -> Tensor:
    """Uninitialized channels-last maps (N, C, H, W); no view, so that the caller may change them in place."""
    dense = fresh(like, images, height, width, channels)
    strides = dense.permute(0, 3, 1, 2).stride()
    shape = (images, channels, height, width)
    return dense.new_empty(0).set_(dense.untyped_storage(), dense.storage_offset(), shape, strides)


def channels_last(feature: Tensor) -> NDArray[Any]:
    """(N, C, H, W) -> the same as a contiguous (N, H, W, C) array; copied if it is not channels-last yet."""
    dense = feature.detach().permute(0, 2, 3, 1)
    if not dense.is_contiguous():
        dense = fresh(dense, *dense.shape).copy_(dense)
    array: NDArray[Any] = dense.numpy()
    return array


def map_shapes(like: Tensor, sizes: Sequence[int]) -> list[tuple[int, int, int, int]]:
    """(N, H, W, C) of maps with the channels of `like` (R, C, h, w); `sizes` are N, H, W of each in a row."""
    rows = zip(sizes[::3], sizes[1::3], sizes[2::3], strict=True)
    return [(n, height, width, like.shape[1]) for n, height, width in rows]


def blocks(channels: int, parts: int) -> list[slice]:
    """The channels cut into at most `parts` ranges, for threads to write side by side; no range is tiny."""
    length = -(-channels // (parts * _FEWEST)) * _FEWEST
    return [slice(begin, min(begin + length, channels)) for begin in range(0, channels, length)]
