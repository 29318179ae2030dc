"""The stage `image`: photos of any sizes in, one batch out: resized, normalized and padded."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from torch import Tensor

from boxmask.exporting.graph import Graph
from boxmask.exporting.stages.resize import resize
from boxmask.exporting.values import Value
from boxmask.pipeline.model import FeatureNetwork


class Batch(NamedTuple):
    """B photos as one tensor; see `boxmask.pipeline.images.Batch`.

    pixels:         (B, 3, H, W) float32
    sizes:          (B, 2) int64, (height, width) of each resized photo inside the padding
    original_sizes: (B, 2) int64
    """

    pixels: Value
    sizes: Value
    original_sizes: Value

    @property
    def graph(self) -> Graph:
        """The graph under construction."""
        return self.pixels.graph


class Photos(NamedTuple):
    """The inputs of every graph: photos (B, H, W, 3) uint8 and sizes (B, 2) int64, (height, width)."""

    photos: Value
    sizes: Value


class Normalization(NamedTuple):
    """Mean and std (3,) of a backbone's training photos, in 0..1."""

    mean: Tensor
    std: Tensor


def add_photos(graph: Graph) -> Photos:
    """Add the inputs. Each photo lies in the upper left corner, with zeros elsewhere."""
    photos = graph.input("photos", np.uint8, ["batch", "height", "width", 3])
    return Photos(photos, graph.input("sizes", np.int64, ["batch", 2]))


def prepare(
    photos: Photos, sides: tuple[int, int], norm: Normalization, multiple_of: int, antialias: bool
) -> Batch:
    """Resize so that the sides keep their limits, normalize, and pad; see `boxmask.pipeline.images`.

    sides: limits of the shorter and the longer side; (0, 0) keeps the size
    """
    sizes = resized_sizes(photos.sizes, *sides) if sides[0] else photos.sizes
    return make_batch(photos, sizes, norm, multiple_of, antialias)


def make_batch(photos: Photos, sizes: Value, norm: Normalization, multiple_of: int, antialias: bool) -> Batch:
    """Resize to `sizes` (B, 2), normalize, and pad at the right and the bottom."""
    graph = sizes.graph
    padded = (sizes.reduce("Max", 0) + (multiple_of - 1)) // multiple_of * multiple_of  # (2,)

    def prepare_photo(index: Value) -> list[Value]:
        size = sizes.gather(index)
        pixels = normalize(resize(graph, photo_of(photos, index), size, antialias), norm)
        return [graph.op("Pad", pixels, graph.concat([np.zeros(4, dtype=np.int64), padded - size]))]

    [pixels] = graph.loop(photos.sizes.dim(0), prepare_photo)
    return Batch(pixels, sizes, photos.sizes)


def photo_of(photos: Photos, index: Value) -> Value:
    """One photo (H, W, 3) without the padding."""
    size = photos.sizes.gather(index)
    return photos.photos.gather(index).slice(0, 0, size.gather(0)).slice(1, 0, size.gather(1))


def normalize(levels: Value, norm: Normalization) -> Value:
    """A photo (H, W, 3) uint8 -> (3, H, W) float32."""
    mean, std = (np.asarray(x.cpu().float() * 255.0).reshape(3, 1, 1) for x in norm)
    return (levels.cast(np.float32).transpose(2, 0, 1) - mean) / std


def resized_sizes(sizes: Value, shorter: int, longer: int) -> Value:
    """The sizes (B, 2) after resizing; a photo that is at most one pixel off keeps its size."""
    graph, real = sizes.graph, sizes.cast(np.float64)
    scale = (graph.value(np.float64(shorter)) / real.reduce("Min", 1, keep=True)).minimum(
        graph.value(np.float64(longer)) / real.reduce("Max", 1, keep=True)
    )
    resized = graph.op("Floor", real * scale).cast(np.int64).maximum(1)
    change = graph.op("Abs", resized - sizes).reduce("Max", 1, keep=True)
    return graph.where(change < 2, sizes, resized)


def normalization(backbone: FeatureNetwork) -> Normalization:
    """The mean and std of a backbone."""
    return Normalization(backbone.mean, backbone.std)
