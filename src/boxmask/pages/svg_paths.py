"""Boxes, polygons and masks as the paths of SVG."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from boxmask.masks import Masks
from boxmask.pages.regions import Rectangle


def box_path(box: Rectangle) -> str:
    """The edge of a box, from x, y, width and height."""
    x, y, width, height = box
    return f"M{x:.6g} {y:.6g}h{width:.6g}v{height:.6g}h{-width:.6g}z"


def polygon_path(points: NDArray[np.float64] | NDArray[np.int32], max_points: int) -> str:
    """A closed polygon through (N, 2) points; "" if they are none or not finite.

    max_points: a longer polygon is drawn with every second, third, ... point
    """
    shown = points[:: -(-len(points) // max_points) or 1]
    return "M" + "L".join(_coordinates(shown)) + "Z" if np.isfinite(shown).all() and len(shown) else ""


def mask_polygons(masks: Masks) -> list[NDArray[np.int32]]:
    """The polygons around the parts of the first mask, found in its window."""
    from supervision import mask_to_polygons

    return [polygon + masks.windows[0, :2] for polygon in mask_to_polygons(masks.crops()[0])]


def _coordinates(points: NDArray[np.float64] | NDArray[np.int32]) -> Iterator[str]:
    return (f"{x:.6g} {y:.6g}" for x, y in points.tolist())
