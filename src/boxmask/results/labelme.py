"""Write detections in LabelMe's JSON format, one file per photo, to be reviewed and corrected by hand.

A detection with a mask becomes LabelMe's shape "mask" (LabelMe 5.2 and later): a black-and-white PNG of its
bounding box, whose two points are the first and the last pixel. Unlike a polygon, it keeps holes and separate
parts. A detection without a mask becomes a "rectangle".
"""

from __future__ import annotations

import base64
import io
import os
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool
from PIL import Image

from boxmask.outputs.marks import MARK_KEY, mark_document
from boxmask.results.json_file import save_json
from boxmask.results.short_floats import shortest
from boxmask.types import Detections

VERSION = "5.5.0"  # the LabelMe version whose format this is


def labelme_json(photo: str | Path, detections: Detections) -> dict[str, Any]:
    """The detections of one photo. `photo` becomes `imagePath`, with "/" between folders.

    LabelMe rotates the photo as its EXIF data says; so do the detections.
    """
    height, width = detections.size
    shapes = [_rectangle(detections, row) for row in range(len(detections))]
    if detections.masks is not None:
        crops, windows = detections.masks.crops(), detections.masks.windows.tolist()
        known = np.flatnonzero(detections.masks.known).tolist()
        for row in known:
            shapes[row] |= _mask_fields(crops[row], *windows[row])
    return {
        "version": VERSION,
        "flags": {},
        "shapes": shapes,
        "imagePath": Path(photo).as_posix(),
        "imageData": None,
        "imageHeight": height,
        "imageWidth": width,
    }


def save_labelme(photo: str | Path, detections: Detections, path: str | Path) -> None:
    """Write `labelme_json`, with the photo's path relative to the file, marked as a result of boxmask.

    LabelMe keeps fields that it does not know. The mark is void once the shapes are corrected.
    Raises UsageError and OutputError as `save_json` does.
    """
    path = Path(path)
    document = labelme_json(_relative_path(Path(photo), path.parent), detections)
    save_json(mark_document(document, MARK_KEY), path)


def _relative_path(photo: Path, folder: Path) -> Path:
    """The photo's path relative to `folder`, or its absolute path if it is on another Windows drive."""
    try:
        return Path(os.path.relpath(photo.resolve(), folder.resolve()))
    except ValueError:  # or the path holds a NUL
        return photo.absolute()


def _rectangle(detections: Detections, row: int) -> dict[str, Any]:
    """The shape of a detection's box."""
    x1, y1, x2, y2 = (shortest(edge) for edge in detections.boxes[row].cpu().numpy())
    return {
        "label": detections.names[row],
        "points": [[x1, y1], [x2, y2]],
        "group_id": None,
        "description": "",
        "shape_type": "rectangle",
        "flags": {},
        "mask": None,
        "score": shortest(detections.scores[row].cpu().numpy()),
    }


def _mask_fields(crop: Bool[np.ndarray, "h w"], x1: int, y1: int, x2: int, y2: int) -> dict[str, Any]:
    """The fields that turn a rectangle into a mask."""
    png = io.BytesIO()
    Image.fromarray(crop).save(png, "PNG")
    return {
        "points": [[x1, y1], [x2 - 1, y2 - 1]],
        "shape_type": "mask",
        "mask": base64.b64encode(png.getvalue()).decode("ascii"),
    }
