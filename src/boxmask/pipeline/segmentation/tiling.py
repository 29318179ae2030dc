"""A large photo at its own resolution, tile by tile, without seams.

Neighboring tiles overlap, and each counts most in its middle, where it has seen what lies around: the
scores of a pixel are the mean of all tiles that see it, weighted by a smooth window. Only a band of the photo
as high as one tile is held at a time: with K classes and a photo W pixels wide, 4 K x tile x W bytes and a
few tiles' maps, however high the photo (12 megapixels, 4000 wide, 20 classes, tiles of 512: 164 MB; whole,
960 MB).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from boxmask.errors import UsageError
from boxmask.pipeline.images import Preparation, Size, grid_of, prepare

TILES_AT_ONCE = 4
FAINTEST = 1e-3  # of the window, at a tile's rim: where no other tile looks, it must count

Network = Callable[[Tensor], Tensor]  # pixels (B, 3, H, W) -> logits (B, K, H, W)


def check_tiling(tile: int, overlap: float) -> None:
    """Raise UsageError for numbers that cannot be meant."""
    if tile < 0:
        raise UsageError(f"tile: expected a side in pixels, or 0 for whole photos, found {tile}")
    if not 0 <= overlap < 1:
        raise UsageError(f"tile_overlap: expected a part of the tile, 0 or more and below 1, found {overlap}")


def places(side: int, tile: int, overlap: float) -> list[int]:
    """Where tiles of a side begin: evenly spread, at least `overlap` of each shared with the next."""
    if side <= tile:
        return [0]
    step = max(1, int(tile * (1 - overlap)))
    count = math.ceil((side - tile) / step) + 1
    return [round(number * (side - tile) / (count - 1)) for number in range(count)]


def window(size: Size) -> Float[Tensor, "h w"]:
    """How much each pixel of a tile counts: 1 in the middle, and down along a squared sine to the rims."""
    down, across = (torch.sin(math.pi * (torch.arange(n) + 0.5) / n).square() for n in size)
    return down.clamp(min=FAINTEST)[:, None] * across.clamp(min=FAINTEST)


def label_in_tiles(
    image: Tensor, network: Network, how: Preparation, classes: int, tile: int, overlap: float
) -> UInt8[Tensor, "H W"]:
    """The likeliest class of every pixel of a photo (3, H, W), on the CPU.

    A photo that is smaller than a tile is one tile of its own size. `how` leaves photos as they are.
    """
    height, width = grid_of(image)
    size = min(tile, height), min(tile, width)
    tops, lefts = places(height, size[0], overlap), places(width, size[1], overlap)
    weight = window(size).to(how.device)
    labels = torch.empty((height, width), dtype=torch.uint8)
    band = torch.zeros((classes, size[0], width), device=how.device)
    for top, following in zip(tops, [*tops[1:], height], strict=True):
        for begin in range(0, len(lefts), TILES_AT_ONCE):
            some = lefts[begin : begin + TILES_AT_ONCE]
            corners = [(top, left) for left in some]
            for left, scores in zip(some, _scores(image, corners, size, network, how), strict=True):
                band[:, :, left : left + size[1]] += scores * weight
        done = following - top
        labels[top:following] = band[:, :done].argmax(dim=0).to(torch.uint8)
        band = torch.cat([band[:, done:], torch.zeros_like(band[:, :done])], dim=1)
    return labels


def _scores(
    image: Tensor, corners: list[tuple[int, int]], size: Size, network: Network, how: Preparation
) -> Float[Tensor, "T K h w"]:
    """What the network says of some tiles."""
    (h, w) = size
    pixels = prepare([image[:, top : top + h, left : left + w] for top, left in corners], how).pixels
    return network(pixels)[..., :h, :w].float().softmax(dim=1)
