"""Semantic labels of whatever kind there is: label images, or the outlines of a detection set."""

from __future__ import annotations

from pathlib import Path

from boxmask.data.detection.box_checks import OnBadBoxes
from boxmask.data.detection.read import has_detection_labels, read_unsplit_detection
from boxmask.data.segmentation.dataset import SegmentationDataset, has_label_maps, read_unsplit_label_maps
from boxmask.data.segmentation.from_masks import label_maps_from_masks
from boxmask.data.segmentation.label_maps import OnUnknownColors
from boxmask.errors import LabelError


def read_unsplit_segmentation(
    path: str | Path,
    *,
    classes_file: str | Path | None = None,
    on_unknown_colors: OnUnknownColors = "error",
    on_bad_boxes: OnBadBoxes | None = None,
) -> SegmentationDataset:
    """Labeled pixels, with only the splits that the set itself speaks of.

    Of a set that has both, as Pascal VOC, whose boxes have no outlines, the label images are read; of one
    whose objects have outlines, these, unless a classes file asks for the label images. Raises LabelError and
    PhotoError as the readers of both do.
    """
    folder = Path(path)
    if classes_file is not None or not has_detection_labels(folder):
        return read_unsplit_label_maps(folder, classes_file, on_unknown_colors)
    objects = read_unsplit_detection(folder, on_bad_boxes)
    if objects.has_mask.any():
        return label_maps_from_masks(objects)
    if not has_label_maps(folder):
        raise LabelError(
            f"{folder}: its objects have boxes alone, and nothing says which pixels are theirs. Give a set "
            "with outlines (COCO's segmentation), or with label images beside its photos."
        )
    return read_unsplit_label_maps(folder, classes_file, on_unknown_colors)
