"""Pictures of an evaluation: labels beside detections."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from boxmask.data.detection.dataset import DetectionDataset
from boxmask.photos.read import load_photo
from boxmask.results.paths import check_not_overwriting, picture_names
from boxmask.results.pictures import save_picture
from boxmask.types import Detections
from boxmask.visualization.detections import detections_from_labels, draw_comparison


def comparison_files(dataset: DetectionDataset, folder: Path) -> list[Path]:
    """The picture of each photo, a JPEG file in the folder.

    Raises UsageError if a picture would overwrite a photo.
    """
    photos = [dataset.path(photo) for photo in range(len(dataset))]
    files = [folder / f"{name}.jpg" for name in picture_names(photos)]
    check_not_overwriting(files, photos)
    return files


def draw_comparisons(dataset: DetectionDataset, detections: Sequence[Detections], folder: Path) -> list[Path]:
    """Draw each photo twice, as labeled and as detected, into the folder; returns the files.

    Raises UsageError, before anything is drawn, if a picture would overwrite a photo.
    """
    files = comparison_files(dataset, folder)
    for photo, detected in enumerate(detections):
        labels = detections_from_labels(dataset, photo)
        save_picture(draw_comparison(load_photo(dataset.path(photo)), labels, detected), files[photo])
    return files
