"""Draw masks: a translucent tint and a crisp line along the edge.

The line lies inside the object, so that two objects that touch keep two lines. The tints of a class vary, so
that neighboring objects of one class can be told apart.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool
from numpy.typing import NDArray
from scipy.ndimage import minimum_filter

from boxmask.types import Detections
from boxmask.visualization.style import DARK, LIGHT, PALETTE, RGBImage, rgb

OPACITY = 0.4
TINTS = ((LIGHT, 0.0), (LIGHT, 0.35), (DARK, 0.35))  # mixed into the class color, in turn: color and share


def draw_masks(photo: RGBImage, detections: Detections, thickness: int) -> RGBImage:
    """Tint and outline every known mask, the highest score on top. The photo is kept.

    thickness: of the line, in pixels
    """
    picture = photo.copy()
    if detections.masks is None:
        return picture
    lowest_score_first = np.flatnonzero(detections.masks.known)[::-1]
    labels, tints = detections.labels.tolist(), _tints(detections)
    crops, windows = detections.masks.crops(), detections.masks.windows.tolist()
    for row in lowest_score_first.tolist():
        x1, y1, x2, y2 = windows[row]
        view, crop = picture[y1:y2, x1:x2], crops[row]
        _tint(view, crop, tints[row])
        view[crop & ~interior(crop, thickness)] = rgb(PALETTE[labels[row] % len(PALETTE)])
    return picture


def interior(crop: Bool[np.ndarray, "h w"], thickness: int) -> Bool[np.ndarray, "h w"]:
    """The pixels of a mask that are more than `thickness` pixels away from its edge."""
    side = 2 * thickness + 1
    inside: NDArray[np.bool_] = minimum_filter(crop, size=side, mode="constant", cval=0).astype(np.bool_)
    return inside


def _tint(view: RGBImage, crop: Bool[np.ndarray, "h w"], color: NDArray[np.float64]) -> None:
    """Blend a color into the pixels of a mask, in place."""
    blended = (1 - OPACITY) * view[crop] + OPACITY * color
    view[crop] = blended.round().astype(np.uint8)


def _tints(detections: Detections) -> list[NDArray[np.float64]]:
    """The tint of each object: its class color, then a lighter and a darker shade, in turn."""
    objects_so_far: dict[int, int] = {}
    tints = []
    for label in detections.labels.tolist():
        number = objects_so_far.get(label, 0)
        objects_so_far[label] = number + 1
        other_color, share = TINTS[number % len(TINTS)]
        class_color = np.array(rgb(PALETTE[label % len(PALETTE)]), dtype=np.float64)
        tints.append((1 - share) * class_color + share * np.array(rgb(other_color)))
    return tints
