"""Objects drawn by their outlines: a tint that the photo shines through, and a crisp line along the rim.

The line lies inside of the object, so that two objects that touch keep two lines; the tints of a class vary,
so that its objects can be told apart where they crowd.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool
from numpy.typing import NDArray
from scipy.ndimage import minimum_filter

from boxmask.types import Detections
from boxmask.visualization.style import DARK, LIGHT, PALETTE, Picture, rgb

OPACITY = 0.4
TINTS = ((LIGHT, 0.0), (LIGHT, 0.35), (DARK, 0.35))  # what a class's color is mixed with, in turn


def with_masks(photo: Picture, detections: Detections, thickness: int) -> Picture:
    """The photo with every known mask tinted and outlined, the surest on top; the photo itself is kept."""
    picture = photo.copy()
    if detections.masks is None:
        return picture
    order = np.flatnonzero(detections.masks.known)[::-1]
    labels, tints = detections.labels.tolist(), _tints(detections)
    crops, windows = detections.masks.crops(), detections.masks.windows.tolist()
    for row in order.tolist():
        x1, y1, x2, y2 = windows[row]
        view, crop = picture[y1:y2, x1:x2], crops[row]
        _tint(view, crop, tints[row])
        view[crop & ~inner(crop, thickness)] = rgb(PALETTE[labels[row] % len(PALETTE)])
    return picture


def inner(crop: Bool[np.ndarray, "h w"], thickness: int) -> Bool[np.ndarray, "h w"]:
    """The pixels of a mask further than `thickness` from its rim, within its window."""
    side = 2 * thickness + 1
    core: NDArray[np.bool_] = minimum_filter(crop, size=side, mode="constant", cval=0).astype(np.bool_)
    return core


def _tint(view: Picture, crop: Bool[np.ndarray, "h w"], color: NDArray[np.float64]) -> None:
    """Mix a color into the pixels of a mask, in place."""
    mixed = (1 - OPACITY) * view[crop] + OPACITY * color
    view[crop] = mixed.round().astype(np.uint8)


def _tints(detections: Detections) -> list[NDArray[np.float64]]:
    """The color of each object's tint: its class's, as it is, lighter or darker in turn."""
    turns: dict[int, int] = {}
    tints = []
    for label in detections.labels.tolist():
        turn = turns[label] = turns.get(label, -1) + 1
        mixed_with, share = TINTS[turn % len(TINTS)]
        own = np.array(rgb(PALETTE[label % len(PALETTE)]), dtype=np.float64)
        tints.append((1 - share) * own + share * np.array(rgb(mixed_with)))
    return tints
