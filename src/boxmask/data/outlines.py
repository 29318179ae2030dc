"""The outline of an object as its label draws it: polygons, an ellipse, a rotated box or run lengths.

All coordinates are continuous pixels of the photo that the labels are written for; y points down.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from hotcoco import mask as hotcoco_mask
from jaxtyping import Float, Int
from numpy.typing import NDArray

from boxmask.geometry import rle
from boxmask.masks import Masks, Size

Points = NDArray[np.float64]
"""(M, 2) x, y."""

ELLIPSE_POINTS = 64
"""Points of the polygon that an ellipse becomes for formats without ellipses, and to fill its pixels."""


class WrongSizeError(ValueError):
    """Run lengths that cover another size than the photo has."""


class FewPointsError(ValueError):
    """A polygon with fewer than 3 points.

    points: (M, 2) those that there are, to show the place; None if they are unknown
    """

    def __init__(self, message: str, points: Points | None = None) -> None:
        super().__init__(message)
        self.points = points


@dataclass(frozen=True, slots=True, eq=False)
class Polygons:
    """The pixels in any of several polygons, and in none of the holes.

    parts: of (M, 2) points each, at least 3; the last one is joined to the first
    holes: as the parts
    """

    parts: tuple[Points, ...]
    holes: tuple[Points, ...] = ()

    def scale(self, factors: tuple[float, float]) -> Polygons:
        """Multiply x and y by two factors."""
        return Polygons(
            tuple(part * factors for part in self.parts), tuple(hole * factors for hole in self.holes)
        )

    def bounds(self) -> Float[np.ndarray, " 4"]:
        """x1, y1, x2, y2 of the smallest box around it."""
        points = self.parts[0] if len(self.parts) == 1 else np.concatenate(self.parts)
        return np.concatenate([points.min(axis=0), points.max(axis=0)])

    def polygons(self) -> Polygons:
        """Itself."""
        return self


@dataclass(frozen=True, slots=True)
class Ellipse:
    """An ellipse, or a circle if both radii are the same.

    radii:    before the rotation, along x and y
    rotation: in degrees, clockwise as seen
    """

    center: tuple[float, float]
    radii: tuple[float, float]
    rotation: float = 0.0

    def scale(self, factors: tuple[float, float]) -> Ellipse | Polygons:
        """Multiply x and y by two factors. A rotated ellipse becomes a polygon if they differ."""
        (x, y), (rx, ry), (fx, fy) = self.center, self.radii, factors
        if self.rotation % 180 and fx != fy:
            return self.polygons().scale(factors)
        return Ellipse((x * fx, y * fy), (rx * fx, ry * fy), self.rotation)

    def bounds(self) -> Float[np.ndarray, " 4"]:
        """x1, y1, x2, y2 of the smallest box around it."""
        angle = np.radians(self.rotation)
        (rx, ry), cosine, sine = self.radii, np.cos(angle), np.sin(angle)
        half = np.hypot([rx * cosine, rx * sine], [ry * sine, ry * cosine])
        return np.concatenate([np.array(self.center) - half, np.array(self.center) + half])

    def polygons(self) -> Polygons:
        """One polygon, whose `ELLIPSE_POINTS` points lie on the ellipse."""
        angles = np.arange(ELLIPSE_POINTS) * (2 * np.pi / ELLIPSE_POINTS)
        points = np.stack([np.cos(angles), np.sin(angles)], axis=1) * self.radii
        return Polygons((_rotate(points, self.rotation) + self.center,))


@dataclass(frozen=True, slots=True)
class RotatedBox:
    """A box that is rotated around its center.

    size:     width and height, before the rotation
    rotation: in degrees, clockwise as seen
    """

    center: tuple[float, float]
    size: tuple[float, float]
    rotation: float

    def scale(self, factors: tuple[float, float]) -> RotatedBox | Polygons:
        """Multiply x and y by two factors. It becomes a polygon if they differ."""
        (x, y), (width, height), (fx, fy) = self.center, self.size, factors
        if fx != fy:
            return self.polygons().scale(factors)
        return RotatedBox((x * fx, y * fy), (width * fx, height * fy), self.rotation)

    def bounds(self) -> Float[np.ndarray, " 4"]:
        """x1, y1, x2, y2 of the smallest box around it."""
        return self.polygons().bounds()

    def polygons(self) -> Polygons:
        """The polygon of its four corners."""
        corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * self.size / 2
        return Polygons((_rotate(corners, self.rotation) + self.center,))


@dataclass(frozen=True, slots=True, eq=False)
class RunLengths:
    """A mask over the whole photo, as COCO's run lengths (see `boxmask.geometry.rle`).

    counts: (R,) whole numbers that add up to the pixels of the photo
    size:   (height, width) of the photo that it covers
    """

    counts: Int[np.ndarray, " R"]
    size: Size


Outline: TypeAlias = Polygons | Ellipse | RotatedBox | RunLengths


def fill(outline: Outline, size: Size, label_size: Size) -> Int[np.ndarray, " R"]:
    """The run lengths of an outline over a photo.

    size:       (height, width) of the photo
    label_size: the size that the outline is written for; the two differ if the photo was resized

    hotcoco decides which pixels lie in a polygon, with the same result as pycocotools.
    Raises WrongSizeError for run lengths over another size than `label_size`.
    """
    if isinstance(outline, RunLengths):
        return _resize_runs(outline, size, label_size)
    factors = (size[1] / label_size[1], size[0] / label_size[0])
    polygons = outline.polygons().scale(factors)
    filled = _fill_points(polygons.parts, size)
    return _cut_out(filled, _fill_points(polygons.holes, size), size) if polygons.holes else filled


def fill_compressed(polygons: Polygons, size: Size, label_size: Size) -> bytes:
    """`fill` for polygons without holes, as COCO's compressed text, which is quicker for many objects."""
    if size != label_size:
        polygons = polygons.scale((size[1] / label_size[1], size[0] / label_size[0]))
    return _compressed(polygons.parts, size)


