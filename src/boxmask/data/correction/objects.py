"""The objects of one photo as its label file holds them, and as they should be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

import numpy as np

from boxmask.data.findings import Box
from boxmask.data.outlines import Outline, Polygons

ShapeKind: TypeAlias = Literal["box", "polygon"]
Ring: TypeAlias = tuple[tuple[float, float], ...]
"""The points x, y of a polygon; the last one is joined to the first."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A box or a polygon, in continuous pixels of the photo as shown.

    points: two opposite corners of a box, x1, y1 and x2, y2; at least three points of a polygon
    """

    kind: ShapeKind
    points: Ring

    @staticmethod
    def of_box(box: Box) -> Shape:
        """A box."""
        x1, y1, x2, y2 = box
        return Shape("box", ((x1, y1), (x2, y2)))

    @property
    def bounds(self) -> Box:
        """x1, y1, x2, y2 of the smallest box around it."""
        xs, ys = zip(*self.points, strict=True)
        return min(xs), min(ys), max(xs), max(ys)

    @property
    def outline(self) -> Polygons | None:
        """The polygon; None for a box."""
        return None if self.kind == "box" else Polygons((np.array(self.points, dtype=np.float64),))


@dataclass(frozen=True, slots=True)
class FileObject:
    """An object in a label file.

    box:   the box as the file gives it, else the bounds of the outline, in pixels of the photo as shown;
           None if only the pixels of a mask tell
    shape: that can be drawn anew; None for masks, outlines of several parts, circles and rotated boxes
    """

    class_name: str
    box: Box | None
    shape: Shape | None


@dataclass(frozen=True, slots=True)
class WantedObject:
    """An object as it should be. Objects of the file that are not wanted are removed.

    number: of the object in the file, from 0; None for a new one
    shape:  None leaves it as it is
    """

    number: int | None
    class_name: str
    shape: Shape | None = None


class PhotoLabels(Protocol):
    """The text of a label file, and the objects of one photo in it."""

    @property
    def objects(self) -> Sequence[FileObject]:
        """The objects that can be read, in the order of the file."""

    def corrected(self, wanted_objects: Sequence[WantedObject]) -> bytes:
        """The file with the objects as they should be, and everything else as it is.

        Raises LabelError for what the format cannot hold.
        """


def shape_of(box: Box | None, outline: Outline | None) -> Shape | None:
    """A box or a polygon of one part as a shape; None for everything else."""
    if outline is None:
        return None if box is None else Shape.of_box(box)
    if isinstance(outline, Polygons) and len(outline.parts) == 1 and not outline.holes:
        return Shape("polygon", tuple((x, y) for x, y in outline.parts[0].tolist()))
    return None
