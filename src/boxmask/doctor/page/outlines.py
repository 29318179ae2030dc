"""The outlines of objects as SVG paths."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from boxmask.data.checks.examination import Examination
from boxmask.data.findings import Finding
from boxmask.data.formats.rows_by_photo import RowsByPhoto
from boxmask.data.outlines import Outline, RunLengths
from boxmask.masks import Size
from boxmask.pages.svg_paths import mask_polygons, polygon_path

MAX_POINTS = 400
"""Longer outlines are drawn with every second, third, ... point."""

_LARGE_SIDE = 1000
"""Coordinates of outlines in larger photos are written in whole pixels."""


class OutlineFinder:
    """Finds the outlines of objects.

    examination: None if there are no labels, and so no outlines
    """

    def __init__(self, examination: Examination | None) -> None:
        self._examination = examination
        if examination is not None:
            labels = examination.labels
            self._index_of = {photo.file: index for index, photo in enumerate(labels.photos)}
            self._rows = RowsByPhoto(labels)

    def path_of(self, finding: Finding) -> str:
        """The outline in pixels of the photo; "" if the finding is about no object with an outline."""
        row = self._row_of(finding)
        return "" if row is None else self.path_of_row(row)

    def path_of_row(self, row: int, max_points: int = MAX_POINTS) -> str:
        """The outline of the object in a row, in pixels of the photo; "" if it has none.

        max_points: of each part and hole, about
        """
        examination = self._examination
        assert examination is not None
        labels = examination.labels
        height, width = examination.sizes[labels.photo_of[row]].tolist()
        if labels.photos[labels.photo_of[row]].declared_size not in (None, (height, width)):
            return ""  # the outline may be written for another size
        try:
            outline = None if labels.outline is None else labels.outline(row)
        except ValueError:  # reported with the outlines
            return ""
        if outline is None or isinstance(outline, RunLengths):
            polygons = self._mask_polygons(row, (height, width))
            return "".join(polygon_path(points, max_points) for points in polygons)
        return outline_path(outline, max_points, digits=0 if max(height, width) > _LARGE_SIDE else 1)

    def _row_of(self, finding: Finding) -> int | None:
        if self._examination is None or finding.photo not in self._index_of:
            return None
        index, location = self._index_of[finding.photo], self._examination.labels.location
        return next((row for row in self._rows.of(index).tolist() if location(row) == finding.location), None)

    def _mask_polygons(self, row: int, size: Size) -> list[NDArray[np.int32]]:
        """The polygons around the parts of a mask, found in its window."""
        assert self._examination is not None
        masks = self._examination.masks
        if not masks.known[row]:
            return []
        return mask_polygons(masks.mask(row, size))


def outline_path(outline: Outline, max_points: int = MAX_POINTS, digits: int = 2) -> str:
    """The polygons of an outline, parts and holes.

    max_points: of each of them, about
    digits:     of the coordinates, after the decimal point
    """
    assert not isinstance(outline, RunLengths)
    polygons = outline.polygons()
    both = (*polygons.parts, *polygons.holes)
    return "".join(polygon_path(np.round(points, digits), max_points) for points in both)
