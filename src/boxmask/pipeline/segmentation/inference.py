"""The stage `postprocess` of segmenters: from the scores of cells to the class of every pixel of a photo.

Photos of one size go through the network together, others apart: what lies beside a photo in a batch, padding
included, does not change what is said of it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from boxmask.pipeline.images import Preparation, Size, grid_of, prepare
from boxmask.pipeline.segmentation.blocks import upsample
from boxmask.pipeline.segmentation.tiling import Network, label_in_tiles
from boxmask.types import SegmentationMap

NUMBERS_AT_ONCE = 2**22  # logits that are held at the photo's own size: 16 MB, however large it is


def segment(images: list[Tensor], segmenter: Any, mean: Tensor, std: Tensor) -> list[SegmentationMap]:
    """Photos (3, H, W) -> the class of every pixel, at each photo's own size, on the CPU.

    segmenter: a module with its `config`: pixels (B, 3, H, W) -> logits (B, K, H, W)
    mean, std: of what its backbone was pretrained on
    """
    c, names = segmenter.config, segmenter.config.class_names
    how = preparation(c, mean, std)
    with evaluating(segmenter):
        if not c.tile:
            return [SegmentationMap(labels, names) for labels in label_whole(images, segmenter, how)]
        tiling = (len(names), c.tile, c.tile_overlap)
        return [SegmentationMap(label_in_tiles(one, segmenter, how, *tiling), names) for one in images]


@contextmanager
def evaluating(network: nn.Module) -> Iterator[None]:
    """Dropout and batch norm as after training, whatever mode the network is in, and is in again then."""
    modes = [(module, module.training) for module in network.modules()]
    network.eval()
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode


def preparation(config: Any, mean: Tensor, std: Tensor) -> Preparation:
    """How photos are brought to a segmenter: resized, or as they are where it looks at tiles."""
    how = Preparation.of(config, mean, std)
    return replace(how, shorter_side=0) if config.tile else how


def label_whole(images: list[Tensor], network: Network, how: Preparation) -> list[UInt8[Tensor, "H W"]]:
    """The likeliest class of every pixel, by photos that are resized to the size of `how`."""
    batches = [prepare([image], how) for image in images]
    alike: dict[tuple[Size, Size], list[int]] = defaultdict(list)
    for number, batch in enumerate(batches):
        alike[grid_of(batch.pixels), batch.sizes[0]].append(number)
    found: dict[int, Tensor] = {}
    for (_, (height, width)), numbers in alike.items():
        logits = network(torch.cat([batches[number].pixels for number in numbers]))
        for number, logit in zip(numbers, logits[..., :height, :width], strict=True):
            found[number] = likeliest(logit.float(), grid_of(images[number]))
    return [found[number] for number in range(len(images))]


def likeliest(logits: Float[Tensor, "K h w"], size: Size) -> UInt8[Tensor, "H W"]:
    """The class with the highest logit, after bilinear interpolation to `size`, on the CPU.

    A few rows at a time: all logits at the size of a large photo may be gigabytes.
    """
    height, width = size
    labels = torch.empty(size, dtype=torch.uint8)
    rows_at_once = max(1, NUMBERS_AT_ONCE // (len(logits) * width))
    for top in range(0, height, rows_at_once):
        rows = torch.arange(top, min(height, top + rows_at_once), device=logits.device)
        strip = upsample(_at_rows(logits, rows, height)[None], (len(rows), width))[0]
        labels[top : top + len(rows)] = strip.argmax(dim=0).to(torch.uint8)
    return labels


def _at_rows(logits: Float[Tensor, "K h w"], rows: Tensor, height: int) -> Float[Tensor, "K n w"]:
    """Rows of a map interpolated to `height` rows, as `interpolate` does it: pixel centers at + 0.5."""
    last = logits.shape[1] - 1
    places = ((rows + 0.5) * logits.shape[1] / height - 0.5).clamp(0, last)
    above = places.floor().long()
    part = (places - above)[:, None]
    return logits[:, above].lerp(logits[:, (above + 1).clamp(max=last)], part)
