"""The first stages of every model: the image that the network reads, and the features that it computes."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from torch import Tensor

from boxmask.explaining.contract import Stage
from boxmask.explaining.photo_view import PhotoView
from boxmask.pipeline.images import Batch, Size, spatial_size
from boxmask.pipeline.model import FeatureNetwork
from boxmask.visualization.contact_sheet import contact_sheet
from boxmask.visualization.style import RGBImage

WIDTH = 1280  # of pictures that consist of several, in pixels


def image_stage(batch: Batch, backbone: FeatureNetwork) -> Stage:
    """The photo as the network reads it, with the normalization undone and the padding in black."""
    (height, width), (old_height, old_width) = batch.sizes[0], batch.original_sizes[0]
    padded_height, padded_width = batch.pixels.shape[-2:]
    text = f"The photo has {old_width} × {old_height} pixels. "
    resized = batch.sizes[0] != batch.original_sizes[0]
    text += f"The network reads it at {width} × {height}" if resized else "The network reads it at that size"
    if (padded_height, padded_width) != (height, width):
        text += f", padded to {padded_width} × {padded_height} so that its feature maps fit"
    picture = denormalize(batch.pixels[0], backbone, (height, width))
    data = {
        "photo_size": batch.original_sizes[0],
        "image_size": batch.sizes[0],
        "padded_size": (padded_height, padded_width),
        "pixels": picture,
    }
    return Stage("image", "Image", f"{text}.", picture, data)


def denormalize(
    pixels: Float[Tensor, "3 H W"], backbone: FeatureNetwork, inside: tuple[int, int] | None = None
) -> RGBImage:
    """Normalized pixels as a picture.

    inside: (height, width) of the photo; the padding around it becomes black
    """
    mean, std = (x[:, None, None] for x in (backbone.mean, backbone.std))
    picture = (255 * (pixels * std + mean)).clamp(0, 255)
    if inside is not None:
        picture[:, inside[0] :] = 0
        picture[:, :, inside[1] :] = 0
    return np.ascontiguousarray(picture.round().byte().permute(1, 2, 0).numpy(force=True))


def features_stage(view: PhotoView, batch: Batch, features: Sequence[Tensor], text: str) -> Stage:
    """The mean strength of the features in each cell of each map."""
    strides = [stride_of(batch, spatial_size(x)) for x in features]
    strengths = [x[0].abs().float().mean(dim=0).numpy(force=True) for x in features]
    pictures = {
        f"stride {stride}: {x.shape[1]} × {x.shape[0]} cells": view.heat(x, batch, span(inside(x, batch)))
        for stride, x in zip(strides, strengths, strict=True)
    }
    text += " The pictures show how strongly the features of each cell respond, from weak (dark) to strong."
    data = {"levels": [{"stride": s, "strength": x} for s, x in zip(strides, strengths, strict=True)]}
    return Stage("features", "Features", text, sheet(pictures), data)


def stride_of(batch: Batch, grid: Size) -> int:
    """Pixels of the resized photo between the cells of a map of `grid` (height, width)."""
    return max(1, round(batch.pixels.shape[-1] / grid[1]))


def inside(cells: Float[np.ndarray, "h w"], batch: Batch) -> Float[np.ndarray, "h w"]:
    """The cells of a map that the photo covers, at least in part, without those of the padding."""
    height, width = (
        max(1, math.ceil(side / padded * count))
        for side, padded, count in zip(batch.sizes[0], batch.pixels.shape[-2:], cells.shape, strict=True)
    )
    return cells[:height, :width]


def span(values: Float[np.ndarray, "h w"]) -> tuple[float, float]:
    """The lowest and the highest value."""
    return float(values.min()), float(values.max())


def sheet(pictures: dict[str, RGBImage], columns: int | None = None) -> RGBImage:
    """Pictures by caption in a grid."""
    columns = columns or (1 if len(pictures) == 1 else 2 if len(pictures) in (2, 4) else 3)
    return contact_sheet(list(pictures.values()), columns=columns, width=WIDTH, captions=list(pictures))
