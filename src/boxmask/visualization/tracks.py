"""Draw tracked objects on the frames of a video: each object keeps its color and its number.

Nothing depends on the number of objects or the order of their scores, so that lines and letters do not jump
from frame to frame.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Int
from PIL import Image, ImageDraw

from boxmask.types import Detections
from boxmask.visualization.masks import draw_masks
from boxmask.visualization.name_tags import MAX_NAMES, draw_tags, font_size_for
from boxmask.visualization.style import LIGHT, RGBImage, check_photo, distinct_color


def draw_tracks(photo: RGBImage, detections: Detections, numbers: Int[np.ndarray, " N"] | None) -> RGBImage:
    """Draw every detection: its mask or its box, and a tag: (H, W, 3) uint8 -> (H, W, 3) uint8.

    numbers: of the tracks, 0 for a detection without one; it is tagged with its score. None: no tracks, and
             the color is that of the class

    The photo is kept. Raises ValueError if `photo` is not such an array of the detections' size.
    """
    check_photo(photo, detections.size)
    labels = detections.labels.tolist()
    tracks = [0] * len(labels) if numbers is None else numbers.tolist()
    order = sorted(range(len(labels)), key=lambda row: (tracks[row] == 0, tracks[row]))
    shown, tracks = detections[np.array(order, dtype=np.int64)], [tracks[row] for row in order]
    color_indices = shown.labels.tolist() if numbers is None else [track - 1 for track in tracks]
    colors = [distinct_color(index) if index >= 0 else LIGHT for index in color_indices]
    thickness = max(1, round(min(photo.shape[:2]) / 220))
    canvas = Image.fromarray(draw_masks(photo, shown, thickness, colors))
    _draw_boxes(canvas, shown, colors, thickness)
    scores = shown.scores.tolist()
    texts = [
        f"{name} {track}" if track else f"{name} {score:.2f}"
        for name, track, score in zip(shown.names, tracks, scores, strict=True)
    ]
    draw_tags(canvas, shown, texts[:MAX_NAMES], colors[:MAX_NAMES], font_size_for(canvas.size, 1))
    return np.array(canvas)


def _draw_boxes(canvas: Image.Image, detections: Detections, colors: list[str], thickness: int) -> None:
    """Draw the boxes of objects without a mask, the first on top, in place."""
    pencil = ImageDraw.Draw(canvas)
    masked = np.zeros(len(detections), bool) if detections.masks is None else detections.masks.known
    boxes = detections.boxes.tolist()
    for row in reversed(range(len(detections))):
        x1, y1, x2, y2 = boxes[row]
        if not masked[row] and x2 - 1 >= x1 and y2 - 1 >= y1:
            pencil.rectangle((x1, y1, x2 - 1, y2 - 1), outline=colors[row], width=thickness)
