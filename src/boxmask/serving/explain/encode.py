"""Arrays as text: pictures as JPEG, label maps as PNG, small maps as bytes; each within a bound."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable

import numpy as np
from jaxtyping import Float, Integer
from PIL import Image

from boxmask.serving.explain.reply import Box, Cells
from boxmask.visualization.style import RGBImage

MAX_CELLS = 2**16  # of one map
MAX_SIDE = 1280  # of pictures and label maps, in pixels
JPEG_QUALITY = 85


def jpeg(picture: RGBImage) -> str:
    """A picture as JPEG in Base64, with at most MAX_SIDE pixels along its longer side."""
    image = Image.fromarray(picture)
    image.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.LANCZOS)
    return _base64(image, "JPEG", quality=JPEG_QUALITY)


def label_png(labels: Integer[np.ndarray, "H W"]) -> str:
    """Labels 0..255 as a gray PNG in Base64; of large ones, every other pixel, or every third, ..."""
    step = -(-max(labels.shape) // MAX_SIDE)
    image = Image.fromarray(np.ascontiguousarray(labels[::step, ::step], np.uint8))
    return _base64(image, "PNG")


def cells(values: Float[np.ndarray, "h w"], limits: tuple[float, float] | None = None) -> Cells:
    """A map with at most MAX_CELLS cells, otherwise means of neighbors; by default from its lowest value."""
    height, width = values.shape
    scale = min(1.0, (MAX_CELLS / (height * width)) ** 0.5)
    if scale < 1:
        size = max(1, int(width * scale)), max(1, int(height * scale))
        image = Image.fromarray(np.asarray(values, np.float32))
        values = np.array(image.resize(size, Image.Resampling.BOX))
    low, high = limits or (float(values.min()), float(values.max()))
    fractions = ((values - low) / max(high - low, 1e-12)).clip(0, 1)
    content = base64.b64encode((255 * fractions).round().astype(np.uint8).tobytes()).decode("ascii")
    height, width = values.shape
    return Cells(width=width, height=height, low=rounded(low), high=rounded(high), bytes=content)


def box_list(boxes: Float[np.ndarray, "N 4"]) -> list[Box]:
    """Boxes to a hundredth of a pixel."""
    found: list[Box] = np.asarray(boxes, np.float64).round(2).tolist()
    return found


def rounded(value: float) -> float:
    """A value to six digits."""
    return float(f"{value:.6g}")


def rounded_all(values: Iterable[float]) -> list[float]:
    """Values to six digits."""
    return [rounded(float(value)) for value in values]


def _base64(image: Image.Image, form: str, **options: int) -> str:
    file = io.BytesIO()
    image.save(file, form, **options)
    return base64.b64encode(file.getvalue()).decode("ascii")
