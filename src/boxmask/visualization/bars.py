"""Draw rows of small pictures, each with a bar chart of named values beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from boxmask.visualization.style import DARK, LIGHT, RGBImage
from boxmask.visualization.text import draw_text, text_width

FONT_SIZE, LINE = 16, 24  # pixels
GAP = 8  # pixels between rows, pictures and columns
MAX_NAME_WIDTH = 260
AXIS = "#B0B0B0"


@dataclass(frozen=True)
class Bar:
    """One bar: the name before it, its value and its color (#RRGGBB)."""

    name: str
    value: float
    color: str


@dataclass(frozen=True)
class BarRow:
    """Small pictures of the same height, and the bars to the right of them."""

    pictures: tuple[RGBImage, ...]
    bars: tuple[Bar, ...]


def draw_bars(rows: Sequence[BarRow], limits: tuple[float, float], width: int = 1000) -> RGBImage:
    """All rows below one another, on white, `width` pixels wide.

    limits: the values at the left and at the right end of the bars; bars start at 0, or at the nearer limit
    """
    names = [bar.name for row in rows for bar in row.bars]
    name_width = min(MAX_NAME_WIDTH, max((int(text_width(name, FONT_SIZE)) + 1 for name in names), default=0))
    left = max((sum(p.shape[1] + GAP for p in row.pictures) for row in rows), default=0) + GAP
    columns = (left + GAP, left + 2 * GAP + name_width, width - 7 * FONT_SIZE // 2)
    return np.concatenate([_draw_row(row, columns, limits, width) for row in rows])


def _draw_row(
    row: BarRow, columns: tuple[int, int, int], limits: tuple[float, float], width: int
) -> RGBImage:
    """columns: where the names and the bars begin, and where the bars end, in pixels from the left"""
    tallest = max((picture.shape[0] for picture in row.pictures), default=0)
    height = max(tallest, LINE * len(row.bars)) + 2 * GAP
    canvas = Image.new("RGB", (width, height), LIGHT)
    x = GAP
    for picture in row.pictures:
        canvas.paste(Image.fromarray(picture), (x, GAP))
        x += picture.shape[1] + GAP
    pencil = ImageDraw.Draw(canvas)
    top = (height - LINE * len(row.bars)) // 2
    for index, bar in enumerate(row.bars):
        _draw_bar(pencil, bar, top + LINE * index, columns, limits)
    return np.array(canvas)


def _draw_bar(
    pencil: ImageDraw.ImageDraw,
    bar: Bar,
    top: int,
    columns: tuple[int, int, int],
    limits: tuple[float, float],
) -> None:
    names, begin, end = columns
    low, high = limits
    pixels_per_unit = (end - begin) / max(high - low, 1e-12)
    zero, tip = (begin + (min(max(value, low), high) - low) * pixels_per_unit for value in (0.0, bar.value))
    middle = top + LINE // 2
    draw_text(pencil, (names, middle), _fit_name(bar.name, begin - names - GAP), DARK, FONT_SIZE)
    pencil.line((zero, top, zero, top + LINE), fill=AXIS)
    pencil.rectangle((min(zero, tip), top + 4, max(zero, tip), top + LINE - 5), fill=bar.color)
    draw_text(pencil, (max(zero, tip) + 4, middle), f"{bar.value:.2f}", DARK, FONT_SIZE)


def _fit_name(name: str, width: int) -> str:
    """Cut the end of a name that is wider than `width` pixels."""
    if text_width(name, FONT_SIZE) <= width:
        return name
    end = next((i for i in range(len(name), 0, -1) if text_width(name[:i] + "…", FONT_SIZE) <= width), 0)
    return name[:end] + "…"
