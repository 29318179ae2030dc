"""Arrange pictures in a grid."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from boxmask.visualization.style import DARK, LIGHT, RGBImage
from boxmask.visualization.text import draw_text, text_width

MARGIN = 2  # pixels around each picture


def contact_sheet(
    pictures: Sequence[RGBImage], *, columns: int = 4, width: int = 1600, captions: Sequence[str] = ()
) -> RGBImage:
    """A grid of pictures, `width` pixels wide in total. Each fits its cell and has its caption above it.

    Raises ValueError if there are no pictures, or if there are captions but not one per picture.
    """
    if not pictures or len(captions) not in (0, len(pictures)):
        raise ValueError(
            f"expected one or more pictures and no captions or one per picture, found {len(pictures)} "
            f"pictures and {len(captions)} captions"
        )
    cell = max(8, width // columns - 2 * MARGIN)
    caption_height = max(12, cell // 24) if captions else 0
    fitted = [_fit(picture, cell) for picture in pictures]
    rows = [
        _sheet_row(fitted[i : i + columns], captions[i : i + columns], columns, cell, caption_height)
        for i in range(0, len(fitted), columns)
    ]
    return np.concatenate(rows)


def side_by_side(left: RGBImage, right: RGBImage, captions: tuple[str, str]) -> RGBImage:
    """Two pictures of the same size in one row, not scaled."""
    width = 2 * (left.shape[1] + 2 * MARGIN)
    return contact_sheet([left, right], columns=2, width=width, captions=captions)


def _fit(picture: RGBImage, width: int) -> RGBImage:
    """Scale to `width`, or to a height of `2 * width` if the picture is taller. The proportions are kept."""
    scale = min(width / picture.shape[1], 2 * width / picture.shape[0])
    size = (max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale)))
    return np.array(Image.fromarray(picture).resize(size, Image.Resampling.LANCZOS))


def _sheet_row(
    pictures: Sequence[RGBImage], captions: Sequence[str], columns: int, cell: int, caption_height: int
) -> RGBImage:
    """One row of the grid, on white."""
    tallest = max(picture.shape[0] for picture in pictures)
    size = (columns * (cell + 2 * MARGIN), tallest + caption_height + 2 * MARGIN)
    row = Image.new("RGB", size, LIGHT)
    pencil = ImageDraw.Draw(row)
    for i, picture in enumerate(pictures):
        left = i * (cell + 2 * MARGIN) + MARGIN
        row.paste(Image.fromarray(picture), (left + (cell - picture.shape[1]) // 2, caption_height + MARGIN))
        if captions:
            font_size = max(9, caption_height * 2 // 3)
            text = _shorten(captions[i], font_size, cell)
            draw_text(pencil, (left + 2, caption_height // 2), text, DARK, font_size)
    return np.array(row)


def _shorten(text: str, font_size: int, width: int) -> str:
    """Cut the start of the text so that it fits `width` pixels; the end of a path is the file name."""
    if text_width(text, font_size) <= width:
        return text
    start = next((i for i in range(len(text)) if text_width("…" + text[i:], font_size) <= width), len(text))
    return "…" + text[start:]
