"""Memory layout for the loops.

Feature maps are channels-last, so that the channels of one pixel are contiguous. Large arrays are allocated
by numpy, which asks Linux for pages of 2 MB; PyTorch gets pages of 4 KB. An operator's result is new memory
at every call, and touching 100 MB of it for the first time takes several times as long as filling it.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

_MIN_CHANNELS = 64  # the smallest number of channels that is worth a thread
_CACHE_LINE = 64  # bytes; also the size of the widest vector


def aligned_empty(like: Tensor, *shape: int, dtype: torch.dtype | None = None) -> Tensor:
    """Allocate an uninitialized contiguous tensor, aligned to cache lines; its type defaults to `like`'s."""
    empty = torch.empty(0, dtype=dtype or like.dtype)
    count = prod(shape) * empty.itemsize
    raw = np.empty(count + _CACHE_LINE, np.uint8)
    start = -raw.ctypes.data % _CACHE_LINE
    return torch.from_numpy(raw[start : start + count]).view(empty.dtype).view(shape)


def aligned_empty_maps(like: Tensor, images: int, height: int, width: int, channels: int) -> Tensor:
    """Allocate uninitialized channels-last maps (N, C, H, W).

    The result is not a view, so that autograd lets the caller change it in place.
    """
    dense = aligned_empty(like, images, height, width, channels)
    strides = dense.permute(0, 3, 1, 2).stride()
    shape = (images, channels, height, width)
    return dense.new_empty(0).set_(dense.untyped_storage(), dense.storage_offset(), shape, strides)


def channels_last(feature: Tensor) -> NDArray[Any]:
    """(N, C, H, W) -> a contiguous (N, H, W, C) array; a copy only if `feature` is not channels-last."""
    dense = feature.detach().permute(0, 2, 3, 1)
    if not dense.is_contiguous():
        dense = aligned_empty(dense, *dense.shape).copy_(dense)
    array: NDArray[Any] = dense.numpy()
    return array


def map_shapes(like: Tensor, sizes: Sequence[int]) -> list[tuple[int, int, int, int]]:
    """Return (N, H, W, C) of each map; C is that of `like` (R, C, h, w), `sizes` are N, H, W of all maps."""
    rows = zip(sizes[::3], sizes[1::3], sizes[2::3], strict=True)
    return [(n, height, width, like.shape[1]) for n, height, width in rows]


def channel_blocks(channels: int, parts: int) -> list[slice]:
    """Split the channels into at most `parts` ranges for threads, none of them tiny except the last."""
    length = -(-channels // (parts * _MIN_CHANNELS)) * _MIN_CHANNELS
    return [slice(begin, min(begin + length, channels)) for begin in range(0, channels, length)]
