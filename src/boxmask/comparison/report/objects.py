"""The labels and detections of a photo as they are drawn on it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from boxmask.comparison.report.matches import PhotoMatches, Verdict, match_photo
from boxmask.comparison.report.numbers import rounded
from boxmask.data.detection.dataset import DetectionDataset
from boxmask.masks import Masks
from boxmask.pages.svg_paths import box_path, mask_polygons, polygon_path
from boxmask.types import Detections

MIN_SCORE = 0.05
"""Detections with lower scores are not drawn."""

_MAX_POINTS = 40
_LARGE_SIDE = 1000
"""Coordinates in larger photos are written in whole pixels."""


@dataclass(frozen=True, slots=True)
class DrawnDetection:
    """A detection. is_kept: whether its score reaches the recommended minimum of its class"""

    label: int
    name: str
    score: str
    verdict: Verdict
    is_kept: bool
    path: str
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class DrawnLabel:
    """A labeled object.

    x, y:   the lower left corner, below which the name is written; names of detections are above them
    missed: numbers of the models that did not find it with a score that is high enough
    """

    label: int
    name: str
    path: str
    x: float
    y: float
    missed: tuple[int, ...]
    is_counted: bool


@dataclass(frozen=True, slots=True)
class Layer:
    """What one model found in a photo.

    right, wrong, missed: numbers of detections and objects, at the recommended minimum scores
    hidden:               number of detections that are not drawn
    """

    number: int
    detections: tuple[DrawnDetection, ...]
    right: int
    wrong: int
    missed: int
    hidden: int


class ObjectDrawer:
    """Draws the objects of photos.

    min_scores: of each model, the recommended minimum score by class
    max_drawn:  detections of one model that are drawn on one photo
    """

    def __init__(
        self,
        dataset: DetectionDataset,
        min_scores: Sequence[Mapping[str, float]],
        max_drawn: int,
        *,
        by_mask: bool,
    ) -> None:
        self._dataset, self._min_scores = dataset, min_scores
        self._max_drawn, self._by_mask = max_drawn, by_mask

    def draw(
        self, photo: int, results: Sequence[Detections]
    ) -> tuple[tuple[DrawnLabel, ...], tuple[Layer, ...]]:
        """The labels, and the detections of each model.

        results: of each model for this photo, with the class names of the data set
        """
        matches = [
            match_photo(self._dataset, photo, each, by_mask=self._by_mask and each.masks is not None)
            for each in results
        ]
        found = [self._found(photo, number, match.found_score) for number, match in enumerate(matches)]
        layers = tuple(
            self._layer(photo, number, each, match, found[number])
            for number, (each, match) in enumerate(zip(results, matches, strict=True))
        )
        return tuple(self._labels(photo, found)), layers

    def _found(self, photo: int, number: int, scores: Float[np.ndarray, " N"]) -> list[bool]:
        """Whether each object was found by a detection that is kept."""
        names = self._names(photo)
        return [
            score >= self._min_score(number, name) for score, name in zip(scores.tolist(), names, strict=True)
        ]

    def _names(self, photo: int) -> list[str]:
        labels = self._dataset.labels[self._dataset.rows(photo)]
        return [self._dataset.class_names[label] for label in labels.tolist()]

    def _min_score(self, number: int, name: str) -> float:
        return self._min_scores[number].get(name, 0.5)

    def _labels(self, photo: int, found: Sequence[Sequence[bool]]) -> Iterator[DrawnLabel]:
        rows = self._dataset.rows(photo)
        counted = self._dataset.counted[rows].tolist()
        paths = _paths(self._dataset.boxes[rows], self._dataset.masks(photo), self._size(photo))
        bottoms = self._dataset.boxes[rows][:, 3].tolist()
        for index, (name, (path, x, _)) in enumerate(zip(self._names(photo), paths, strict=True)):
            missed = tuple(number for number, each in enumerate(found) if counted[index] and not each[index])
            label = int(self._dataset.labels[rows][index])
            y = rounded(bottoms[index])
            yield DrawnLabel(label, name, path, x, y, missed, counted[index])

    def _layer(
        self, photo: int, number: int, detections: Detections, match: PhotoMatches, found: list[bool]
    ) -> Layer:
        kept = [
            float(score) >= self._min_score(number, name)
            for score, name in zip(detections.scores, detections.names, strict=True)
        ]
        order = sorted(range(len(kept)), key=lambda index: not kept[index])  # scores stay sorted
        visible = [index for index in order if detections.scores[index] >= MIN_SCORE or kept[index]]
        shown = visible[: self._max_drawn]
        selected = detections[np.array(shown, dtype=np.int64)]
        paths = _paths(selected.boxes, selected.masks, self._size(photo))
        drawn = tuple(
            DrawnDetection(
                int(selected.labels[row]),
                detections.class_names[selected.labels[row]],
                f"{selected.scores[row]:.2f}",
                match.verdicts[index],
                kept[index],
                *path,
            )
            for row, (index, path) in enumerate(zip(shown, paths, strict=True))
        )
        verdicts = [verdict for verdict, is_kept in zip(match.verdicts, kept, strict=True) if is_kept]
        counted = self._dataset.counted[self._dataset.rows(photo)].tolist()
        missed = sum(is_counted and not each for is_counted, each in zip(counted, found, strict=True))
        counts = verdicts.count("right"), verdicts.count("wrong"), missed
        return Layer(number, drawn, *counts, len(visible) - len(shown))

    def _size(self, photo: int) -> tuple[int, int]:
        height, width = self._dataset.sizes[photo].tolist()
        return height, width


def _paths(
    boxes: Float[np.ndarray, "N 4"], masks: Masks | None, size: tuple[int, int]
) -> Iterator[tuple[str, float, float]]:
    """The outline of each mask, or the box where there is none, and the box's upper left corner."""
    digits = 0 if max(size) > _LARGE_SIDE else 1
    known = np.zeros(len(boxes), dtype=np.bool_) if masks is None else masks.known
    for row, (x1, y1, x2, y2) in enumerate(np.round(boxes.astype(np.float64), digits).tolist()):
        path = ""
        if masks is not None and known[row]:
            polygons = mask_polygons(masks[row : row + 1])
            path = "".join(polygon_path(points, _MAX_POINTS) for points in polygons if len(points) > 2)
        yield path or box_path((x1, y1, x2 - x1, y2 - y1)), rounded(x1), rounded(y1)
