"""Measures of one photo, from a small gray image of it."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32, UInt8
from PIL import Image

from boxmask.data.photo_records.records import PERCENTILES, THUMBNAIL_SIDE
from boxmask.photos.formats import TRANSPOSITIONS

LONGER_SIDE = 256
"""Photos are reduced to this many pixels, so that measures do not depend on their resolution."""

_EDGE_PERCENTILE = 99.8  # about 100 pixels of 256 × 192: a short sharp edge is enough


def small_size(size: tuple[int, int]) -> tuple[int, int]:
    """(width, height) of the small image of a photo of (width, height)."""
    scale = min(1.0, LONGER_SIDE / max(size))
    return max(1, round(scale * size[0])), max(1, round(scale * size[1]))


def small_gray(image: Image.Image, size: tuple[int, int], orientation: int) -> Image.Image:
    """A decoded photo as a small gray image, upright.

    size: (width, height) of the result, before it is turned upright

    Transparent pixels are blended with white, as `boxmask.photos.rgb` does.
    """
    if image.has_transparency_data:
        color = image.convert("RGBA").resize(size, Image.Resampling.BOX)
        white = Image.new("RGBA", size, "white")
        gray = Image.alpha_composite(white, color).convert("L")
    else:
        gray = _gray(image).resize(size, Image.Resampling.BOX)
    return gray.transpose(TRANSPOSITIONS[orientation]) if orientation != 1 else gray


def thumbnail(gray: Image.Image) -> UInt8[np.ndarray, "16 16"]:
    """Both sides stretched to 16 pixels, each the mean of those that it covers."""
    return np.asarray(gray.resize((THUMBNAIL_SIDE, THUMBNAIL_SIDE), Image.Resampling.BOX))


def brightness(gray: Image.Image) -> Float32[np.ndarray, " 7"]:
    """The `PERCENTILES` of the gray values."""
    return _percentiles(np.array(gray.histogram()), PERCENTILES)


def sharpness(gray: Image.Image) -> float:
    """How abruptly the strongest edges change: the highest second derivatives, divided by the contrast.

    It is the 99.8th percentile of the absolute Laplacian over the range of gray values from the 1st to the
    99th percentile: about 1 for steps from one pixel to the next, and 0.24 / σ² for steps blurred with a
    Gaussian of σ > 1 pixels. In contrast to the usual variance of the Laplacian (Pech-Pacheco et al., ICPR
    2000), it depends neither on the contrast nor on how much of the photo is out of focus. 0 for a photo
    without contrast or smaller than 3 × 3 pixels.
    """
    values = np.asarray(gray, dtype=np.int16)
    low, high = _percentiles(np.array(gray.histogram()), (1, 99)).tolist()
    if min(values.shape) < 3 or low == high:
        return 0.0
    sides = values[:-2, 1:-1] + values[2:, 1:-1] + values[1:-1, :-2] + values[1:-1, 2:]
    laplacian = np.abs(4 * values[1:-1, 1:-1] - sides)
    counts = np.bincount(laplacian.ravel(), minlength=4 * 255 + 1)
    return float(_percentiles(counts, (_EDGE_PERCENTILE,))[0] / (high - low))


def _gray(image: Image.Image) -> Image.Image:
    if image.mode in ("L", "RGB"):
        return image.convert("L")
    return image.convert("RGB").convert("L")  # not every mode has a direct conversion


def _percentiles(counts: np.ndarray, percents: tuple[float, ...]) -> Float32[np.ndarray, " N"]:
    """Percentiles of whole numbers 0, 1, ..., from how often each occurs."""
    cumulated = np.cumsum(counts)
    ranks = np.array(percents) / 100 * (cumulated[-1] - 1)
    return np.asarray(np.searchsorted(cumulated, ranks, side="right"), dtype=np.float32)
