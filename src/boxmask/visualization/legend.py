"""A legend below a picture: color patches with texts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from boxmask.visualization.style import DARK, LIGHT, RGBImage
from boxmask.visualization.text import draw_text, text_width


def append_legend(picture: RGBImage, entries: Sequence[tuple[str, str]]) -> RGBImage:
    """Append a strip with one entry per (text, color), in as many rows as they need."""
    font_size = max(9, round(np.sqrt(picture.shape[0] * picture.shape[1]) / 40))
    corners, height = _legend_layout([text for text, _ in entries], picture.shape[1], font_size)
    strip = Image.new("RGB", (picture.shape[1], height), LIGHT)
    pencil = ImageDraw.Draw(strip)
    for (text, color), (x, y) in zip(entries, corners, strict=True):
        pencil.rectangle((x, y, x + font_size - 1, y + font_size - 1), fill=color)
        left_middle = (x + font_size + font_size // 3, y + font_size // 2)
        draw_text(pencil, left_middle, text, DARK, font_size)
    return np.concatenate([picture, np.array(strip)])


def _legend_layout(texts: Sequence[str], width: int, font_size: int) -> tuple[list[tuple[int, int]], int]:
    """The upper left corner (x, y) of each entry, row by row, and the height of the legend."""
    gap = max(2, font_size // 3)
    x, y = gap, gap
    corners = []
    for text in texts:
        extent = font_size + 2 * gap + int(text_width(text, font_size)) + font_size
        if x > gap and x + extent > width:
            x, y = gap, y + font_size + gap
        corners.append((x, y))
        x += extent
    return corners, y + font_size + gap
