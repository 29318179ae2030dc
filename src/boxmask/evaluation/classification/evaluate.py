"""Evaluate a classifier on labeled photos: accuracy, metrics per class, and the confusion matrix.

An item is a whole photo, or an object cropped from a photo.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from jaxtyping import Int

from boxmask.classifiers.contract import Classifier
from boxmask.data.class_checks import OnUnseenClasses, check_model_classes
from boxmask.data.classification.dataset import ClassificationDataset
from boxmask.evaluation.checks import check_has_photos
from boxmask.evaluation.classification.wilson import CONFIDENCE, wilson_interval
from boxmask.evaluation.contract import (
    Interval,
    evaluation_to_json,
    find_interval,
    find_metric,
    intervals_to_dict,
    summarize,
)
from boxmask.evaluation.intervals.groups import item_groups
from boxmask.evaluation.seen_photos import SeenPhotos, find_seen, seen_to_dict
from boxmask.messages import format_count
from boxmask.names import class_name
from boxmask.progress import Progress
from boxmask.types import Classification


@dataclass(frozen=True)
class ClassMetrics:
    """Metrics of one class: fractions, or None if there is nothing to measure.

    precision: share of the items predicted as this class that belong to it
    recall:    share of the items of this class that are predicted as it
    images:    number of items of this class
    """

    precision: float | None
    recall: float | None
    images: int


@dataclass(frozen=True, repr=False, eq=False)
class ClassificationEvaluation:
    """How well a classifier does on labeled items; an `Evaluation`.

    accuracy has a confidence interval.

    class_names:       those of the data set, then those that only the classifier knows
    confusion:         (K, K) number of items by true class (row) and predicted class (column)
    accuracy_interval: at `CONFIDENCE`; None if not requested
    photos:            number of photos that the items come from
    notes:             what was left out, in sentences
    seen:              the photos that the classifier has seen in training; None if that is not known
    """

    class_names: tuple[str, ...]
    confusion: Int[np.ndarray, "K K"]
    accuracy_interval: Interval | None
    photos: int
    notes: tuple[str, ...] = ()
    seen: SeenPhotos | None = None

    @property
    def images(self) -> int:
        """Number of evaluated items."""
        return int(self.confusion.sum())

    @property
    def accuracy(self) -> float:
        """Share of all items whose class is predicted correctly."""
        return int(self.confusion.trace()) / self.images

    @property
    def mean_accuracy(self) -> float:
        """The mean of the recalls of all classes with items (balanced accuracy)."""
        recalls = [metrics.recall for metrics in self.per_class.values() if metrics.recall is not None]
        return sum(recalls) / len(recalls)

    @property
    def per_class(self) -> dict[str, ClassMetrics]:
        """The metrics of each class, by name."""
        correct, labeled = self.confusion.diagonal(), self.confusion.sum(axis=1)
        predicted = self.confusion.sum(axis=0)
        return {
            name: ClassMetrics(_ratio(hits, predictions), _ratio(hits, items), int(items))
            for name, hits, items, predictions in zip(
                self.class_names, correct, labeled, predicted, strict=True
            )
        }

    def mistakes(self) -> list[tuple[str, str, int]]:
        """(true class, predicted class, count) of every mistake, the most frequent first."""
        names = self.class_names
        counts = [
            (names[i], names[j], int(self.confusion[i, j])) for i, j in np.argwhere(self.confusion) if i != j
        ]
        return sorted(counts, key=lambda mistake: -mistake[2])

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ClassificationEvaluation):
            return NotImplemented
        return self.to_dict() == other.to_dict()

    def __getitem__(self, name: str) -> float | None:
        return find_metric(self._metrics(), name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._metrics())

    def __repr__(self) -> str:
        return summarize(self, ["accuracy", "mean_accuracy"], count_text(self))

    def keys(self) -> list[str]:
        """The names of the metrics."""
        return list(self._metrics())

    def interval(self, name: str) -> Interval | None:
        """The confidence interval of a metric, or None. Raises KeyError for an unknown metric."""
        return find_interval(self._metrics(), self._intervals(), name)

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and lists: fractions, or None if there is nothing to measure."""
        return {
            **self._metrics(),
            **intervals_to_dict(self._intervals()),
            "interval_confidence": None if self.accuracy_interval is None else CONFIDENCE,
            "per_class": {name: asdict(metrics) for name, metrics in self.per_class.items()},
            "confusion": {"class_names": list(self.class_names), "counts": self.confusion.tolist()},
            "images": self.images,
            "photos": self.photos,
            **seen_to_dict(self.seen),
            "notes": list(self.notes),
        }

    def to_json(self) -> str:
        """`to_dict()` as JSON text."""
        return evaluation_to_json(self)

    def _metrics(self) -> dict[str, float | None]:
        return {"accuracy": self.accuracy, "mean_accuracy": self.mean_accuracy}

    def _intervals(self) -> dict[str, Interval | None]:
        return {"accuracy": self.accuracy_interval}


