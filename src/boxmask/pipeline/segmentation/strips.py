"""Class scores of a photo at its own size, a few rows at a time: all at once could take gigabytes.

A strip holds the scores of some rows, (K, n, W). Strips follow one another from top to bottom.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from boxmask.pipeline.images import Size


def argmax_strips(strips: Iterable[Float[Tensor, "K n W"]], size: Size) -> UInt8[Tensor, "H W"]:
    """The class with the highest score at each pixel, on the CPU.

    size: (height, width) of all strips together
    """
    labels = torch.empty(size, dtype=torch.uint8)
    top = 0
    for strip in strips:
        labels[top : top + strip.shape[1]] = strip.argmax(dim=0).to(torch.uint8)
        top += strip.shape[1]
    return labels


def align_strips(sources: Sequence[Iterator[Float[Tensor, "K n W"]]]) -> Iterator[list[Tensor]]:
    """The strips of several sources, cut so that those that are given together cover the same rows.

    The sources have equally many rows in all.
    """
    pending: list[Tensor | None] = [next(source, None) for source in sources]
    while strips := [strip for strip in pending if strip is not None]:
        rows = min(strip.shape[1] for strip in strips)
        yield [strip[:, :rows] for strip in strips]
        pending = [
            strip[:, rows:] if strip.shape[1] > rows else next(source, None)
            for strip, source in zip(strips, sources, strict=True)
        ]
