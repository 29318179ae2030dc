"""How often a classifier is right: over all, class by class, and what it takes for what.

The interval of the accuracy is Wilson's (1927, "Probable inference, the law of succession, and statistical
inference"), which holds for few photos and near 100 %. Objects of one photo are alike: where a photo has
several, they count as as many independent ones as say the same (the design effect, as Dean and Pagano 2015
put it into Wilson's interval).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from boxmask.classifiers.contract import Classifier
from boxmask.data.class_checks import OnUnseenClasses, check_model_classes
from boxmask.data.classification.dataset import ClassificationDataset
from boxmask.errors import LabelError
from boxmask.types import Classification

CONFIDENCE, QUANTILE = 0.95, 1.959964  # the middle 95 % of a normal distribution


@dataclass(frozen=True)
class ClassMetrics:
    """Of one class, fractions; None where there is nothing to measure.

    accuracy:  the part of its items that were taken for it; the mean of it is `mean_accuracy`
    precision: the part of the items taken for it that are of it
    recall:    the accuracy, by its usual name beside the precision
    images:    how many items there are of it
    """

    accuracy: float | None
    precision: float | None
    recall: float | None
    images: int


@dataclass(frozen=True)
class ClassificationEvaluation:
    """The figures of one classifier on one set of items.

    class_names: the data set's, then those that only the classifier knows
    confusion:   (K, K) how many items of the class of the row were taken for the class of the column
    interval:    of the accuracy, (low, high) at `CONFIDENCE`; None where it was not asked for
    photos:      how many photos the items are parts of
    notes:       what was left out, in sentences
    """

    class_names: tuple[str, ...]
    confusion: NDArray[np.int64]
    interval: tuple[float, float] | None
    photos: int
    notes: tuple[str, ...] = ()

    @property
    def images(self) -> int:
        """How many items were judged."""
        return int(self.confusion.sum())

    @property
    def accuracy(self) -> float:
        """The part of all items that were taken for what they are."""
        return int(self.confusion.trace()) / self.images

    @property
    def mean_accuracy(self) -> float:
        """The mean of the classes' accuracies, over the classes that there are items of."""
        known = [one.accuracy for one in self.per_class.values() if one.accuracy is not None]
        return sum(known) / len(known)

    @property
    def per_class(self) -> dict[str, ClassMetrics]:
        """The figures of each class, by name."""
        right, there, taken = (
            self.confusion.diagonal(),
            self.confusion.sum(axis=1),
            self.confusion.sum(axis=0),
        )
        figures = {}
        for name, hits, items, chosen in zip(self.class_names, right, there, taken, strict=True):
            recall = _part(hits, items)
            figures[name] = ClassMetrics(recall, _part(hits, chosen), recall, int(items))
        return figures

    def mistakes(self) -> list[tuple[str, str, int]]:
        """What was taken for what, and how often, the most frequent first: (is, taken for, count)."""
        names = self.class_names
        found = [
            (names[i], names[j], int(self.confusion[i, j])) for i, j in np.argwhere(self.confusion) if i != j
        ]
        return sorted(found, key=lambda one: -one[2])

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and lists for a program to read: fractions, None where nothing can be measured."""
        return {
            "accuracy": self.accuracy,
            "accuracy_interval": self.interval and list(self.interval),
            "interval_confidence": self.interval and CONFIDENCE,
            "mean_accuracy": self.mean_accuracy,
            "per_class": {
                name: {
                    "accuracy": one.accuracy,
                    "precision": one.precision,
                    "recall": one.recall,
                    "images": one.images,
                }
                for name, one in self.per_class.items()
            },
            "confusion": {"class_names": list(self.class_names), "counts": self.confusion.tolist()},
            "images": self.images,
            "photos": self.photos,
            "notes": list(self.notes),
        }


def evaluate_classifier(
    classifier: Classifier,
    dataset: ClassificationDataset,
    *,
    interval: bool = True,
    on_unseen_classes: OnUnseenClasses = "error",
    progress: Callable[[int, int], None] | None = None,
) -> ClassificationEvaluation:
    """Let the classifier judge every item, one at a time; classes are matched by name.

    `progress(done, items)` is called after each. Raises LabelError without items, and, before any photo is
    opened, where there are items of a class that the classifier does not know (`on_unseen_classes="skip"`
    leaves them out of the figures); PhotoError where a photo cannot be opened.
    """
    judged, notes = known_items(dataset, classifier.config.class_names, on_unseen_classes)
    found = classify_all(classifier, judged, progress)
    return evaluate_classifications(judged, found, interval=interval, notes=notes)


def classify_all(
    classifier: Classifier, items: ClassificationDataset, progress: Callable[[int, int], None] | None = None
) -> list[Classification]:
    """What the classifier says of each item. Raises PhotoError where a photo cannot be opened."""
    found = []
    for item in range(len(items)):
        found.append(classifier.predict(items.photo(item)))
        if progress is not None:
            progress(item + 1, len(items))
    return found


def evaluate_classifications(
    dataset: ClassificationDataset,
    found: Sequence[Classification],
    *,
    interval: bool = True,
    notes: tuple[str, ...] = (),
) -> ClassificationEvaluation:
    """Judge answers that are there already; `found[i]` is that of item i.

    Raises LabelError without items, and ValueError where the numbers differ.
    """
    if not len(dataset):
        raise LabelError(_nothing(dataset))
    names = tuple(dict.fromkeys([*dataset.class_names, *(n for one in found for n in one.class_names)]))
    place = {name: number for number, name in enumerate(names)}
    taken = np.array([place[one.name] for one in found], dtype=np.int64)
    if len(taken) != len(dataset):
        raise ValueError(f"classifications: expected {len(dataset)}, found {len(taken)}")
    confusion = np.zeros((len(names), len(names)), dtype=np.int64)
    np.add.at(confusion, (dataset.labels, taken), 1)
    span = wilson_interval(dataset.labels == taken, dataset.photo_of) if interval else None
    return ClassificationEvaluation(names, confusion, span, len(np.unique(dataset.photo_of)), notes)


def known_items(
    dataset: ClassificationDataset, known: Sequence[str], on_unseen_classes: OnUnseenClasses = "error"
) -> tuple[ClassificationDataset, tuple[str, ...]]:
    """The items of classes that a classifier knows, and what to note of the others.

    Raises LabelError for others, unless they are to be skipped, and where nothing is left.
    """
    unseen, notes = check_model_classes(dataset, known, on_unseen_classes)
    is_known = np.array([name not in unseen for name in dataset.class_names], dtype=np.bool_)
    kept = dataset.subset(np.flatnonzero(is_known[dataset.labels]))
    if not len(kept):
        raise LabelError(_nothing(dataset))
    return kept, notes


def wilson_interval(right: NDArray[np.bool_], photo_of: NDArray[np.int64]) -> tuple[float, float]:
    """(low, high) of the part that is right, (N,) in photos numbered by (N,).

    With p = the part, z = QUANTILE and n independent items,
    (p + z² / 2n ± z √(p (1 − p) / n + z² / 4n²)) / (1 + z² / n).
    """
    part, count, z = float(right.mean()), _independent(right, photo_of), QUANTILE
    center = part + z * z / (2 * count)
    reach = z * math.sqrt(part * (1 - part) / count + (z / (2 * count)) ** 2)
    low, high = (center - reach) / (1 + z * z / count), (center + reach) / (1 + z * z / count)
    return max(0.0, min(low, part)), min(1.0, max(high, part))  # beyond only by rounding


def _independent(right: NDArray[np.bool_], photo_of: NDArray[np.int64]) -> float:
    """How many items, drawn one by one, would tell as much as these, which come by the photo.

    Their number divided by the design effect, which is the variance of the part by photos over that by items,
    and 1 where each photo is an item. Where all or none are right, nothing can be told of it, and each photo
    counts once.
    """
    _, number, items = np.unique(photo_of, return_inverse=True, return_counts=True)
    part, photos = float(right.mean()), len(items)
    if photos in (1, len(right)) or part in (0.0, 1.0):
        return photos
    excess = np.bincount(number, weights=right.astype(np.float64)) - part * items
    by_photos = photos / (photos - 1) * float((excess**2).sum()) / len(right) ** 2
    return min(float(len(right)), part * (1 - part) / by_photos) if by_photos else float(len(right))


def _part(count: int, of: int) -> float | None:
    return int(count) / int(of) if of else None


def _nothing(dataset: ClassificationDataset) -> str:
    return (
        f"There are no photos to evaluate on in {dataset.root}. "
        "Choose a split that has photos, or give a folder of labeled photos."
    )