def count_text(evaluation: ClassificationEvaluation) -> str:
    """The number of items in words: "72 photos", or "120 objects in 72 photos"."""
    if evaluation.images == evaluation.photos:
        return format_count(evaluation.images, "photo")
    return f"{format_count(evaluation.images, 'object')} in {format_count(evaluation.photos, 'photo')}"


def evaluate_classifier(
    classifier: Classifier,
    dataset: ClassificationDataset,
    *,
    interval: bool = True,
    on_unseen_classes: OnUnseenClasses = "error",
    progress: Progress | None = None,
) -> ClassificationEvaluation:
    """Classify every item and evaluate the predictions. Classes are matched by name.

    interval: whether to compute a confidence interval
    progress: `progress(done, total)` is called after each item

    Raises LabelError without items and, before any photo is opened, for classes that the classifier does not
    know; `on_unseen_classes="skip"` leaves such items out. Raises PhotoError if a photo cannot be opened.
    """
    items, notes = keep_known_items(dataset, classifier.config.class_names, on_unseen_classes)
    classifications = classify_all(classifier, items, progress)
    return evaluate_classifications(items, classifications, interval=interval, notes=notes)


def keep_known_items(
    dataset: ClassificationDataset, known: Sequence[str], on_unseen_classes: OnUnseenClasses = "error"
) -> tuple[ClassificationDataset, tuple[str, ...]]:
    """The items whose class is in `known`, the classes of a classifier, and notes on the others.

    Raises LabelError for classes that the classifier does not know, unless they are skipped, and if no item
    is left.
    """
    unseen, notes = check_model_classes(dataset, known, on_unseen_classes)
    is_known = np.array([name not in unseen for name in dataset.class_names], dtype=np.bool_)
    items = dataset.subset(np.flatnonzero(is_known[dataset.labels]))
    check_has_photos(items)
    return items, notes


def classify_all(
    classifier: Classifier, items: ClassificationDataset, progress: Progress | None = None
) -> list[Classification]:
    """The classification of each item. Raises PhotoError if a photo cannot be opened."""
    classifications = []
    for item in range(len(items)):
        classifications.append(classifier.predict(items.photo(item)))
        if progress is not None:
            progress(item + 1, len(items))
    return classifications


def evaluate_classifications(
    dataset: ClassificationDataset,
    classifications: Sequence[Classification],
    *,
    interval: bool = True,
    notes: tuple[str, ...] = (),
) -> ClassificationEvaluation:
    """Evaluate given classifications. `classifications[i]` belongs to item i of `dataset`.

    Raises LabelError without items, and ValueError if there is not one classification per item.
    """
    check_has_photos(dataset)
    if len(classifications) != len(dataset):
        raise ValueError(f"classifications: expected {len(dataset)}, found {len(classifications)}")
    predicted_names = [name for one in classifications for name in one.class_names]
    names = tuple(dict.fromkeys(class_name(name) for name in [*dataset.class_names, *predicted_names]))
    index = {name: label for label, name in enumerate(names)}
    predicted = np.array([index[class_name(one.name)] for one in classifications], dtype=np.int64)
    confusion = np.zeros((len(names), len(names)), dtype=np.int64)
    np.add.at(confusion, (dataset.labels, predicted), 1)
    correct = dataset.labels == predicted
    accuracy_interval = wilson_interval(correct, item_groups(dataset)) if interval else None
    num_photos = len(np.unique(dataset.photo_of))
    seen = find_seen(dataset)
    return ClassificationEvaluation(names, confusion, accuracy_interval, num_photos, notes, seen)


def _ratio(part: int, total: int) -> float | None:
    return int(part) / int(total) if total else None
