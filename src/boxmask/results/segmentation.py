"""The output formats of segmenters."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from boxmask.results.formats import LABEL_MAPS, PICTURE_FORMATS, check_formats
from boxmask.results.label_maps import save_label_map
from boxmask.results.pictures import save_picture
from boxmask.types import SegmentationMap
from boxmask.visualization.segmentation import draw_label_map
from boxmask.visualization.style import RGBImage

SEGMENTATION_FORMATS = ("jpg", "png", LABEL_MAPS)
DEFAULT_SEGMENTATION_FORMATS = ("jpg", LABEL_MAPS)


def check_segmentation_formats(formats: Sequence[str]) -> None:
    """Raise UsageError if the results of a segmenter cannot be written in one of these formats."""
    reason = "needs separate objects, and this model finds the class of every pixel"
    check_formats(formats, SEGMENTATION_FORMATS, reason)


def write_segmentation(output_format: str, file: Path, pixels: RGBImage, label_map: SegmentationMap) -> None:
    """Write the label map of one photo.

    pixels: the photo, decoded, to draw on

    Raises UsageError and OutputError as the writer of the format does.
    """
    if output_format in PICTURE_FORMATS:
        save_picture(draw_label_map(pixels, label_map), file)
    else:
        save_label_map(label_map, file)
