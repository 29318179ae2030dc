"""Examine the labels of a detection data set: everything that is wrong with them, without stopping."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from boxmask.data.checks.contract import Examination
from boxmask.data.detection.outline_masks import with_boxes_of_outlines
from boxmask.data.detection.read_labels import read_labels
from boxmask.data.detection.resized_photos import in_pixels
from boxmask.data.detection.rle_masks import RleMasks
from boxmask.data.findings import Findings


def examine(path: str | Path, findings: Findings, *, photos: bool = True) -> Examination:
    """Read labels in any supported format, compare them with the headers of their photos, and check them.

    photos: False opens no photo: the sizes are then those that the labels declare

    Findings never stop it. The checks of `boxmask.data.checks.table` are not among them.
    Raises LabelError if there are no labels at `path`, or if they are in several formats.
    """
    labels = read_labels(Path(path), findings)
    declared = [photo.declared_size or (1, 1) for photo in labels.photos]
    sizes = np.array(declared, dtype=np.int32).reshape(-1, 2)
    labels = with_boxes_of_outlines(in_pixels(labels, sizes), sizes)
    return Examination(
        labels, sizes, np.zeros(len(sizes), dtype=bool), RleMasks.unknown(len(labels.photo_of))
    )
