"""Detections as LabelMe's JSON, one file a photo: to be looked through and corrected by hand.

A mask is written with LabelMe's shape "mask" (LabelMe 5.2 and later): a black and white PNG in its bounding
box, whose two points are the first and the last pixel. It keeps holes and separate parts, as a polygon would
not. A detection without mask is a "rectangle".
"""

from __future__ import annotations

import base64
import io
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool
from PIL import Image

from boxmask.atomic_write import atomic_write
from boxmask.results.short_floats import shortest
from boxmask.types import Detections

VERSION = "5.5.0"  # of LabelMe, whose files these are like


def labelme_json(photo: str | Path, found: Detections) -> dict[str, Any]:
    """One photo's detections; `photo` becomes `imagePath`, with "/" between folders.

    LabelMe shows the photo as EXIF has it turned, and so do the detections.
    """
    height, width = found.size
    shapes = [_shape(found, row) for row in range(len(found))]
    if found.masks is not None:
        crops, windows = found.masks.crops(), found.masks.windows.tolist()
        known = np.flatnonzero(found.masks.known).tolist()
        for row in known:
            shapes[row] |= _mask(crops[row], *windows[row])
    return {
        "version": VERSION,
        "flags": {},
        "shapes": shapes,
        "imagePath": Path(photo).as_posix(),
        "imageData": None,
        "imageHeight": height,
        "imageWidth": width,
    }


def save_labelme(photo: str | Path, found: Detections, path: str | Path) -> None:
    """Write `labelme_json`, with the photo's path as seen from the file; missing folders are made."""
    path = Path(path)
    content = json.dumps(
        labelme_json(_seen_from(path.parent, Path(photo)), found), ensure_ascii=False, indent=1
    )
    with atomic_write(path) as temporary:
        temporary.write_text(content + "\n", encoding="utf-8")


def _seen_from(folder: Path, photo: Path) -> Path:
    """Relative where there is a way; between two Windows drives there is none."""
    try:
        return Path(os.path.relpath(photo.resolve(), folder.resolve()))
    except ValueError:
        return photo.resolve()


def _shape(found: Detections, row: int) -> dict[str, Any]:
    """The box."""
    x1, y1, x2, y2 = (shortest(edge) for edge in found.boxes[row].cpu().numpy())
    return {
        "label": found.names[row],
        "points": [[x1, y1], [x2, y2]],
        "group_id": None,
        "description": "",
        "shape_type": "rectangle",
        "flags": {},
        "mask": None,
        "score": shortest(found.scores[row].cpu().numpy()),
    }


def _mask(crop: Bool[np.ndarray, "h w"], x1: int, y1: int, x2: int, y2: int) -> dict[str, Any]:
    """What a mask has instead of a box."""
    png = io.BytesIO()
    Image.fromarray(crop).save(png, "PNG")
    return {
        "points": [[x1, y1], [x2 - 1, y2 - 1]],
        "shape_type": "mask",
        "mask": base64.b64encode(png.getvalue()).decode("ascii"),
    }
