"""Photos in class folders as labels: each shows one object, as large as the photo."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from boxmask.data.classification.read import read_class_folders
from boxmask.data.conversion.labeled_photos import LabeledPhotos
from boxmask.data.conversion.options import ConversionOptions
from boxmask.data.detection.checked_labels import CheckedLabels
from boxmask.data.findings import Location
from boxmask.data.formats.labels import LabeledPhoto, Labels
from boxmask.data.photo_list import PhotoList

SORTED_PHOTO_FORMATS = ("class-folders", "csv")
"""The formats that hold one class per photo. A table holds it as a box as large as the photo."""


def class_folder_labels(data: Path, options: ConversionOptions) -> LabeledPhotos:
    """Read class folders. Raises LabelError and PhotoError as `read_class_folders` does."""
    dataset = read_class_folders(data, options.on_bad_photos, options.select)
    boxes = dataset.boxes.astype(np.float64)
    count = len(boxes)
    photos = [
        LabeledPhoto(file, Location(str(data / file)), split=split or None)
        for file, split in zip(dataset.files.tolist(), dataset.splits.tolist(), strict=True)
    ]
    labels = Labels(
        root=dataset.root,
        class_names=dataset.class_names,
        photos=photos,
        photo_of=np.arange(count),
        boxes=boxes,
        extents=boxes[:, 2:] - boxes[:, :2],
        labels=dataset.labels,
        areas=np.full(count, np.nan),
        crowd=dataset.crowd,
        difficult=dataset.difficult,
        location=lambda row: photos[row].location,
        box_form="corners",
        notes=dataset.notes,
    )
    listed = PhotoList(dataset.root, dataset.files, dataset.splits)
    checked = CheckedLabels(
        labels,
        listed,
        dataset.sizes,
        dataset.sizes,
        dataset.boxes,
        np.ones(count, dtype=bool),
        dataset.rle_masks,
        frozenset(),
    )
    return LabeledPhotos.of(checked)
