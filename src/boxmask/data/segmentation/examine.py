"""Examine label maps: everything that is wrong with them, without stopping."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from boxmask.data.checks.examination import Examination
from boxmask.data.detection.compressed_masks import CompressedMasks
from boxmask.data.findings import Findings, Location
from boxmask.data.formats.kinds import report_encoding
from boxmask.data.formats.labels import Labels, PhotoEntry
from boxmask.data.photo_checks import check_photos
from boxmask.data.segmentation.label_map_checks import check_classes
from boxmask.data.segmentation.label_map_folder import (
    ReadLabelMaps,
    check_label_maps,
    find_label_maps,
    read_label_map_classes,
    read_label_maps,
)
from boxmask.data.segmentation.label_maps import count_pixels
from boxmask.data.text import read_text
from boxmask.types import IGNORED

NAME = "label maps (images whose colors or indices are classes, beside their photos)"


def examine_label_maps(
    path: str | Path, findings: Findings, *, classes_file: str | Path | None = None
) -> Examination:
    """Read a folder of photos with label maps, and check them (see `pairs.py` for the folders).

    Its objects are the classes of each photo: an object has the area of its pixels, and the smallest box
    around them. Only photos with a label map are in it, if both can be read.

    classes_file: the classes of the label maps (see `classes_file.py`). Default: the data set's.

    Findings never stop it. Raises LabelError if there are no label maps at `path`, or no classes for them.
    """
    folder = find_label_maps(Path(path), findings)
    classes = read_label_map_classes(folder, classes_file)
    _report_encoding_of(Path(classes.file), findings)
    sizes, _ = check_photos(folder.root, folder.photos, on_bad_photos=None)
    maps = read_label_maps(folder, sizes, (), classes, findings)
    check_label_maps(maps, findings)
    pixel_counts = count_pixels(maps.summaries, maps.sizes, classes)
    check_classes(folder.root, pixel_counts, maps.photos, maps.files, classes, findings)
    labels = _labels(maps)
    known = np.ones(len(maps.photos), dtype=bool)
    return Examination(labels, maps.sizes, known, CompressedMasks.unknown(len(labels.photo_of)))


def _report_encoding_of(classes_file: Path, findings: Findings) -> None:
    """Add why a classes file was read in another encoding than UTF-8. Not every data set has one."""
    if classes_file.is_file() and (note := read_text(classes_file).note):
        report_encoding(classes_file, findings)(note)


@dataclass(frozen=True, slots=True)
class _Rows:
    """The classes of each photo, as rows of arrays."""

    photo_of: NDArray[np.int64]
    labels: NDArray[np.int64]
    boxes: NDArray[np.float64]
    areas: NDArray[np.float64]


def _rows(maps: ReadLabelMaps) -> _Rows:
    label_of = maps.classes.labels
    rows = [
        (photo, label_of[value], *box, area)
        for photo, summary in enumerate(maps.summaries)
        for value, box, area in zip(
            summary.values.tolist(), summary.boxes.tolist(), summary.pixel_counts.tolist(), strict=True
        )
        if label_of.get(value, IGNORED) != IGNORED
    ]
    table = np.array(rows, dtype=np.float64).reshape(-1, 7)
    photo_of = table[:, 0].astype(np.int64)
    map_sizes = np.array([summary.size for summary in maps.summaries], dtype=np.float64).reshape(-1, 2)
    factors = (maps.sizes / map_sizes)[photo_of]
    boxes = table[:, 2:6] * factors[:, [1, 0, 1, 0]]
    return _Rows(photo_of, table[:, 1].astype(np.int64), boxes, table[:, 6] * factors.prod(axis=1))


def _labels(maps: ReadLabelMaps) -> Labels:
    """The classes of each photo as its objects."""
    rows = _rows(maps)
    locations = [Location(str(maps.root / file)) for file in maps.files]
    pairs = zip(maps.photos, locations, maps.summaries, maps.splits.tolist(), strict=True)
    return Labels(
        root=maps.root,
        class_names=maps.classes.names,
        photos=[
            PhotoEntry(photo, location, summary.size, split or None)
            for photo, location, summary, split in pairs
        ],
        photo_of=rows.photo_of,
        boxes=rows.boxes,
        extents=rows.boxes[:, 2:] - rows.boxes[:, :2],
        labels=rows.labels,
        areas=rows.areas,
        crowd=np.zeros(len(rows.labels), dtype=bool),
        difficult=np.zeros(len(rows.labels), dtype=bool),
        location=lambda row: locations[int(rows.photo_of[row])],
        box_form="mask",
        format_name=NAME,
    )
