"""Pictures of an evaluation: labels beside detections."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from boxmask.data.detection.dataset import DetectionDataset
from boxmask.photos.read import load_photo
from boxmask.results.picture_folder import PictureFolder
from boxmask.types import Detections
from boxmask.visualization.detections import detections_from_labels, draw_comparison


def comparison_folder(dataset: DetectionDataset, folder: Path) -> PictureFolder:
    """The folder for the picture of each photo. Raises UsageError as `PictureFolder` does."""
    return PictureFolder.for_photos(folder, [dataset.path(photo) for photo in range(len(dataset))])


def draw_comparisons(
    dataset: DetectionDataset, detections: Sequence[Detections], folder: PictureFolder
) -> None:
    """Draw each photo twice, as labeled and as detected, into the folder."""
    for photo, detected in enumerate(detections):
        labels = detections_from_labels(dataset, photo)
        folder.save(photo, draw_comparison(load_photo(dataset.path(photo)), labels, detected))
