"""The output formats of detectors."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from boxmask.results.formats import FORMATS, LABEL_MAPS, PARQUET, PICTURE_FORMATS, check_formats
from boxmask.results.label_maps import save_instance_map
from boxmask.results.labelme import save_labelme
from boxmask.results.parquet import check_parquet
from boxmask.results.pictures import save_picture
from boxmask.results.voc import save_voc
from boxmask.results.yolo import save_yolo
from boxmask.types import Detections
from boxmask.visualization.detections import draw_detections
from boxmask.visualization.style import RGBImage

DETECTION_FORMATS = FORMATS
DEFAULT_DETECTION_FORMATS = ("jpg", "coco")
_WRITERS = {"labelme": save_labelme, "voc": save_voc, "yolo": save_yolo}


def check_detection_formats(formats: Sequence[str], *, masks: bool = True) -> None:
    """Raise UsageError if the results of a detector cannot be written in one of these formats.

    masks: whether the detector finds masks; label maps need them

    Parquet needs the package pyarrow.
    """
    supported = [name for name in DETECTION_FORMATS if masks or name != LABEL_MAPS]
    check_formats(formats, supported, "needs masks, and this detector finds boxes only")
    if PARQUET in formats:
        check_parquet()


def write_detections(
    output_format: str, file: Path, photo: Path, pixels: RGBImage, shown: Detections
) -> None:
    """Write the detections of one photo in a format that has one file per photo.

    photo:  path of the photo, which the files of LabelMe and VOC name
    pixels: the same photo, decoded, to draw on

    Raises UsageError as the writer of the format does.
    """
    if output_format in PICTURE_FORMATS:
        save_picture(draw_detections(pixels, shown, min_score=0.0), file)
    elif output_format in _WRITERS:
        _WRITERS[output_format](photo, shown, file)
    else:
        save_instance_map(shown, file)
