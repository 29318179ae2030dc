"""Write results into files: one file, or an archive if there are several."""

from __future__ import annotations

import io
import os
import re
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from boxmask.errors import BoxmaskError, UsageError
from boxmask.results.coco import save_coco
from boxmask.results.csv_table import save_detection_table
from boxmask.results.detections import check_detection_formats, write_detections
from boxmask.results.segmentation import check_segmentation_formats, write_segmentation
from boxmask.results.yolo import save_class_list
from boxmask.serving.unique_names import unique_names
from boxmask.tasks.classification.writer import ClassificationWriter
from boxmask.types import Detections, SegmentationMap
from boxmask.visualization.style import RGBImage

SUFFIXES = {
    "jpg": ".jpg",
    "png": ".png",
    "yolo": ".txt",
    "voc": ".xml",
    "labelme": ".json",
    "label-maps": ".png",
}
"""Of the formats with a file per photo."""

CLASSES = "classes"  # the file of YOLO's class names, without its suffix

MAX_STEM = 100
"""Characters of a file's name without its suffix: Windows takes paths of 260."""
MAX_STEM_BYTES = 200
"""The same in UTF-8: Linux takes names of 255 bytes, with suffixes and numbers."""

MEDIA_TYPES = {
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".json": "application/json",
    ".txt": "text/plain; charset=utf-8",
    ".csv": "text/csv; charset=utf-8",
    ".xml": "application/xml",
    ".zip": "application/zip",
}


NO_PIXELS: RGBImage = np.zeros((0, 0, 3), dtype=np.uint8)


@dataclass(frozen=True)
class ResultToSave:
    """The result of a photo. pixels: NO_PIXELS if the format draws nothing"""

    name: str
    result: Any
    pixels: RGBImage


@dataclass(frozen=True)
class SavedFile:
    """A file to download."""

    name: str
    content: bytes

    @property
    def media_type(self) -> str:
        """Its type in HTTP."""
        return MEDIA_TYPES[Path(self.name).suffix]


def save_results(
    results: Sequence[ResultToSave], output_format: str, class_names: tuple[str, ...]
) -> SavedFile:
    """Write results of one task.

    The files lie beside the photos, so that LabelMe finds the photo in the folder of its file.
    Raises UsageError for formats that cannot hold the results.
    """
    with tempfile.TemporaryDirectory(prefix="boxmask-save-") as folder:
        root = Path(folder) / "photos"
        root.mkdir()
        stems = unique_names([CLASSES, *(_stem(each.name) for each in results)])[1:]
        photos = [root / f"{stem}{_suffix(each.name)}" for stem, each in zip(stems, results, strict=True)]
        try:
            _write(results, photos, output_format, class_names)
        except BoxmaskError as error:
            raise UsageError(str(error).replace(f"{root}{os.sep}", "")) from error
        files = [file for file in sorted(root.iterdir()) if not file.name.startswith(".")]  # no notes of ours
        return _packed(files, stems[0])


def _write(
    results: Sequence[ResultToSave], photos: Sequence[Path], output_format: str, class_names: tuple[str, ...]
) -> None:
    """Write the files into the folder of `photos`, which do not exist."""
    if isinstance(results[0].result, Detections):
        _write_detections(results, photos, output_format, class_names)
    elif isinstance(results[0].result, SegmentationMap):
        check_segmentation_formats([output_format])
        for each, photo in zip(results, photos, strict=True):
            file = photo.with_suffix(SUFFIXES[output_format])
            write_segmentation(output_format, file, each.pixels, each.result)
    else:
        _write_classes(results, photos, class_names, output_format)


def _write_detections(
    results: Sequence[ResultToSave], photos: Sequence[Path], output_format: str, class_names: tuple[str, ...]
) -> None:
    has_masks = any(each.result.masks is not None for each in results)
    check_detection_formats([output_format], masks=has_masks)
    root, found = photos[0].parent, [each.result for each in results]
    names = [Path(photo.name) for photo in photos]
    if output_format == "coco":
        save_coco(names, found, root / "detections.json")
    elif output_format == "csv":
        save_detection_table(names, found, root / "detections.csv")
    else:
        for each, photo in zip(results, photos, strict=True):
            file = photo.with_suffix(SUFFIXES[output_format])
            write_detections(output_format, file, photo, each.pixels, each.result)
    if output_format == "yolo":
        save_class_list(class_names, root / f"{CLASSES}.txt")


def _write_classes(
    results: Sequence[ResultToSave], photos: Sequence[Path], class_names: tuple[str, ...], output_format: str
) -> None:
    if output_format != "csv":
        raise UsageError(f"format {output_format}: the results of a classifier are saved as csv.")
    writer = ClassificationWriter(photos[0].parent, None, class_names)
    for each, photo in zip(results, photos, strict=True):
        writer.write(photo.stem, Path(photo.name), each.pixels, each.result)
    writer.finish()


def _packed(files: Sequence[Path], stem: str) -> SavedFile:
    """The only file, or an archive of all."""
    if len(files) == 1:
        return SavedFile(files[0].name, files[0].read_bytes())
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for file in files:
            packed.write(file, file.name)
    return SavedFile(f"{stem}.zip", archive.getvalue())


def _stem(name: str) -> str:
    """The name of a photo without its suffix, without what file systems refuse, and not too long for them."""
    stem = re.sub(r'[<>:"/\\|?*\x00-\x1f\x7f]', "_", Path(name).stem)
    short = stem[:MAX_STEM].encode("utf-8")[:MAX_STEM_BYTES].decode("utf-8", "ignore")
    return short.strip(" .") or "photo"


def _suffix(name: str) -> str:
    suffix = Path(name).suffix.lower()
    return suffix if re.fullmatch(r"\.[a-z0-9]{1,5}", suffix) else ".jpg"
