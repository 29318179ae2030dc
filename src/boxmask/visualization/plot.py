"""The pictures behind `Detections.plot`, `SegmentationMap.plot` and notebooks."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from boxmask.errors import UsageError
from boxmask.photos.read import Photo, to_image
from boxmask.photos.rgb import to_uint8_array
from boxmask.types import Detections, SegmentationMap
from boxmask.visualization.detections import draw_detections
from boxmask.visualization.fonts import notes_on_fonts
from boxmask.visualization.segmentation import draw_label_map

if TYPE_CHECKING:
    from torch import Tensor  # noqa: F401  a photo may be one


def plot_detections(detections: Detections, photo: Photo | None, min_score: float) -> Image.Image:
    """The photo with detections drawn on it. Warns about class names that cannot be drawn.

    Raises UsageError if the photo is missing, does not exist or has another size.
    """
    pixels = _pixels(detections, photo)
    _warn_of_fonts(detections.names)
    return Image.fromarray(draw_detections(pixels, detections, min_score=min_score))


def crop_detections(detections: Detections, photo: Photo | None) -> list[Image.Image]:
    """Cut each box out of the photo, in whole pixels. Raises UsageError as `plot_detections` does."""
    picture = Image.fromarray(_pixels(detections, photo))
    low = np.floor(detections.boxes[:, :2]).astype(int).tolist()
    high = np.ceil(detections.boxes[:, 2:]).astype(int).tolist()
    return [picture.crop((*start, *end)) for start, end in zip(low, high, strict=True)]


def plot_label_map(label_map: SegmentationMap, photo: Photo | None) -> Image.Image:
    """The photo tinted by class. Warns, and raises UsageError, as `plot_detections` does."""
    pixels = _pixels(label_map, photo)
    _warn_of_fonts(label_map.shares())
    return Image.fromarray(draw_label_map(pixels, label_map))


def png(picture: Image.Image) -> bytes:
    """A picture as a PNG file."""
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def _warn_of_fonts(names: Iterable[str]) -> None:
    for note in notes_on_fonts(names):
        warnings.warn(note, stacklevel=4)  # the caller of `plot`


def _pixels(result: Detections | SegmentationMap, photo: Photo | None) -> UInt8[np.ndarray, "H W 3"]:
    given = result.photo if photo is None else photo
    if given is None:
        raise UsageError(
            "this result keeps no photo. Pass the photo that it comes from, for example plot(photo)"
        )
    if isinstance(given, str | Path) and not Path(given).exists():
        raise UsageError(
            f"{given}: expected the photo that the result comes from, found no such file. "
            f"To write a picture, use save({str(given)!r})."
        )
    pixels = to_uint8_array(to_image(given))
    if pixels.shape[:2] != result.size:
        raise UsageError(f"expected a photo of (height, width) {result.size}, found {pixels.shape[:2]}")
    return pixels
