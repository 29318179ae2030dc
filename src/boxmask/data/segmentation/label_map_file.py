"""A label image: a picture whose colors, or numbers, are classes. Read as runs of one code.

Neighbors mostly have the same class, so what is done to codes (counting, looking up) is done to some
thousand runs in place of a million pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Int, UInt8, UInt32
from numpy.typing import NDArray
from PIL import Image

from boxmask.errors import LabelError, PhotoError
from boxmask.masks import Size
from boxmask.photos.read import photo_errors

ENDINGS = (".png", ".bmp", ".tif", ".tiff", ".gif")  # formats that keep every pixel as it was
_GRAY = ("1", "L", "P")


@dataclass(frozen=True, slots=True)
class Runs:
    """The pixels of a label image row by row, as R runs of C different codes.

    codes:   (C,) colors 0xRRGGBB, or numbers, ascending
    which:   (R,) the place of each run's code in `codes`
    lengths: (R,) pixels of each run
    """

    size: Size
    codes: UInt32[np.ndarray, " C"]
    which: Int[np.ndarray, " R"]
    lengths: Int[np.ndarray, " R"]

    def counts(self) -> Int[np.ndarray, " C"]:
        """Pixels of each code."""
        return np.bincount(self.which, self.lengths, len(self.codes)).astype(np.int64)

    def looked_up(self, labels: UInt8[np.ndarray, " C"]) -> UInt8[np.ndarray, "H W"]:
        """The picture with the label of each code in its place."""
        return np.repeat(labels[self.which], self.lengths).reshape(self.size)


def read_runs(path: Path, by_color: bool) -> Runs:
    """Read a label image by its colors, or by the numbers of its palette or its gray values.

    Raises LabelError where the file is no label image of that kind, or cannot be read.
    """
    try:
        with photo_errors(path), Image.open(path) as image:
            image.load()
            pixels = _colors(image, path) if by_color else _numbers(image, path)
    except PhotoError as error:
        raise LabelError(f"Label image {error}") from error
    flat = pixels.ravel()
    starts = np.flatnonzero(np.concatenate([[True], flat[1:] != flat[:-1]]))
    values, which = np.unique(flat[starts], return_inverse=True)
    lengths = np.diff(starts, append=len(flat))
    if by_color:
        values, which = _as_rgb(values, which, path)
    return Runs((image.height, image.width), values.astype(np.uint32), which.reshape(-1), lengths)


def stored_as(path: Path) -> tuple[Size, str]:
    """(height, width) and Pillow's mode of a label image, from its header."""
    try:
        with photo_errors(path), Image.open(path) as image:
            return (image.height, image.width), image.mode
    except PhotoError as error:
        raise LabelError(f"Label image {error}") from error


def _colors(image: Image.Image, path: Path) -> NDArray[np.uint32]:
    """Four bytes a pixel: red, green, blue and alpha, red the lowest."""
    if image.mode not in (*_GRAY, "RGB", "RGBA", "LA"):
        remedy = 'Give a classes file with names alone, or with numbers ("name,7").'
        raise LabelError(f"{path}: has numbers (mode {image.mode}), but the classes have colors. {remedy}")
    image.info.pop("transparency", None)  # one color that viewers leave out; it is a class all the same
    opaque = image if image.mode in ("RGB", "RGBA", "LA") else image.convert("RGB")
    rgba = np.asarray(opaque if opaque.mode == "RGBA" else opaque.convert("RGBA"))
    return np.ascontiguousarray(rgba).view("<u4")[..., 0]


def _as_rgb(
    values: NDArray[np.uint32], which: NDArray[np.int64], path: Path
) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """From what `_colors` packed to 0xRRGGBB, in ascending order."""
    if (values >> 24 != 255).any():
        raise LabelError(f"{path}: has transparent pixels, whose class is not clear. Save it without alpha.")
    rgb = ((values & 0xFF) << 16) | (values & 0xFF00) | ((values >> 16) & 0xFF)
    order = np.argsort(rgb)
    return rgb[order].astype(np.uint32), np.argsort(order)[which].astype(np.int64)


def _numbers(image: Image.Image, path: Path) -> NDArray[np.uint32]:
    if image.mode not in _GRAY and not image.mode.startswith("I"):
        remedy = "Give a classes file with the color of each class, or images with numbers."
        raise LabelError(f"{path}: has colors (mode {image.mode}), but the classes have none. {remedy}")
    numbers = np.asarray(image)
    if numbers.dtype.kind == "i" and (int(numbers.min()) < 0 or int(numbers.max()) > 65535):
        raise LabelError(f"{path}: numbers from {numbers.min()} to {numbers.max()}; expected 0 to 65535.")
    return numbers.astype(np.uint32)
