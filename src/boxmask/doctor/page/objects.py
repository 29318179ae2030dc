"""All objects of a photo, as they are drawn on it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from boxmask.data.checks.examination import Examination
from boxmask.data.detection.photo_sizes import has_size
from boxmask.data.findings import Location
from boxmask.data.formats.rows_by_photo import RowsByPhoto
from boxmask.doctor.page.outlines import MAX_POINTS, OutlineFinder
from boxmask.pages.regions import Rectangle, rectangle
from boxmask.pages.svg_paths import box_path
from boxmask.visualization.style import class_colors

MAX_OBJECTS = 300
"""Objects that are drawn on one photo."""

_MAX_POINTS_PER_PHOTO = 4000
_MIN_POINTS = 8


@dataclass(frozen=True, slots=True)
class DrawnObject:
    """An object on its photo.

    label:  of its class
    path:   its outline, or its box if it has none, as an SVG path
    """

    label: int
    name: str
    color: str
    path: str
    box: Rectangle
    location: Location


@dataclass(frozen=True, slots=True)
class ClassInPhoto:
    """The number of objects of one class in a photo."""

    label: int
    name: str
    color: str
    count: int


class ObjectFinder:
    """Finds the objects of a photo."""

    def __init__(self, examination: Examination) -> None:
        self.labels = examination.labels
        self._examination = examination
        self._index_of = {photo.file: index for index, photo in enumerate(self.labels.photos)}
        self._rows = RowsByPhoto(self.labels)
        self.outlines = OutlineFinder(examination)
        self._colors = class_colors(self.labels.class_names)

    @property
    def colors(self) -> dict[str, str]:
        """The color of each class, by name."""
        return dict(zip(self.labels.class_names, self._colors, strict=True))

    def index_of(self, file: str) -> int | None:
        """The index of a photo; None if it has no labels."""
        return self._index_of.get(file)

    def classes(self, photo: int) -> tuple[ClassInPhoto, ...]:
        """The classes in a photo, in the order of the labels."""
        numbers = Counter(self.labels.labels[self._rows.of(photo)].tolist())
        names = self.labels.class_names
        return tuple(
            ClassInPhoto(label, names[label], self._colors[label], count)
            for label, count in sorted(numbers.items())
        )

    def count(self, photo: int) -> int:
        """The number of objects in a photo."""
        return len(self._rows.of(photo))

    def objects(self, photo: int, size: tuple[int, int]) -> tuple[DrawnObject, ...]:
        """The first `MAX_OBJECTS` objects of a photo of (width, height), with outlines if they have any."""
        if self._examination.in_fractions and not has_size(self._examination.sizes[photo : photo + 1])[0]:
            return self.boxes(photo, self.labels.boxes * np.tile(size, 2))
        rows = self._rows.of(photo)[:MAX_OBJECTS].tolist()
        max_points = min(MAX_POINTS, max(_MIN_POINTS, _MAX_POINTS_PER_PHOTO // max(1, len(rows))))
        return tuple(
            drawn
            for row in rows
            if (drawn := self._draw(row, self.labels.boxes[row], self.outlines.path_of_row(row, max_points)))
        )

    def boxes(self, photo: int, boxes: Float[np.ndarray, "N 4"]) -> tuple[DrawnObject, ...]:
        """The first `MAX_OBJECTS` objects of a photo with other boxes.

        boxes: of all objects of the data set
        """
        rows = self._rows.of(photo)[:MAX_OBJECTS].tolist()
        return tuple(drawn for row in rows if (drawn := self._draw(row, boxes[row], "")))

    def _draw(self, row: int, box: Float[np.ndarray, " 4"], outline: str) -> DrawnObject | None:
        """None for a box that cannot be drawn."""
        x1, y1, x2, y2 = box.tolist()
        drawn = rectangle((x1, y1, x2, y2))
        if drawn is None:
            return None
        x, y, width, height = (round(value, 1) for value in drawn)
        label = int(self.labels.labels[row])
        path = outline or box_path((x, y, width, height))
        name, color = self.labels.class_names[label], self._colors[label]
        return DrawnObject(label, name, color, path, (x, y, width, height), self.labels.location(row))
