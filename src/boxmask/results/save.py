"""Write the result of one photo to one file. The suffix of the file selects the format."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from boxmask.errors import UsageError
from boxmask.results.coco import save_coco
from boxmask.results.label_maps import save_label_map
from boxmask.results.pictures import JPEG_SUFFIXES, PNG_SUFFIXES, save_picture
from boxmask.results.table import detection_rows, save_table, share_rows
from boxmask.types import Detections, SegmentationMap


def save_detections(detections: Detections, path: Path) -> None:
    """Write .json (COCO), .csv (a table), .jpg or .png (a picture). Raises UsageError for other suffixes."""
    suffix = path.suffix.lower()
    if suffix == ".json":
        save_coco([_name(detections.photo)], [detections], path)
    elif suffix == ".csv":
        save_table(detection_rows(detections), path)
    elif suffix in JPEG_SUFFIXES + PNG_SUFFIXES:
        save_picture(np.array(detections.plot()), path)
    else:
        raise UsageError(f"{path}: detections are saved as .json, .csv, .jpg or .png, not {_ending(suffix)}")


def save_segmentation_map(label_map: SegmentationMap, path: Path) -> None:
    """Write .png (the labels) or .csv (the share of each class). Raises UsageError for other suffixes."""
    suffix = path.suffix.lower()
    if suffix == ".png":
        save_label_map(label_map, path)
    elif suffix == ".csv":
        save_table(share_rows(label_map), path)
    else:
        raise UsageError(f"{path}: a label map is saved as .png or .csv, not {_ending(suffix)}")


def _ending(suffix: str) -> str:
    return f'as "{suffix}"' if suffix else "without a suffix"


def _name(photo: object) -> str:
    """The path of a photo, or "" if it has none."""
    return str(getattr(photo, "filename", "") or "") if not isinstance(photo, str | Path) else str(photo)
