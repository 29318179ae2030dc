"""The stage `postprocess` of segmenters: from logits to label maps at the photo's own size.

Photos run one at a time, and the padding is cut off. The label map of a photo therefore depends on that photo
alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from boxmask.pipeline.images import Preparation, Size, prepare, spatial_size
from boxmask.pipeline.segmentation.blocks import upsample
from boxmask.pipeline.segmentation.tiling import Network, predict_tiled
from boxmask.types import SegmentationMap

MAX_LOGITS = 2**22  # logits held at the photo's own size at once: 16 MB, however large the photo


def segment(images: list[Tensor], segmenter: Any, mean: Tensor, std: Tensor) -> list[SegmentationMap]:
    """Photos (3, H, W) -> their label maps at their own sizes, on the CPU.

    segmenter: a module with a `config` that maps pixels (B, 3, H, W) to logits (B, K, H, W)
    mean, std: (3,) per channel, the normalization that its backbone was pretrained with
    """
    config, names = segmenter.config, segmenter.config.class_names
    preparation = preparation_for(config, mean, std)
    with eval_mode(segmenter):
        if config.tile:
            tiling = (len(names), config.tile, config.tile_overlap)
            labels = [predict_tiled(image, segmenter, preparation, *tiling) for image in images]
        else:
            labels = [predict_whole(image, segmenter, preparation) for image in images]
    return [SegmentationMap(label_map.numpy(), names) for label_map in labels]


@contextmanager
def eval_mode(network: nn.Module) -> Iterator[None]:
    """Put the network into evaluation mode; on exit, every module gets its own mode back."""
    modes = [(module, module.training) for module in network.modules()]
    network.eval()
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode


def preparation_for(config: Any, mean: Tensor, std: Tensor) -> Preparation:
    """How images are prepared for a segmenter: resized, or at their own resolution if it uses tiles."""
    preparation = Preparation.from_config(config, mean, std)
    return replace(preparation, shorter_side=0) if config.tile else preparation


def predict_whole(image: Tensor, network: Network, preparation: Preparation) -> UInt8[Tensor, "H W"]:
    """The label map, at its own size, of a photo (3, H, W) that is resized to fit the network."""
    batch = prepare([image], preparation)
    height, width = batch.sizes[0]
    return upsample_argmax(network(batch.pixels)[0, :, :height, :width].float(), spatial_size(image))


def upsample_argmax(logits: Float[Tensor, "K h w"], size: Size) -> UInt8[Tensor, "H W"]:
    """The class with the highest logit after bilinear interpolation to `size`, on the CPU.

    Works on a few rows at a time: all logits at the size of a large photo could take gigabytes.
    """
    height, width = size
    labels = torch.empty(size, dtype=torch.uint8)
    rows_at_once = max(1, MAX_LOGITS // (len(logits) * width))
    for top in range(0, height, rows_at_once):
        rows = torch.arange(top, min(height, top + rows_at_once), device=logits.device)
        strip = upsample(_interpolate_rows(logits, rows, height)[None], (len(rows), width))[0]
        labels[top : top + len(rows)] = strip.argmax(dim=0).to(torch.uint8)
    return labels


def _interpolate_rows(logits: Float[Tensor, "K h w"], rows: Tensor, height: int) -> Float[Tensor, "K n w"]:
    """Some rows of a map interpolated to `height` rows, with pixel centers at + 0.5 like `interpolate`."""
    last = logits.shape[1] - 1
    positions = ((rows + 0.5) * logits.shape[1] / height - 0.5).clamp(0, last)
    above = positions.floor().long()
    fraction = (positions - above)[:, None]
    return logits[:, above].lerp(logits[:, (above + 1).clamp(max=last)], fraction)
