"""The color of each object in a picture."""

from __future__ import annotations

from itertools import count

import numpy as np

from boxmask.types import Detections
from boxmask.visualization.style import PALETTE, distinct_color


def object_colors(detections: Detections) -> list[str]:
    """A color of its own for each object with a known mask, in the order of the scores.

    An object without a mask has a box in the color of its class, the same in every picture.
    """
    masks = detections.masks
    known = np.zeros(len(detections), dtype=np.bool_) if masks is None else masks.known
    own_colors = map(distinct_color, count())
    return [
        next(own_colors) if has_mask else class_color
        for has_mask, class_color in zip(known.tolist(), colors_by_class(detections), strict=True)
    ]


def colors_by_class(detections: Detections) -> list[str]:
    """The color of each object's class."""
    return [PALETTE[label % len(PALETTE)] for label in detections.labels.tolist()]
