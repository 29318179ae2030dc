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
from boxmask.pipeline.segmentation.strips import argmax_strips
from boxmask.pipeline.segmentation.tiling import Network, predict_tiled, tiled_strips
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
    return upsample_argmax(_logits(image, network, preparation), spatial_size(image))


def _logits(image: Tensor, network: Network, preparation: Preparation) -> Float[Tensor, "K h w"]:
    """The logits at the size of the network, without padding."""
    batch = prepare([image], preparation)
    height, width = batch.sizes[0]
    return network(batch.pixels)[0, :, :height, :width].float()


def upsample_argmax(logits: Float[Tensor, "K h w"], size: Size) -> UInt8[Tensor, "H W"]:
    """The class with the highest logit after bilinear interpolation to `size`, on the CPU."""
    return argmax_strips(upsampled_strips(logits, size), size)


def upsampled_strips(logits: Float[Tensor, "K h w"], size: Size) -> Iterator[Float[Tensor, "K n W"]]:
    """The logits after bilinear interpolation to `size`, a few rows at a time from top to bottom."""
    height, width = size
    rows_at_once = max(1, MAX_LOGITS // (len(logits) * width))
    for top in range(0, height, rows_at_once):
        rows = torch.arange(top, min(height, top + rows_at_once), device=logits.device)
        yield upsample(_interpolate_rows(logits, rows, height)[None], (len(rows), width))[0]


def probability_strips(image: Tensor, segmenter: Any) -> Iterator[Float[Tensor, "K n W"]]:
    """The probabilities of the classes at each pixel of a photo (3, H, W), a few rows at a time.

    segmenter: in evaluation mode; its photo is resized or segmented in tiles, as its config says
    """
    config, backbone = segmenter.config, segmenter.backbone
    preparation = preparation_for(config, backbone.mean, backbone.std)
    if config.tile:
        tiling = (len(config.class_names), config.tile, config.tile_overlap)
        for strip in tiled_strips(image, segmenter, preparation, *tiling):
            yield strip / strip.sum(dim=0)
        return
    for strip in upsampled_strips(_logits(image, segmenter, preparation), spatial_size(image)):
        yield strip.softmax(dim=0)


def _interpolate_rows(logits: Float[Tensor, "K h w"], rows: Tensor, height: int) -> Float[Tensor, "K n w"]:
    """Some rows of a map interpolated to `height` rows, with pixel centers at + 0.5 like `interpolate`."""
    last = logits.shape[1] - 1
    positions = ((rows + 0.5) * logits.shape[1] / height - 0.5).clamp(0, last)
    above = positions.floor().long()
    fraction = (positions - above)[:, None]
    return logits[:, above].lerp(logits[:, (above + 1).clamp(max=last)], fraction)
