"""The objects of a photo, as the page draws them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from boxmask.data.checks.examination import Examination
from boxmask.data.correction.objects import FileObject, Ring, Shape, shape_of
from boxmask.data.findings import Box
from boxmask.data.formats.rows_by_photo import RowsByPhoto
from boxmask.data.outlines import Outline, RunLengths
from boxmask.pages.svg_paths import mask_polygons

ViewKind: TypeAlias = Literal["box", "polygon", "outline"]
MAX_OBJECTS = 2000
"""Objects of one photo that are shown and can be saved."""
MAX_POINTS = 2000
"""Points of one polygon."""


@dataclass(frozen=True, slots=True)
class ViewObject:
    """An object, in continuous pixels of the photo as shown.

    kind:  "outline" for masks and outlines of several parts, which cannot be drawn anew
    box:   None if it is unknown
    rings: of the outline, parts and holes; none for boxes
    """

    class_name: str
    kind: ViewKind
    box: Box | None
    rings: tuple[Ring, ...] = ()

    @property
    def shape(self) -> Shape | None:
        """What can be drawn anew."""
        if self.kind == "polygon":
            return Shape("polygon", self.rings[0])
        return Shape.of_box(self.box) if self.kind == "box" and self.box is not None else None

    @staticmethod
    def of_file(found: FileObject, before: ViewObject | None) -> ViewObject:
        """An object as its label file holds it; `before` tells the outline that cannot be drawn anew."""
        if found.shape is None or len(found.shape.points) > MAX_POINTS:
            rings = () if before is None else before.rings
            box = found.box or (None if before is None else before.box)
            return ViewObject(found.class_name, "outline", box, rings)
        if found.shape.kind == "polygon":
            return ViewObject(found.class_name, "polygon", found.box, (found.shape.points,))
        return ViewObject(found.class_name, "box", found.box)


class ObjectReader:
    """Gives the objects of photos from the labels that were read."""

    def __init__(self, examination: Examination) -> None:
        self.labels = examination.labels
        self._examination = examination
        self._rows = RowsByPhoto(self.labels)

    def rows(self, entry: int) -> list[int]:
        """The rows of the objects of a photo, by its index in the labels."""
        found: list[int] = self._rows.of(entry)[:MAX_OBJECTS].tolist()
        return found

    def objects(self, entry: int) -> tuple[ViewObject, ...]:
        """The objects of a photo, by its index in the labels."""
        return tuple(map(self._object, self.rows(entry)))

    def outline(self, row: int) -> Outline | None:
        """The outline of an object; None without one, and for one that cannot be read."""
        try:
            return None if self.labels.outline is None else self.labels.outline(row)
        except ValueError:  # a finding of the doctor
            return None

    def _object(self, row: int) -> ViewObject:
        name = self.labels.class_names[self.labels.labels[row]]
        x1, y1, x2, y2 = self.labels.boxes[row].tolist()
        box: Box | None = (x1, y1, x2, y2) if np.isfinite([x1, y1, x2, y2]).all() else None
        outline = self.outline(row)
        shape = None if self.labels.box_form == "mask" else shape_of(box, outline)
        if shape is not None and shape.kind == "box":
            return ViewObject(name, "box", box)
        if shape is not None and len(shape.points) <= MAX_POINTS:
            return ViewObject(name, "polygon", box, (shape.points,))
        return ViewObject(name, "outline", box, self._rings(row, outline))

    def _rings(self, row: int, outline: Outline | None) -> tuple[Ring, ...]:
        if outline is not None and not isinstance(outline, RunLengths):
            polygons = outline.polygons()
            return tuple(_ring(points.tolist()) for points in (*polygons.parts, *polygons.holes))
        examination = self._examination
        if not examination.masks.known[row]:
            return ()
        height, width = examination.sizes[self.labels.photo_of[row]].tolist()
        return tuple(
            _ring(points.tolist()) for points in mask_polygons(examination.masks.mask(row, (height, width)))
        )


def _ring(points: Sequence[Sequence[float]]) -> Ring:
    """The points of a ring, of which many are thinned out."""
    step = -(-len(points) // MAX_POINTS) or 1
    return tuple((float(x), float(y)) for x, y in points[::step])