def _compressed(parts: tuple[Points, ...], size: Size) -> bytes:
    filled = hotcoco_mask.fr_py_objects([part.ravel().tolist() for part in parts], *size)
    united = hotcoco_mask.merge(filled) if len(filled) > 1 else filled[0]
    return bytes(united["counts"])


def _fill_points(parts: tuple[Points, ...], size: Size) -> Int[np.ndarray, " R"]:
    return rle.decompress(_compressed(parts, size)).astype(np.int32)


def _cut_out(filled: NDArray[np.int32], holes: NDArray[np.int32], size: Size) -> Int[np.ndarray, " R"]:
    pixels = rle.decode([filled.astype(np.int64), holes.astype(np.int64)], size).dense()
    return rle.encode(Masks.from_dense(pixels[:1] & ~pixels[1:]))[0].astype(np.int32)


def _resize_runs(mask: RunLengths, size: Size, label_size: Size) -> Int[np.ndarray, " R"]:
    if mask.size != label_size:
        covered = f"{mask.size[1]} × {mask.size[0]}"
        expected = f"{label_size[1]} × {label_size[0]}"
        raise WrongSizeError(f"its run lengths cover {covered:.60} pixels, its photo is {expected}")
    if size == label_size:
        return mask.counts.astype(np.int32)
    return rle.encode(rle.decode([mask.counts.astype(np.int64)], mask.size).resize(size))[0].astype(np.int32)


def _rotate(points: Points, degrees: float) -> Points:
    """Rotate points around (0, 0), clockwise as seen."""
    angle = np.radians(degrees)
    cosine, sine = np.cos(angle), np.sin(angle)
    return np.asarray(points @ np.array([[cosine, sine], [-sine, cosine]]))
