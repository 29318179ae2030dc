"""Segment a large photo at its own resolution, tile by tile, without seams.

Neighboring tiles overlap. The scores of a pixel are the mean over all tiles that contain it, weighted by a
smooth window: a tile counts most in its middle, where it sees the surroundings of the pixel.

Only a band as high as one tile is held at a time. With K classes and a photo W pixels wide, it takes
4 K x tile x W bytes and the maps of a few tiles, whatever the height of the photo. For 12 megapixels (4000
wide), 20 classes and tiles of 512 that is 164 MB; all scores at once would take 960 MB.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from boxmask.errors import UsageError
from boxmask.pipeline.images import Preparation, Size, prepare, spatial_size
from boxmask.pipeline.segmentation.strips import argmax_strips

TILE_BATCH_SIZE = 4
MIN_WEIGHT = 1e-3  # weight at a tile's edge; above zero, because no other tile covers the edge of the photo

Network = Callable[[Tensor], Tensor]  # pixels (B, 3, H, W) -> logits (B, K, H, W)


def check_tiling(tile: int, overlap: float) -> None:
    """Raise UsageError if `tile` or `overlap` is out of range."""
    if tile < 0:
        raise UsageError(f"tile: expected a side in pixels, or 0 for whole photos, found {tile}")
    if not 0 <= overlap < 1:
        raise UsageError(
            f"tile_overlap: expected a fraction of the tile, 0 or more and below 1, found {overlap}"
        )


def tile_starts(side: int, tile: int, overlap: float) -> list[int]:
    """Where the tiles along a side start: evenly spaced, each sharing at least `overlap` with the next."""
    if side <= tile:
        return [0]
    step = max(1, int(tile * (1 - overlap)))
    count = math.ceil((side - tile) / step) + 1
    return [round(index * (side - tile) / (count - 1)) for index in range(count)]


def tile_weights(size: Size) -> Float[Tensor, "h w"]:
    """The weight of each pixel of a tile: 1 in the middle, falling along a squared sine to the edges."""
    down, across = (torch.sin(math.pi * (torch.arange(n) + 0.5) / n).square() for n in size)
    return down.clamp(min=MIN_WEIGHT)[:, None] * across.clamp(min=MIN_WEIGHT)


def predict_tiled(
    image: Tensor, network: Network, preparation: Preparation, num_classes: int, tile: int, overlap: float
) -> UInt8[Tensor, "H W"]:
    """The label map of a photo (3, H, W) at its own size, on the CPU.

    A side shorter than `tile` is covered by one tile of that side. `preparation` must not resize.
    """
    return argmax_strips(
        tiled_strips(image, network, preparation, num_classes, tile, overlap), spatial_size(image)
    )


def tiled_strips(
    image: Tensor, network: Network, preparation: Preparation, num_classes: int, tile: int, overlap: float
) -> Iterator[Float[Tensor, "K n W"]]:
    """The weighted sums of the tiles' class scores, a few rows at a time from top to bottom.

    Over the classes of a pixel, they sum to the weights of its tiles. Arguments as for `predict_tiled`.
    """
    height, width = spatial_size(image)
    size = min(tile, height), min(tile, width)
    tops, lefts = tile_starts(height, size[0], overlap), tile_starts(width, size[1], overlap)
    weights = tile_weights(size).to(preparation.device)
    band = torch.zeros((num_classes, size[0], width), device=preparation.device)
    for top, next_top in zip(tops, [*tops[1:], height], strict=True):
        for start in range(0, len(lefts), TILE_BATCH_SIZE):
            batch_lefts = lefts[start : start + TILE_BATCH_SIZE]
            corners = [(top, left) for left in batch_lefts]
            tile_scores = _tile_scores(image, corners, size, network, preparation)
            for left, scores in zip(batch_lefts, tile_scores, strict=True):
                band[:, :, left : left + size[1]] += scores * weights
        finished = next_top - top  # rows that no later tile covers
        yield band[:, :finished]
        band = torch.cat([band[:, finished:], torch.zeros_like(band[:, :finished])], dim=1)


def _tile_scores(
    image: Tensor, corners: list[tuple[int, int]], size: Size, network: Network, preparation: Preparation
) -> Float[Tensor, "T K h w"]:
    """The class scores in the tiles whose top left corners are given."""
    height, width = size
    tiles = [image[:, top : top + height, left : left + width] for top, left in corners]
    logits = network(prepare(tiles, preparation).pixels)
    return logits[..., :height, :width].float().softmax(dim=1)
