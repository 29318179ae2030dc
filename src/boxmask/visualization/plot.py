"""The pictures behind `Detections.plot`, `SegmentationMap.plot` and notebooks."""

from __future__ import annotations

import io

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from boxmask.errors import UsageError
from boxmask.photos.read import Photo, to_image
from boxmask.photos.rgb import to_uint8_array
from boxmask.types import Detections, SegmentationMap
from boxmask.visualization.detections import draw_detections
from boxmask.visualization.segmentation import draw_label_map


def plot_detections(detections: Detections, photo: Photo | None, min_score: float) -> Image.Image:
    """The photo with detections drawn on it. Raises UsageError if the photo is missing or does not fit."""
    pixels = _pixels(detections, photo)
    return Image.fromarray(draw_detections(pixels, detections, min_score=min_score))


def crop_detections(detections: Detections, photo: Photo | None) -> list[Image.Image]:
    """Cut each box out of the photo, in whole pixels. Raises UsageError as `plot_detections` does."""
    picture = Image.fromarray(_pixels(detections, photo))
    corners = detections.boxes.cpu()
    low, high = corners[:, :2].floor().int().tolist(), corners[:, 2:].ceil().int().tolist()
    return [picture.crop((*start, *end)) for start, end in zip(low, high, strict=True)]


def plot_label_map(label_map: SegmentationMap, photo: Photo | None) -> Image.Image:
    """The photo tinted by class. Raises UsageError if the photo is missing or does not fit."""
    return Image.fromarray(draw_label_map(_pixels(label_map, photo), label_map))


def png(picture: Image.Image) -> bytes:
    """A picture as a PNG file."""
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def _pixels(result: Detections | SegmentationMap, photo: Photo | None) -> UInt8[np.ndarray, "H W 3"]:
    given = result.photo if photo is None else photo
    if given is None:
        raise UsageError(
            "this result keeps no photo. Pass the photo that it comes from, for example plot(photo)"
        )
    pixels = to_uint8_array(to_image(given))
    if pixels.shape[:2] != result.size:
        raise UsageError(f"expected a photo of (height, width) {result.size}, found {pixels.shape[:2]}")
    return pixels
