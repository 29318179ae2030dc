"""Photos in class folders as labels: each shows one object, as large as the photo."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from boxmask.data.classification.class_folders import NoClassFoldersError, find_class_folders
from boxmask.data.classification.examine import NAME as CLASS_FOLDERS
from boxmask.data.classification.read import read_class_folders
from boxmask.data.classification.selected_classes import select_photos
from boxmask.data.conversion.options import ConversionOptions
from boxmask.data.conversion.photos_to_write import PhotosToWrite
from boxmask.data.detection.checked_labels import CheckedLabels
from boxmask.data.detection.dataset import DetectionDataset
from boxmask.data.detection.read_labels import no_labels_error
from boxmask.data.findings import Findings, Location
from boxmask.data.formats.labels import Labels, PhotoEntry
from boxmask.data.formats.source import find_source
from boxmask.data.photo_list import PhotoList
from boxmask.errors import UsageError

SORTED_PHOTO_FORMATS = ("class-folders", "csv")
"""The formats that hold one class per photo. A table holds it as a box as large as the photo."""


def class_folder_labels(data: Path, to: str, options: ConversionOptions) -> PhotosToWrite:
    """Read class folders, to be written in the format `to`.

    Raises LabelError and PhotoError as `read_class_folders` does, and UsageError for formats of objects.
    """
    try:
        find_class_folders(data, Findings())
    except NoClassFoldersError as error:
        raise no_labels_error(data, find_source(data), (CLASS_FOLDERS,)) from error
    if to not in SORTED_PHOTO_FORMATS:
        raise UsageError(
            f"{data}: no labels of objects found, but folders of photos. Class folders can be written as "
            f"{' or '.join(SORTED_PHOTO_FORMATS)}, not as {to}."
        )
    dataset = read_class_folders(data, options.on_bad_photos, options.select)
    dataset = select_photos(dataset, options.selection)
    checked = CheckedLabels(
        _labels(dataset),
        PhotoList(dataset.root, dataset.files, dataset.splits),
        sizes=dataset.sizes,
        label_sizes=dataset.sizes,
        boxes=dataset.boxes,
        good=np.ones(len(dataset), dtype=bool),
        masks=dataset.rle_masks,
        bad_outlines=frozenset(),
    )
    return PhotosToWrite.of(checked)


def _labels(dataset: DetectionDataset) -> Labels:
    boxes = dataset.boxes.astype(np.float64)
    photos = [
        PhotoEntry(file, Location(str(dataset.root / file)), split=split or None)
        for file, split in zip(dataset.files.tolist(), dataset.splits.tolist(), strict=True)
    ]
    return Labels(
        root=dataset.root,
        class_names=dataset.class_names,
        photos=photos,
        photo_of=np.arange(len(boxes)),
        boxes=boxes,
        extents=boxes[:, 2:] - boxes[:, :2],
        labels=dataset.labels,
        areas=np.full(len(boxes), np.nan),
        crowd=dataset.crowd,
        difficult=dataset.difficult,
        location=lambda row: photos[row].location,
        box_form="corners",
        notes=dataset.notes,
    )
