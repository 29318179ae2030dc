"""Read one label map: an image whose colors or indices encode classes.

Neighboring pixels mostly have the same value, so a label map is kept as runs of equal values. Counting and
looking up labels then takes thousands of operations instead of millions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from jaxtyping import Int, UInt8, UInt32
from numpy.typing import NDArray
from PIL import Image

from boxmask.errors import LabelError, PhotoError
from boxmask.masks import Size
from boxmask.photos.errors import photo_errors
from boxmask.photos.read import open_image

SUFFIXES = (".png", ".bmp", ".tif", ".tiff", ".gif")
"""Lossless image formats."""

_GRAY_OR_PALETTE = ("1", "L", "P")


@dataclass(frozen=True, slots=True)
class LabelMapRuns:
    """The pixels of a label map in row-major order, as R runs of V different values.

    size:     (height, width)
    values:   (V,) ascending; colors 0xRRGGBB or indices
    value_of: (R,) index of each run's value in `values`
    lengths:  (R,) pixels of each run
    palette:  the color 0xRRGGBB of each index, for an image with a palette that is read by its indices
    """

    size: Size
    values: UInt32[np.ndarray, " V"]
    value_of: Int[np.ndarray, " R"]
    lengths: Int[np.ndarray, " R"]
    palette: Mapping[int, int] = field(default_factory=dict)

    def counts(self) -> Int[np.ndarray, " V"]:
        """Number of pixels of each value."""
        return np.bincount(self.value_of, self.lengths, len(self.values)).astype(np.int64)

    def boxes(self) -> Int[np.ndarray, "V 4"]:
        """The smallest box around the pixels of each value: x1, y1, x2, y2."""
        width = self.size[1]
        ends = np.cumsum(self.lengths)
        starts, last = ends - self.lengths, ends - 1
        is_long = last // width > starts // width  # it continues in the next row
        corners = np.stack([np.where(is_long, 0, starts % width), starts // width], axis=1)
        opposite = np.stack([np.where(is_long, width, last % width + 1), last // width + 1], axis=1)
        low = np.full((len(self.values), 2), max(self.size), dtype=np.int64)
        high = np.zeros((len(self.values), 2), dtype=np.int64)
        np.minimum.at(low, self.value_of, corners)
        np.maximum.at(high, self.value_of, opposite)
        return np.concatenate([low, high], axis=1)

    def to_labels(self, labels: UInt8[np.ndarray, " V"]) -> UInt8[np.ndarray, "H W"]:
        """The label of every pixel, from the label of each value."""
        return np.repeat(labels[self.value_of], self.lengths).reshape(self.size)


def read_label_map(path: Path, by_color: bool) -> LabelMapRuns:
    """Read a label map by its colors, or by its indices (of a palette, or gray values).

    Raises LabelError if the file cannot be read or is no label map of that kind.
    """
    try:
        with open_image(path) as image, photo_errors(path):
            image.load()
    except PhotoError as error:
        raise LabelError.in_file(path, f"this label map cannot be read: {error.reason}") from error
    pixels = _packed_colors(image, path) if by_color else _indices(image, path)
    flat = pixels.ravel()
    starts = np.flatnonzero(np.concatenate([[True], flat[1:] != flat[:-1]]))
    values, value_of = np.unique(flat[starts], return_inverse=True)
    lengths = np.diff(starts, append=len(flat))
    if by_color:
        values, value_of = _unpack_colors(values, value_of, path)
    palette = {} if by_color else _palette(image, values.tolist())
    size = (image.height, image.width)
    return LabelMapRuns(size, values.astype(np.uint32), value_of.reshape(-1), lengths, palette)


def read_mode(path: Path) -> str:
    """Pillow's mode of a label map, from its header; "" if it cannot be read."""
    try:
        with open_image(path) as image:
            return image.mode
    except PhotoError:
        return ""


def _packed_colors(image: Image.Image, path: Path) -> UInt32[np.ndarray, "H W"]:
    """Red, green, blue and alpha in the four bytes of each pixel, red the lowest."""
    if image.mode not in (*_GRAY_OR_PALETTE, "RGB", "RGBA", "LA"):
        remedy = 'Give a classes file with names only, or with indices ("name,7").'
        raise LabelError.in_file(
            path, f"has indices (mode {image.mode}), but the classes have colors. {remedy}"
        )
    image.info.pop("transparency", None)  # a color that viewers do not show; here it is a class
    opaque = image if image.mode in ("RGB", "RGBA", "LA") else image.convert("RGB")
    rgba = np.asarray(opaque if opaque.mode == "RGBA" else opaque.convert("RGBA"))
    return np.ascontiguousarray(rgba).view("<u4")[..., 0]


def _unpack_colors(
    packed: NDArray[np.uint32], value_of: NDArray[np.int64], path: Path
) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """Packed colors as ascending 0xRRGGBB. Raises LabelError for transparent ones."""
    if (packed >> 24 != 255).any():
        raise LabelError.in_file(
            path, "has transparent pixels, whose class is unclear. Save it without transparency."
        )
    rgb = ((packed & 0xFF) << 16) | (packed & 0xFF00) | ((packed >> 16) & 0xFF)
    order = np.argsort(rgb)
    return rgb[order].astype(np.uint32), np.argsort(order)[value_of].astype(np.int64)


def _palette(image: Image.Image, indices: list[int]) -> dict[int, int]:
    """The color of each index; empty for an image without a palette."""
    colors = image.getpalette() if image.mode == "P" else None
    if colors is None:
        return {}
    triples = {index: colors[3 * index : 3 * index + 3] for index in indices}
    return {i: (rgb[0] << 16) + (rgb[1] << 8) + rgb[2] for i, rgb in triples.items() if len(rgb) == 3}


def _indices(image: Image.Image, path: Path) -> UInt32[np.ndarray, "H W"]:
    """Indices of a palette, gray values, or the equal values of red, green and blue."""
    if image.mode == "RGB" or (image.mode == "RGBA" and image.getchannel("A").getextrema() == (255, 255)):
        red, green, blue = (np.asarray(image.getchannel(channel)) for channel in "RGB")
        if np.array_equal(red, green) and np.array_equal(red, blue):
            return red.astype(np.uint32)
    if image.mode not in _GRAY_OR_PALETTE and not image.mode.startswith("I"):
        remedy = "Give a classes file with the color of each class, or label maps with indices."
        raise LabelError.in_file(path, f"has colors (mode {image.mode}), but the classes have none. {remedy}")
    indices = np.asarray(image)
    if indices.dtype.kind == "i" and (int(indices.min()) < 0 or int(indices.max()) > 65535):
        raise LabelError.in_file(
            path, f"indices from {indices.min()} to {indices.max()}; expected 0 to 65535."
        )
    return indices.astype(np.uint32)
