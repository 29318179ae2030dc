"""Masks in the graph: scores of the mask branch, resized to their boxes; see `boxmask.kernels.masks`."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from boxmask.exporting.stages.image import Photos
from boxmask.exporting.values import Value


class Span(NamedTuple):
    """The pixels of a photo that scores cover along one axis, scalars.

    start, end: inside the photo
    first:      the first pixel, which may lie outside
    length:     number of pixels, at least 1
    """

    start: Value
    end: Value
    first: Value
    length: Value


def paste_masks(
    scores: Value, boxes: Value, sizes: Value, photos: Photos, limits: tuple[Value, float]
) -> Value:
    """Scores (N, M, M) in 0..1 and boxes (N, 4) in pixels of the photo -> masks (count, H, W) bool.

    sizes:  (N, 2), of the photo of each object. Only the pixels of its box are computed; the rest is padding.
    limits: the number of masks, and the score above which a pixel belongs to the object
    """
    graph, cells = scores.graph, scores.dim(1) + 2
    framed = graph.op("Pad", scores, np.array([0, 1, 1, 0, 1, 1]))
    scale = cells.cast(np.float32) / scores.dim(1).cast(np.float32)
    low, high = boxes.slice(1, 0, 2), boxes.slice(1, 2, 4)
    half, middle = (high - low) * 0.5 * scale, (high + low) * 0.5
    first, last = (middle - half).cast(np.int64), (middle + half).cast(np.int64)  # (N, 2) x, y
    height, width = photos.photos.dim(1), photos.photos.dim(2)

    def paste(index: Value) -> list[Value]:
        size, begin, end = sizes.gather(index), first.gather(index), last.gather(index)
        x = span(begin.gather(0), end.gather(0), size.gather(1))
        y = span(begin.gather(1), end.gather(1), size.gather(0))
        lines = framed.gather(index) @ bilinear(x, cells).transpose(1, 0)  # (S, w)
        inside = bilinear(y, cells) @ lines > float(limits[1])
        pads = graph.shape(y.start, x.start, height - y.end, width - x.end)
        return [graph.op("Pad", inside, pads)]

    [masks] = graph.loop(limits[0], paste)
    return masks.reshape(limits[0], height, width)  # a loop over no objects loses the size


def span(first: Value, last: Value, side: Value) -> Span:
    """The pixels from `first` to `last` of an axis of `side` pixels."""
    length = (last - first + 1).maximum(1)
    start = first.maximum(0)
    return Span(start, (first + length).minimum(side).maximum(start), first, length)


def bilinear(axis: Span, cells: Value) -> Value:
    """The weight of each of S cells in each pixel of a span, (w, S)."""
    graph = cells.graph
    pixels = (graph.op("Range", axis.start, axis.end, 1) - axis.first).cast(np.float32)
    scale = cells.cast(np.float32) / axis.length.cast(np.float32)
    at = (scale * (pixels + 0.5) - 0.5).maximum(0.0).minimum((cells - 1).cast(np.float32))
    distance = at.unsqueeze(1) - graph.arange(cells).cast(np.float32)
    return (graph.value(1.0) - graph.op("Abs", distance)).maximum(0.0)
