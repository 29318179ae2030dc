"""A detector against labeled objects, in figures and in pictures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from boxmask.data.class_checks import OnUnseenClasses
from boxmask.data.detection.dataset import DetectionDataset
from boxmask.detectors.contract import Detector
from boxmask.evaluation.detection.detect import detect_all
from boxmask.evaluation.detection.evaluate import (
    DetectionEvaluation,
    check_known_classes,
    evaluate_detections,
)
from boxmask.photos.read import load_photo
from boxmask.results.paths import check_not_overwriting, picture_names
from boxmask.results.pictures import save_picture
from boxmask.types import Detections
from boxmask.visualization.contact_sheet import contact_sheet
from boxmask.visualization.detections import detections_from_labels, draw_comparison, draw_detections
from boxmask.visualization.style import RGBImage


def evaluate_with_detections(
    detector: Detector,
    dataset: DetectionDataset,
    on_unseen_classes: OnUnseenClasses = "error",
    progress: Callable[[int, int], None] | None = None,
) -> tuple[DetectionEvaluation, list[Detections]]:
    """The figures, with intervals, and what was found in each photo."""
    check_known_classes(detector, dataset, on_unseen_classes)
    detections = detect_all(detector, dataset, progress=progress)
    return evaluate_detections(dataset, detections, on_unseen_classes=on_unseen_classes), detections


def draw_evaluation(dataset: DetectionDataset, detections: Sequence[Detections], folder: Path) -> list[Path]:
    """Each photo twice, as labeled and as found, as JPEG; gives the pictures' paths.

    Raises UsageError, before anything is drawn, if a picture would replace a photo.
    """
    photos = [dataset.path(photo) for photo in range(len(dataset))]
    pictures = [folder / f"{name}.jpg" for name in picture_names(photos)]
    check_not_overwriting(pictures, photos)
    for photo, found in enumerate(detections):
        pair = draw_comparison(load_photo(photos[photo]), detections_from_labels(dataset, photo), found)
        save_picture(pair, pictures[photo])
    return pictures


def contact_sheet_of(dataset: DetectionDataset, detections: Sequence[Detections], count: int) -> RGBImage:
    """One picture of the first `count` photos with what was found in them."""
    pictures = [
        draw_detections(load_photo(dataset.path(photo)), detections[photo])
        for photo in range(len(dataset))[:count]
    ]
    return contact_sheet(pictures)
