"""A classifier against labeled photos, in figures and in pictures of its mistakes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from boxmask.classifiers.contract import Classifier
from boxmask.data.class_checks import OnUnseenClasses
from boxmask.data.classification.dataset import ClassificationDataset
from boxmask.evaluation.classification.evaluate import (
    ClassificationEvaluation,
    classify_all,
    evaluate_classifications,
    known_items,
)
from boxmask.photos.rgb import to_uint8_array
from boxmask.results.pictures import save_picture
from boxmask.types import Classification
from boxmask.visualization.contact_sheet import contact_sheet

MOST_MISTAKES = 40  # on the sheet
SHEET = "mistakes.jpg"


def evaluate_and_draw_classifier(
    classifier: Classifier,
    dataset: ClassificationDataset,
    on_unseen_classes: OnUnseenClasses = "error",
    progress: Callable[[int, int], None] | None = None,
    pictures: Path | None = None,
) -> ClassificationEvaluation:
    """The figures, with an interval; a sheet of the surest mistakes goes into the folder `pictures`."""
    items, notes = known_items(dataset, classifier.config.class_names, on_unseen_classes)
    found = classify_all(classifier, items, progress)
    if pictures is not None:
        _draw_mistakes(items, found, pictures / SHEET)
    return evaluate_classifications(items, found, notes=notes)


def _draw_mistakes(items: ClassificationDataset, found: Sequence[Classification], file: Path) -> None:
    """One picture of what was taken for something else, the surest first; none where nothing was."""
    truth = [items.class_names[label] for label in items.labels]
    wrong = [item for item, one in enumerate(found) if one.name != truth[item]]
    worst = sorted(wrong, key=lambda item: -found[item].score)[:MOST_MISTAKES]
    if worst:
        captions = [f"{truth[item]}, found {found[item].name} {found[item].score:.2f}" for item in worst]
        shown = [to_uint8_array(items.photo(item)) for item in worst]
        save_picture(contact_sheet(shown, columns=8, captions=captions), file)
