"""The pictures behind `Detections.plot`, `SegmentationMap.plot` and notebooks."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterable
from typing import TYPE_CHECKING

from PIL import Image

from boxmask.types import Detections, SegmentationMap
from boxmask.visualization.detections import draw_detections
from boxmask.visualization.fonts import notes_on_fonts
from boxmask.visualization.result_photo import photo_pixels
from boxmask.visualization.segmentation import draw_label_map

if TYPE_CHECKING:
    from torch import Tensor  # noqa: F401  a photo may be one

    from boxmask.photos.read import Photo


def plot_detections(detections: Detections, photo: Photo | None, min_score: float) -> Image.Image:
    """The photo with detections drawn on it. Warns about class names that cannot be drawn.

    Raises UsageError if the photo is missing, does not exist or has another size.
    """
    pixels = photo_pixels(detections, photo)
    _warn_of_fonts(detections.names)
    return Image.fromarray(draw_detections(pixels, detections, min_score=min_score))


def plot_label_map(label_map: SegmentationMap, photo: Photo | None) -> Image.Image:
    """The photo tinted by class. Warns, and raises UsageError, as `plot_detections` does."""
    pixels = photo_pixels(label_map, photo)
    _warn_of_fonts(label_map.shares())
    return Image.fromarray(draw_label_map(pixels, label_map))


def png(picture: Image.Image) -> bytes:
    """A picture as a PNG file."""
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def _warn_of_fonts(names: Iterable[str]) -> None:
    for note in notes_on_fonts(names):
        warnings.warn(note, stacklevel=5)  # the caller of `plot`, which a decorator wraps
