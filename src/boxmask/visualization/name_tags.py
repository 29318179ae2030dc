"""Place name tags on detections without overlap.

The label annotators of supervision let names cover one another or push them off their boxes, and a crowd of
names hides the photo. Here a tag goes where its box leaves room, highest score first. A detection without
room has no tag.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from jaxtyping import Float
from PIL import Image, ImageDraw

from boxmask.types import Detections
from boxmask.visualization.style import text_color_on
from boxmask.visualization.text import draw_text, text_width

MAX_NAMES = 60  # more names hide the photo
MAX_LARGE_NAMES = 20  # with more names than this, letters are smaller
MAX_HIDDEN = 0.5  # the fraction of a box that a name tag may hide

PixelBox: TypeAlias = tuple[int, int, int, int]
"""x1, y1, x2, y2 in whole pixels, both corners included."""


def draw_name_tags(
    canvas: Image.Image, detections: Detections, show_scores: bool, colors: Sequence[str]
) -> None:
    """Draw the names, and the scores, of the first detections onto `canvas`, in place.

    colors: one per detection
    """
    texts = detections.names[:MAX_NAMES]
    if show_scores:
        texts = [
            f"{name} {score:.2f}" for name, score in zip(texts, detections.scores.tolist(), strict=False)
        ]
    draw_tags(canvas, detections, texts, colors[:MAX_NAMES], font_size_for(canvas.size, len(detections)))


def draw_tags(
    canvas: Image.Image, detections: Detections, texts: Sequence[str], colors: Sequence[str], font_size: int
) -> None:
    """Draw a tag with a text and a color for each of the first detections onto `canvas`, in place.

    The first one has the first choice of its place. A detection without room has no tag.
    """
    pad = max(1, font_size // 6)
    pencil = ImageDraw.Draw(canvas)
    taken: list[PixelBox] = []
    for i, (text, color) in enumerate(zip(texts, colors, strict=True)):
        extent = (int(text_width(text, font_size)) + 2 * pad, font_size + 2 * pad)
        tag = _free_position(i, detections.boxes, extent, canvas.size, taken)
        if tag is not None:
            taken.append(tag)
            pencil.rectangle(tag, fill=color)
            left_middle = (tag[0] + pad, tag[1] + pad + font_size // 2)
            draw_text(pencil, left_middle, text, text_color_on(color), font_size)


def _free_position(
    index: int,
    boxes: Float[np.ndarray, "N 4"],
    extent: tuple[int, int],
    photo: tuple[int, int],
    taken: Sequence[PixelBox],
) -> PixelBox | None:
    """The first free position for a tag at box `index`: above it, below it, or inside its corners.

    A position is free if it lies inside the photo, overlaps no other tag and hides at most half of any box.
    extent, photo: (width, height) of the tag and of the photo
    """
    width, height = extent
    for x, y in _corners(boxes[index], extent):
        left = min(max(x, 0), photo[0] - width)  # moved sideways into the photo
        tag = (left, y, left + width - 1, y + height - 1)
        inside = left >= 0 and y >= 0 and y + height <= photo[1]
        overlapping = any(_overlap(tag, other) for other in taken)
        if inside and not overlapping and not _hides_a_box(tag, boxes):
            return tag
    return None


def _corners(box: Float[np.ndarray, " 4"], extent: tuple[int, int]) -> list[tuple[int, int]]:
    """Upper left corners of the possible positions, in order of preference."""
    x1, y1, x2, y2 = (round(edge) for edge in box.tolist())
    width, height = extent
    return [
        (x1, y1 - height),
        (x1, y2),
        (x1, y1),
        (x2 - width, y1 - height),
        (x2 - width, y2),
        (x2 - width, y1),
        (x1, y2 - height),
        (x2 - width, y2 - height),
    ]


def _hides_a_box(tag: PixelBox, boxes: Float[np.ndarray, "N 4"]) -> bool:
    corners = np.array(tag, dtype=boxes.dtype)
    sides = np.minimum(boxes[:, 2:], corners[2:]) - np.maximum(boxes[:, :2], corners[:2])
    hidden = np.maximum(sides, 0).prod(axis=1)
    return bool((hidden > MAX_HIDDEN * (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)).any())


def _overlap(a: PixelBox, b: PixelBox) -> bool:
    return a[0] <= b[2] and b[0] <= a[2] and a[1] <= b[3] and b[1] <= a[3]


def font_size_for(photo: tuple[int, int], num_names: int) -> int:
    """Font size in pixels. It grows with the photo and is at least 9, which is barely readable."""
    side = math.sqrt(photo[0] * photo[1])
    return max(9, round(side / (50 if num_names > MAX_LARGE_NAMES else 34)))
