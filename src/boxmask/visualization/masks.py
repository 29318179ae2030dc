"""Draw masks: a translucent tint and a crisp line along the edge.

The line lies inside the object, so that two objects that touch keep two lines.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import scipy
from jaxtyping import Bool
from numpy.typing import NDArray

from boxmask.types import Detections
from boxmask.visualization.style import RGBImage, rgb

OPACITY = 0.4


def draw_masks(photo: RGBImage, detections: Detections, thickness: int, colors: Sequence[str]) -> RGBImage:
    """Tint and outline every known mask, the highest score on top. The photo is kept.

    thickness: of the line, in pixels
    colors:    one per object
    """
    picture = photo.copy()
    if detections.masks is None:
        return picture
    lowest_score_first = np.flatnonzero(detections.masks.known)[::-1]
    rgb_colors = [rgb(color) for color in colors]
    crops, windows = detections.masks.crops(), detections.masks.windows.tolist()
    for row in lowest_score_first.tolist():
        x1, y1, x2, y2 = windows[row]
        view, crop = picture[y1:y2, x1:x2], crops[row]
        _tint(view, crop, rgb_colors[row])
        view[crop & ~interior(crop, thickness)] = rgb_colors[row]
    return picture


def interior(crop: Bool[np.ndarray, "h w"], thickness: int) -> Bool[np.ndarray, "h w"]:
    """The pixels of a mask that are more than `thickness` pixels away from its edge."""
    side = 2 * thickness + 1
    lowest = scipy.ndimage.minimum_filter(crop, size=side, mode="constant", cval=0)
    inside: NDArray[np.bool_] = lowest.astype(np.bool_)
    return inside


def _tint(view: RGBImage, crop: Bool[np.ndarray, "h w"], color: tuple[int, int, int]) -> None:
    """Blend a color into the pixels of a mask, in place."""
    blended = (1 - OPACITY) * view[crop] + OPACITY * np.array(color)
    view[crop] = blended.round().astype(np.uint8)
