"""Write one photo's result to one file, whose ending says the format."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from boxmask.errors import UsageError
from boxmask.results.coco import save_coco
from boxmask.results.label_maps import save_label_map
from boxmask.results.pictures import save_picture
from boxmask.results.table import detection_rows, save_table, share_rows
from boxmask.types import Detections, SegmentationMap

PICTURE_ENDINGS = (".jpg", ".jpeg", ".png")


def save_detections(detections: Detections, path: Path) -> None:
    """Write .json (COCO), .csv (a table), .jpg or .png (a picture); UsageError for another ending."""
    ending = path.suffix.lower()
    if ending == ".json":
        save_coco([_name(detections.photo)], [detections], path)
    elif ending == ".csv":
        save_table(detection_rows(detections), path)
    elif ending in PICTURE_ENDINGS:
        save_picture(np.array(detections.plot()), path)
    else:
        raise UsageError(f"{path}: detections are saved as .json, .csv, .jpg or .png, not as {ending!r}")


def save_segmentation_map(label_map: SegmentationMap, path: Path) -> None:
    """Write .png (the labels) or .csv (the share of each class); UsageError for another ending."""
    ending = path.suffix.lower()
    if ending == ".png":
        save_label_map(label_map, path)
    elif ending == ".csv":
        save_table(share_rows(label_map), path)
    else:
        raise UsageError(f"{path}: a segmentation map is saved as .png or .csv, not as {ending!r}")


def _name(photo: object) -> str:
    """The path of a photo, as far as it has one."""
    return str(getattr(photo, "filename", "") or "") if not isinstance(photo, str | Path) else str(photo)
