"""Pictures of an evaluation: labels beside detections."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from torch import Tensor

from boxmask.data.detection.dataset import DetectionDataset
from boxmask.photos.read import load_photo
from boxmask.results.picture_folder import PictureFolder
from boxmask.types import Detections, Target
from boxmask.visualization.contact_sheet import contact_sheet
from boxmask.visualization.detections import detections_from_labels, draw_comparison, draw_detections
from boxmask.visualization.style import RGBImage, image_pixels

LEARNING_SCORE = 0.3  # scores rise late in a training
IGNORED_NAME = "not counted"  # of objects that are mostly hidden, difficult or a crowd


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


def draw_samples(samples: list[tuple[Tensor, Target]], class_names: Sequence[str]) -> RGBImage:
    """Draw the labels of each photo. Objects that do not count have a name and a color of their own."""
    names = (*class_names, IGNORED_NAME)
    pictures = []
    for image, target in samples:
        labels = target.labels.where(~target.ignore, len(class_names)).numpy()
        size = (int(image.shape[-2]), int(image.shape[-1]))
        scores = np.ones(len(labels), dtype=np.float32)
        objects = Detections(target.boxes.numpy(), scores, labels, names, size, target.masks)
        pictures.append(draw_detections(image_pixels(image), objects, show_scores=False))
    return contact_sheet(pictures)


def draw_results(images: Sequence[Tensor], results: Sequence[Detections]) -> RGBImage:
    """Draw what was found in each image, uint8 (3, H, W), with the scores of a model that still learns."""
    pairs = zip(images, results, strict=True)
    pictures = [
        draw_detections(image_pixels(image), found, min_score=LEARNING_SCORE) for image, found in pairs
    ]
    return contact_sheet(pictures)
