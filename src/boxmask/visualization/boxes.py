"""Draw many boxes or lines without names: proposals, or detections before NMS."""

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
    thickness: int | None = None,
) -> RGBImage:
    """Draw boxes, the first on top: (H, W, 3) uint8 -> (H, W, 3) uint8. The photo is kept.

    labels:    the color of each box; by default, colors alternate
    thickness: of the lines, in pixels; by default thin
    """
    canvas = Image.fromarray(photo)
    pen = ImageDraw.Draw(canvas)
    thickness = thickness or max(1, min(photo.shape[:2]) // 400)
    colors = range(len(boxes)) if labels is None else labels
    for (x1, y1, x2, y2), color in reversed(list(zip(boxes.tolist(), colors, strict=True))):
        if x2 - 1 >= x1 and y2 - 1 >= y1:
            pen.rectangle((x1, y1, x2 - 1, y2 - 1), outline=PALETTE[color % len(PALETTE)], width=thickness)
    return np.array(canvas)


def draw_lines(
    photo: RGBImage, lines: Float[np.ndarray, "N 4"], colors: Sequence[int], thickness: int
) -> RGBImage:
    """Draw lines (x1, y1, x2, y2), each with a dot at its start. The photo is kept.

    colors:    a number per line, as the labels of `draw_boxes`
    thickness: of the lines, in pixels; dots are four times as wide
    """
    canvas = Image.fromarray(photo)
    pen = ImageDraw.Draw(canvas)
    for (x1, y1, x2, y2), number in zip(lines.tolist(), colors, strict=True):
        color = PALETTE[number % len(PALETTE)]
        pen.line((x1, y1, x2, y2), fill=color, width=thickness)
        pen.circle((x1, y1), 2 * thickness, fill=color)
    return np.array(canvas)
