"""Write detections in LabelMe's JSON format, one file per photo, to be reviewed and corrected by hand.

A detection with a mask becomes LabelMe's shape "mask" (see `data/formats/labelme/document.py`). A detection
without a mask becomes a "rectangle".
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from boxmask.data.formats.labelme.document import labelme_document, labelme_shape, mask_shape
from boxmask.outputs.marks import MARK_KEY, mark_document
from boxmask.results.json_file import save_json
from boxmask.results.short_floats import shortest
from boxmask.types import Detections


def labelme_json(photo: str | Path, detections: Detections) -> dict[str, Any]:
    """The detections of one photo. `photo` becomes `imagePath`, with "/" between folders.

    LabelMe rotates the photo as its EXIF data says; so do the detections.
    """
    shapes = [_rectangle(detections, row) for row in range(len(detections))]
    if detections.masks is not None:
        crops, windows = detections.masks.crops(), detections.masks.windows.tolist()
        for row in np.flatnonzero(detections.masks.known).tolist():
            shapes[row] = mask_shape(detections.names[row], crops[row], tuple(windows[row]))
    for row, shape in enumerate(shapes):
        shape["score"] = shortest(detections.scores[row])
    return labelme_document(Path(photo).as_posix(), detections.size, shapes)


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
    x1, y1, x2, y2 = (shortest(edge) for edge in detections.boxes[row])
    return labelme_shape(detections.names[row], "rectangle", [[x1, y1], [x2, y2]])
