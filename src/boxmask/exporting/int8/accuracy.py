"""The accuracy of a file before and after quantization, on the same photos."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from jaxtyping import Float, Int

from boxmask.data.detection.dataset import DetectionDataset
from boxmask.evaluation.classification.evaluate import classify_all, keep_known_items
from boxmask.evaluation.contract import Interval
from boxmask.evaluation.detection.arrays import counted_objects
from boxmask.evaluation.detection.class_matches import class_matches, resampled_ap
from boxmask.evaluation.detection.classes import keep_known_classes, with_class_names
from boxmask.evaluation.detection.detect import detect_all
from boxmask.evaluation.segmentation.classes import evaluated_classes
from boxmask.evaluation.segmentation.metrics import confusion_matrix
from boxmask.exporting.int8.predictor import Predictor
from boxmask.progress import Progress

RESAMPLES = 500
CONFIDENCE = 0.95

Weights: TypeAlias = Int[np.ndarray, "B P"]
"""How often each photo occurs in each of B resamples."""

Scores: TypeAlias = dict[str, Float[np.ndarray, " B"]]
"""Metrics by name, one value per resample."""


@dataclass(frozen=True)
class Measure:
    """How files are measured on some photos.

    photos:  number of photos, or of objects cropped from them
    predict: runs a file on all of them
    score:   the metrics of what it found
    """

    photos: int
    predict: Callable[[Predictor, Progress | None], Any]
    score: Callable[[Any, Weights], Scores]

    def scores(self, results: Any) -> dict[str, float]:
        """The metrics on all photos."""
        ones = np.ones((1, self.photos), dtype=np.int64)
        return {name: float(values[0]) for name, values in self.score(results, ones).items()}

    def own_intervals(self, results: Any, seed: int = 0) -> dict[str, Interval | None]:
        """The interval of each metric, from a bootstrap over photos."""
        if self.photos < 2:
            return dict.fromkeys(self.scores(results))
        scores = self.score(results, self._resamples(seed))
        return {name: _interval(values) for name, values in scores.items()}

    def intervals(self, before: Any, after: Any, seed: int = 0) -> dict[str, Interval | None]:
        """The interval of each loss, from a bootstrap over photos that are the same for both."""
        if self.photos < 2:
            return dict.fromkeys(self.scores(before))
        weights = self._resamples(seed)
        first, second = self.score(before, weights), self.score(after, weights)
        return {name: _interval(first[name] - second[name]) for name in first}

    def _resamples(self, seed: int) -> Weights:
        uniform = np.full(self.photos, 1 / self.photos)
        return np.random.default_rng(seed).multinomial(self.photos, uniform, size=RESAMPLES)


def _interval(values: Float[np.ndarray, " B"]) -> Interval | None:
    finite = values[np.isfinite(values)]  # a resample may have no object
    if not len(finite):
        return None
    return Interval(*np.quantile(finite, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2]).tolist())


# ---------------------------------------------------------------------- tasks


def measure_detection(dataset: DetectionDataset, class_names: tuple[str, ...]) -> Measure:
    """AP of boxes, and of masks if both the file and the labels have them."""
    kept, _ = keep_known_classes(dataset, class_names)
    has_masks = bool(counted_objects(kept, "segm").any())

    def predict(predictor: Predictor, progress: Progress | None) -> Any:
        found = detect_all(predictor, kept, progress=progress)  # type: ignore[arg-type]
        return [with_class_names(in_photo, kept.class_names) for in_photo in found]

    def score(results: Any, weights: Weights) -> Scores:
        scores = {"AP": resampled_ap(class_matches(kept, results), weights).mean(axis=1)}
        if has_masks and all(in_photo.masks is not None for in_photo in results):
            scores["mask_AP"] = resampled_ap(class_matches(kept, results, "segm"), weights).mean(axis=1)
        return scores

    return Measure(len(kept), predict, score)


def measure_segmentation(dataset: Any, class_names: tuple[str, ...]) -> Measure:
    """MIoU."""
    classes = evaluated_classes(dataset, class_names)

    def predict(predictor: Predictor, progress: Progress | None) -> Any:
        counts = []
        for photo in range(len(dataset)):
            truth = classes.truth_table[dataset.target(photo).labels.numpy()]
            found = predictor.predict(dataset.path(photo))
            predicted = classes.convert_prediction(found.labels, found.class_names)
            counts.append(confusion_matrix(truth, predicted, len(classes.class_names)))
            if progress is not None:
                progress(photo + 1, len(dataset))
        return np.stack(counts)

    def score(counts: Any, weights: Weights) -> Scores:
        shared = weights @ np.diagonal(counts, axis1=1, axis2=2)
        areas = weights @ (counts.sum(axis=2) + counts[:, :, :-1].sum(axis=1))
        with np.errstate(invalid="ignore"):
            return {"mIoU": np.nanmean(shared / (areas - shared), axis=1)}

    return Measure(len(dataset), predict, score)


def measure_classification(dataset: Any, class_names: tuple[str, ...]) -> Measure:
    """Accuracy: the share of the items with the right class."""
    items, _ = keep_known_items(dataset, class_names)
    truth = [items.class_names[label] for label in items.labels]

    def predict(predictor: Predictor, progress: Progress | None) -> Any:
        found = classify_all(predictor, items, progress)  # type: ignore[arg-type]
        return np.array([result.name == name for result, name in zip(found, truth, strict=True)])

    def score(hits: Any, weights: Weights) -> Scores:
        return {"accuracy": weights @ hits / weights.sum(axis=1)}

    return Measure(len(items), predict, score)


MEASURES: dict[str, Callable[[Any, tuple[str, ...]], Measure]] = {
    "detection": measure_detection,
    "segmentation": measure_segmentation,
    "classification": measure_classification,
}
"""For each task, how files are measured on labeled photos."""
