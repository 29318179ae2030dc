"""Draw many thin boxes without names: proposals, or detections before NMS."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from PIL import Image, ImageDraw
from torch import Tensor

from boxmask.visualization.style import PALETTE, RGBImage


def draw_boxes(
    photo: RGBImage,
    boxes: Float[Tensor, "N 4"] | Float[np.ndarray, "N 4"],
    labels: Sequence[int] | None = None,
) -> RGBImage:
    """Draw boxes, the first on top: (H, W, 3) uint8 -> (H, W, 3) uint8. The photo is kept.

    labels: the color of each box; by default, colors alternate
    """
    canvas = Image.fromarray(photo)
    pen = ImageDraw.Draw(canvas)
    thickness = max(1, min(photo.shape[:2]) // 400)
    colors = range(len(boxes)) if labels is None else labels
    for (x1, y1, x2, y2), color in reversed(list(zip(boxes.tolist(), colors, strict=True))):
        if x2 - 1 >= x1 and y2 - 1 >= y1:
            pen.rectangle((x1, y1, x2 - 1, y2 - 1), outline=PALETTE[color % len(PALETTE)], width=thickness)
    return np.array(canvas)
