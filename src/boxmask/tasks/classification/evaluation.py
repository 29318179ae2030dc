"""Evaluating a classifier, and a picture of its mistakes."""

from __future__ import annotations

from collections.abc import Sequence

from boxmask.classifiers.contract import Classifier
from boxmask.data.class_checks import OnUnseenClasses
from boxmask.data.classification.dataset import ClassificationDataset
from boxmask.evaluation.classification.evaluate import (
    ClassificationEvaluation,
    classify_all,
    evaluate_classifications,
    keep_known_items,
)
from boxmask.photos.rgb_tensors import to_uint8_array
from boxmask.progress import Progress
from boxmask.results.picture_folder import PictureFolder
from boxmask.types import Classification
from boxmask.visualization.contact_sheet import contact_sheet

MAX_MISTAKES = 40  # in the picture
MISTAKES_FILE = "mistakes.jpg"


def evaluate_and_draw(
    classifier: Classifier,
    dataset: ClassificationDataset,
    on_unseen_classes: OnUnseenClasses = "error",
    progress: Progress | None = None,
    pictures: PictureFolder | None = None,
) -> tuple[ClassificationEvaluation, ClassificationDataset, Sequence[Classification]]:
    """The metrics with an interval, the items that were evaluated, and their classifications.

    The mistakes, if any, are drawn into the one file of `pictures`.
    """
    items, notes = keep_known_items(dataset, classifier.config.class_names, on_unseen_classes)
    classifications = classify_all(classifier, items, progress)
    if pictures is not None:
        _draw_mistakes(items, classifications, pictures)
    return evaluate_classifications(items, classifications, notes=notes), items, classifications


def _draw_mistakes(
    items: ClassificationDataset, classifications: Sequence[Classification], pictures: PictureFolder
) -> None:
    """One picture of the wrong items, highest score first; no picture if there are none."""
    if pictures.folder.exists():
        pictures.begin()  # removes the mistakes of an earlier evaluation
    truth = [items.class_names[label] for label in items.labels]
    wrong = [item for item, result in enumerate(classifications) if result.name != truth[item]]
    worst = sorted(wrong, key=lambda item: -classifications[item].score)[:MAX_MISTAKES]
    if worst:
        captions = [
            f"{truth[item]}, classified as {classifications[item].name} {classifications[item].score:.2f}"
            for item in worst
        ]
        shown = [to_uint8_array(items.photo(item)) for item in worst]
        pictures.save(0, contact_sheet(shown, columns=8, captions=captions))
