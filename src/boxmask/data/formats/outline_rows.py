"""The outlines of many objects in flat arrays, which take a tenth of the memory of an object each."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from boxmask.data.findings import Box
from boxmask.data.outlines import Ellipse, FewPointsError, Outline, Points, Polygons, RotatedBox
from boxmask.messages import format_count

ReadOutline: TypeAlias = Callable[[], Outline]
"""Reads an outline when it is asked for. Raises ValueError with what is wrong."""

BoxOrOutline: TypeAlias = tuple[Box | None, Outline | ReadOutline | Sequence[float] | None]
"""What a shape in a label file is: a box, or an outline. Numbers are one polygon, x, y, x, y, ..."""

_NONE, _POLYGONS, _ELLIPSE, _ROTATED_BOX, _LATE = range(5)


class OutlineRows:
    """Collects one outline per object, in the order of the objects. Call it with a row to read one."""

    def __init__(self) -> None:
        self._kinds = array("b")
        self._numbers, self._ends = array("d"), array("q", [0])
        self._lengths, self._length_ends = array("l"), array("q", [0])
        self._late: dict[int, ReadOutline] = {}

    def __len__(self) -> int:
        return len(self._kinds)

    @property
    def is_empty(self) -> bool:
        """Whether no object has an outline."""
        return not any(self._kinds)

    def add_none(self) -> None:
        """Add an object that has only a box."""
        self._append(_NONE)

    def add_polygon(self, coordinates: Iterable[float]) -> None:
        """Add a polygon of x, y, x, y, ..."""
        before = len(self._numbers)
        self._numbers.extend(coordinates)
        self._lengths.append((len(self._numbers) - before) // 2)
        self._append(_POLYGONS)

    def add(self, outline: Outline | ReadOutline) -> None:
        """Add an outline, or a function that reads it when it is asked for."""
        match outline:
            case Polygons(parts, holes):
                for part in (*parts, *holes):
                    self._numbers.extend(part.ravel().tolist())
                self._lengths.extend([*(len(part) for part in parts), *(-len(hole) for hole in holes)])
                self._append(_POLYGONS)
            case Ellipse(center, radii, rotation):
                self._numbers.extend((*center, *radii, rotation))
                self._append(_ELLIPSE)
            case RotatedBox(center, size, rotation):
                self._numbers.extend((*center, *size, rotation))
                self._append(_ROTATED_BOX)
            case _:
                self._late[len(self)] = outline if callable(outline) else lambda: outline
                self._append(_LATE)

    def _append(self, kind: int) -> None:
        self._kinds.append(kind)
        self._ends.append(len(self._numbers))
        self._length_ends.append(len(self._lengths))

    def __call__(self, row: int) -> Outline | None:
        """The outline of one object. Raises ValueError with what is wrong with it."""
        kind = self._kinds[row]
        if kind == _NONE:
            return None
        if kind == _LATE:
            return self._late[row]()
        numbers = np.array(self._numbers[self._ends[row] : self._ends[row + 1]])
        if not np.isfinite(numbers).all():
            raise ValueError("an outline with a number that is not finite")
        if kind == _POLYGONS:
            return _polygons(
                numbers, self._lengths[self._length_ends[row] : self._length_ends[row + 1]].tolist()
            )
        x, y, width, height, rotation = numbers.tolist()
        make = Ellipse if kind == _ELLIPSE else RotatedBox
        return make((x, y), (width, height), rotation)


def _polygons(numbers: NDArray[np.float64], lengths: Sequence[int]) -> Polygons:
    """lengths: the points of each part; negative for holes"""
    if (fewest := min(map(abs, lengths), default=0)) < 3:
        count = format_count(fewest, "point")
        points = numbers.reshape(-1, 2) if len(numbers) else None
        raise FewPointsError(f"a polygon of {count}; it needs at least 3", points)
    parts, holes, start = list[Points](), list[Points](), 0
    for length in lengths:
        end = start + 2 * abs(length)
        (parts if length > 0 else holes).append(numbers[start:end].reshape(-1, 2))
        start = end
    return Polygons(tuple(parts), tuple(holes))
