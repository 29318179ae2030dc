"""The JSON of a LabelMe file, for labels and for predictions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Bool

from boxmask.data.formats.labelme.mask_png import encode_mask
from boxmask.masks import Size, Window

VERSION = "5.5.0"
"""The LabelMe version whose format this is."""

ROTATED_VERSION = "6.3.0"
"""The version of files with rotated boxes, which older LabelMe does not open."""


def labelme_document(image_path: str, size: Size | None, shapes: list[dict[str, Any]]) -> dict[str, Any]:
    """The content of a file for a photo of (height, width), as it is shown; None if that is not known.

    image_path: relative to the file, with "/" between folders
    """
    is_rotated = any(shape["shape_type"] == "oriented_rectangle" for shape in shapes)
    return {
        "version": ROTATED_VERSION if is_rotated else VERSION,
        "flags": {},
        "shapes": shapes,
        "imagePath": image_path,
        "imageData": None,
        "imageHeight": size and size[0],
        "imageWidth": size and size[1],
    }


def labelme_shape(label: str, kind: str, points: Sequence[Sequence[float]]) -> dict[str, Any]:
    """A shape, such as a "rectangle" by two opposite corners, or a "polygon"."""
    return {
        "label": label,
        "points": [list(point) for point in points],
        "group_id": None,
        "description": "",
        "shape_type": kind,
        "flags": {},
        "mask": None,
    }


def mask_shape(label: str, crop: Bool[np.ndarray, "h w"], window: Window) -> dict[str, Any]:
    """The shape "mask" (LabelMe 5.2 and later), which unlike a polygon keeps holes and separate parts.

    crop: the pixels of its window, x1, y1, x2, y2 with x2 and y2 exclusive
    """
    x1, y1, x2, y2 = window
    shape = labelme_shape(label, "mask", [[x1, y1], [x2 - 1, y2 - 1]])
    return shape | {"mask": encode_mask(crop)}
