"""Pictures of an evaluation: labels beside detections."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from boxmask.data.detection.dataset import DetectionDataset
from boxmask.photos.read import load_photo
from boxmask.results.paths import check_not_overwriting, picture_names
from boxmask.results.pictures import save_picture
from boxmask.types import Detections
from boxmask.visualization.contact_sheet import contact_sheet
from boxmask.visualization.detections import detections_from_labels, draw_comparison, draw_detections
from boxmask.visualization.style import RGBImage


def draw_comparisons(dataset: DetectionDataset, detections: Sequence[Detections], folder: Path) -> list[Path]:
    """Draw each photo twice, as labeled and as detected, as JPEG files; gives their paths.

    Raises UsageError, before anything is drawn, if a picture would overwrite a photo.
    """
    photos = [dataset.path(photo) for photo in range(len(dataset))]
    pictures = [folder / f"{name}.jpg" for name in picture_names(photos)]
    check_not_overwriting(pictures, photos)
    for photo, detected in enumerate(detections):
        pair = draw_comparison(load_photo(photos[photo]), detections_from_labels(dataset, photo), detected)
        save_picture(pair, pictures[photo])
    return pictures


def detections_sheet(dataset: DetectionDataset, detections: Sequence[Detections], count: int) -> RGBImage:
    """One picture of the first `count` photos with their detections."""
    shown = range(min(count, len(dataset)))
    return contact_sheet(
        [draw_detections(load_photo(dataset.path(photo)), detections[photo]) for photo in shown]
    )
