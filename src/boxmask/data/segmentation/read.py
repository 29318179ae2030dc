"""Semantic labels of whatever kind there is: label images, or the outlines of a detection set."""

from __future__ import annotations

from pathlib import Path

from boxmask.data.detection.box_checks import BadBoxes
from boxmask.data.detection.read import is_labeled, read_unsplit
from boxmask.data.segmentation.dataset import PixelDataset, is_of_pixels, read_unsplit_pixels
from boxmask.data.segmentation.from_masks import pixels_of_outlines
from boxmask.data.segmentation.label_maps import UnknownColors
from boxmask.errors import LabelError


def read_any_unsplit_pixels(
    path: str | Path,
    *,
    classes_file: str | Path | None = None,
    unknown_colors: UnknownColors = "stop",
    bad_boxes: BadBoxes = "stop",
) -> PixelDataset:
    """Labeled pixels, with only the splits that the set itself speaks of.

    Of a set that has both, as Pascal VOC, whose boxes have no outlines, the label images are read; of one
    whose objects have outlines, these, unless a classes file asks for the label images. Raises LabelError and
    PhotoError as the readers of both do.
    """
    folder = Path(path)
    if classes_file is not None or not is_labeled(folder):
        return read_unsplit_pixels(folder, classes_file, unknown_colors)
    objects = read_unsplit(folder, bad_boxes)
    if objects.outlined.any():
        return pixels_of_outlines(objects)
    if not is_of_pixels(folder):
        raise LabelError(
            f"{folder}: its objects have boxes alone, and nothing says which pixels are theirs. Give a set "
            "with outlines (COCO's segmentation), or with label images beside its photos."
        )
    return read_unsplit_pixels(folder, classes_file, unknown_colors)
