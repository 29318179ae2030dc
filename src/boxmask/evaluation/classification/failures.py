"""What failed in the classifications of many items."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int, Shaped
from rich.console import Group

from boxmask.data.classification.dataset import ClassificationDataset
from boxmask.evaluation.classification.evaluate import keep_known_items
from boxmask.evaluation.failures.calibration import Calibration, calibrate
from boxmask.evaluation.failures.cases import Case
from boxmask.evaluation.failures.confusion import ConfusionMatrix
from boxmask.evaluation.failures.contract import MAX_PHOTOS, PhotoFailures
from boxmask.evaluation.suspicions.thresholds import ClassMeans
from boxmask.names import class_name
from boxmask.types import Classification

MAX_CASES = 100
"""Cases that are kept of one cell."""


@dataclass(frozen=True, eq=False)
class ClassificationFailures:
    """What failed in the classifications of many items; a `FailureAnalysis`. Photos are items.

    files:       of the photo of each item
    confusion:   labeled classes against predicted ones; those that only the classifier knows are the last
    calibration: of the scores of the predicted classes
    photos:      every item of a class that the classifier knows, those with suspect labels first
    """

    files: Shaped[np.ndarray, " N"]
    confusion: ConfusionMatrix
    calibration: Calibration | None
    photos: tuple[PhotoFailures, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, texts and lists; long lists are cut."""
        return {
            "confusion": self.confusion.to_dict(self.files),
            "calibration": None if self.calibration is None else self.calibration.to_dict(),
            "photos": [photo.to_dict() for photo in self.photos[:MAX_PHOTOS]],
        }

    def tables(self) -> Group:
        """The most frequent confusions, and the photos to look at first."""
        from boxmask.evaluation.failures.table import confusion_table, photo_table

        return Group(confusion_table(self.confusion), photo_table(self))


@dataclass(frozen=True, eq=False)
class _Predictions:
    """What N items are labeled and predicted as. `labeled_scores` are those of the labeled classes."""

    names: tuple[str, ...]
    items: Int[np.ndarray, " N"]
    labeled: Int[np.ndarray, " N"]
    predicted: Int[np.ndarray, " N"]
    scores: Float[np.ndarray, " N"]
    labeled_scores: Float[np.ndarray, " N"]


def analyze_classifications(
    dataset: ClassificationDataset, classifications: Sequence[Classification]
) -> ClassificationFailures:
    """What failed in the classifications. `classifications[i]` belongs to item i of `dataset`.

    Classes are matched by name, and items of classes that the classifier does not know are left out. Raises
    LabelError if no item is left.
    """
    known = list(dict.fromkeys(name for each in classifications for name in each.class_names))
    keep_known_items(dataset, known, "skip")  # raises LabelError
    predictions = _predictions(dataset, classifications)
    correct = predictions.labeled == predictions.predicted
    whole = len(np.unique(dataset.photo_of)) == len(dataset)
    return ClassificationFailures(
        dataset.files,
        _confusion(predictions, "photos" if whole else "objects"),
        calibrate(predictions.scores, correct),
        _rank_items(predictions, dataset.files),
    )


def _predictions(dataset: ClassificationDataset, classifications: Sequence[Classification]) -> _Predictions:
    labels = [class_name(name) for name in dataset.class_names]
    names = tuple(
        dict.fromkeys([*labels, *(class_name(name) for each in classifications for name in each.class_names)])
    )
    label_of = {name: label for label, name in enumerate(names)}
    rows = []
    for item, (label, each) in enumerate(zip(dataset.labels.tolist(), classifications, strict=True)):
        known = [class_name(name) for name in each.class_names]
        if labels[label] in known:
            labeled_score = float(each.scores[known.index(labels[label])])
            rows.append((item, label, label_of[class_name(each.name)], each.score, labeled_score))
    numbers = np.array(rows, dtype=np.float64)
    items, labeled, predicted = numbers[:, :3].astype(np.int64).T
    return _Predictions(names, items, labeled, predicted, numbers[:, 3], numbers[:, 4])


def _confusion(predictions: _Predictions, unit: str) -> ConfusionMatrix:
    names = predictions.names
    counts = np.zeros((len(names), len(names)), dtype=np.int64)
    np.add.at(counts, (predictions.labeled, predictions.predicted), 1)
    cases: dict[tuple[int, int], list[Case]] = defaultdict(list)
    for row in np.argsort(-predictions.scores, kind="stable").tolist():
        labeled, predicted = int(predictions.labeled[row]), int(predictions.predicted[row])
        if len(cases[labeled, predicted]) < MAX_CASES:
            score = float(predictions.scores[row])
            case = Case(int(predictions.items[row]), names[labeled], names[predicted], score)
            cases[labeled, predicted].append(case)
    return ConfusionMatrix(names, counts, unit, dict(cases))


def _rank_items(predictions: _Predictions, files: Shaped[np.ndarray, " N"]) -> tuple[PhotoFailures, ...]:
    """A label is suspect if the score of another class reaches its mean over the items labeled with it."""
    means = ClassMeans(len(predictions.names))
    for label, score in zip(predictions.labeled.tolist(), predictions.labeled_scores.tolist(), strict=True):
        means.add(label, score)
    margins = predictions.scores - predictions.labeled_scores
    is_wrong = predictions.labeled != predictions.predicted
    is_suspect = is_wrong & (predictions.scores >= means.values()[predictions.predicted])
    photos = [
        PhotoFailures(
            item,
            str(files[item]),
            float(margins[row]),
            float(margins[row]) if is_suspect[row] else 0.0,
            _describe(predictions, row),
        )
        for row, item in enumerate(predictions.items.tolist())
    ]
    return tuple(sorted(photos, key=lambda photo: (-photo.suspicion, -photo.disagreement)))


def _describe(predictions: _Predictions, row: int) -> str:
    labeled, predicted = predictions.labeled[row], predictions.predicted[row]
    names, score = predictions.names, f"{predictions.scores[row]:.2f}"
    if labeled == predicted:
        return f"labeled and predicted as {names[labeled]}: score {score}"
    against = f"{predictions.labeled_scores[row]:.2f}"
    return f"labeled as {names[labeled]}, predicted as {names[predicted]}: score {score} against {against}"
