"""What failed in the label maps of many photos."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped
from rich.console import Group

from boxmask.data.segmentation.dataset import SegmentationDataset
from boxmask.evaluation.checks import check_has_photos
from boxmask.evaluation.failures.cases import Case
from boxmask.evaluation.failures.confusion import ConfusionMatrix
from boxmask.evaluation.failures.contract import MAX_PHOTOS, PhotoFailures
from boxmask.evaluation.segmentation.classes import evaluated_classes, evaluated_labels
from boxmask.evaluation.segmentation.metrics import confusion_matrix
from boxmask.evaluation.segmentation.wrong_regions import wrong_regions
from boxmask.types import IGNORED, SegmentationMap

OTHER_CLASSES = "other classes"
MAX_CASES = 100
"""Photos that are kept of one cell."""

MAX_REGIONS = 200
MAX_WRITTEN = 20
"""Regions that are kept, and those that `to_dict` holds."""


@dataclass(frozen=True, eq=False)
class SegmentationFailures:
    """What failed in the label maps of many photos; a `FailureAnalysis`.

    files:     of the photos
    confusion: pixels; the cases of a cell are photos, those with the most such pixels first
    regions:   where labels and model disagree, the largest first; the classes are those of most of its pixels
    photos:    every photo, the share of wrong pixels decides
    """

    files: Shaped[np.ndarray, " P"]
    confusion: ConfusionMatrix
    regions: tuple[Case, ...]
    photos: tuple[PhotoFailures, ...]

    @property
    def calibration(self) -> None:
        """Label maps have no scores."""
        return None

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, texts and lists; long lists are cut."""
        return {
            "confusion": self.confusion.to_dict(self.files),
            "calibration": None,
            "regions": [region.to_dict(self.files) for region in self.regions[:MAX_WRITTEN]],
            "photos": [photo.to_dict() for photo in self.photos[:MAX_PHOTOS]],
        }

    def tables(self) -> Group:
        """The most frequent confusions, and the photos to look at first."""
        from boxmask.evaluation.failures.table import confusion_table, photo_table

        return Group(confusion_table(self.confusion), photo_table(self))


def analyze_label_maps(
    dataset: SegmentationDataset, label_maps: Iterable[SegmentationMap], known: Sequence[str]
) -> SegmentationFailures:
    """What failed in the label maps, in the order of the data set.

    label_maps: read one by one, so that they need not all fit into memory
    known:      the classes of the segmenter that made them

    Classes that the segmenter does not know are left out. Raises LabelError without photos, and ValueError if
    there is not one map per photo, or if a map has another size than its photo.
    """
    check_has_photos(dataset)
    classes = evaluated_classes(dataset, known, "skip")
    names = (*classes.class_names, OTHER_CLASSES)
    counts, regions = [], []
    for photo, label_map in zip(range(len(dataset)), label_maps, strict=True):
        truth, predicted = evaluated_labels(dataset, photo, label_map, classes)
        counts.append(confusion_matrix(truth, predicted, len(classes.class_names)))
        regions += wrong_regions(photo, truth, predicted, names)
        regions = sorted(regions, key=lambda region: -(region.pixels or 0))[:MAX_REGIONS]
    per_photo = np.stack(counts)  # (P, K, K + 1)
    return SegmentationFailures(
        dataset.files, _confusion(per_photo, names), tuple(regions), _rank_photos(per_photo, names, dataset)
    )


def wrong_pixels(
    dataset: SegmentationDataset, photo: int, label_map: SegmentationMap
) -> Bool[np.ndarray, "H W"]:
    """The labeled pixels of a photo for which a label map has another class."""
    classes = evaluated_classes(dataset, label_map.class_names, "skip")
    truth, predicted = evaluated_labels(dataset, photo, label_map, classes)
    return np.asarray((truth != predicted) & (truth != IGNORED))


def _confusion(per_photo: Int[np.ndarray, "P K K1"], names: Sequence[str]) -> ConfusionMatrix:
    """The counts over all photos, without the column of other classes if it is empty."""
    total = per_photo.sum(axis=0)
    columns = total.shape[1] if total[:, -1].any() else total.shape[1] - 1
    cases = {}
    for row, column in np.argwhere(total[:, :columns]).tolist():
        pixels = per_photo[:, row, column]
        most = np.argsort(-pixels, kind="stable")[:MAX_CASES]
        cases[row, column] = [
            Case(photo, names[row], names[column], pixels=int(pixels[photo]))
            for photo in most[pixels[most] > 0].tolist()
        ]
    return ConfusionMatrix(tuple(names[:-1]), total[:, :columns], "pixels", cases, OTHER_CLASSES)


def _rank_photos(
    per_photo: Int[np.ndarray, "P K K1"], names: Sequence[str], dataset: SegmentationDataset
) -> tuple[PhotoFailures, ...]:
    labeled = per_photo.sum(axis=(1, 2))
    wrong = per_photo.copy()
    diagonal = np.arange(per_photo.shape[1])
    wrong[:, diagonal, diagonal] = 0
    shares = wrong.sum(axis=(1, 2)) / np.maximum(labeled, 1)
    photos = [
        PhotoFailures(
            photo,
            str(dataset.files[photo]),
            share,
            0.0,
            _describe(wrong[photo] / max(1, labeled[photo]), names),
        )
        for photo, share in enumerate(shares.tolist())
    ]
    return tuple(sorted(photos, key=lambda photo: -photo.disagreement))


def _describe(shares: Float[np.ndarray, "K K1"], names: Sequence[str]) -> str:
    """For example "12.3 % of the pixels are wrong, above all road predicted as building (8.1 %)"."""
    if not shares.any():
        return "labels and predictions agree"
    row, column = np.unravel_index(int(shares.argmax()), shares.shape)
    most = f"{names[int(row)]} predicted as {names[int(column)]} ({100 * shares[row, column]:.1f} %)"
    return f"{100 * shares.sum():.1f} % of the pixels are wrong, above all {most}"
