"""What pictures are drawn with: the colors of the classes, and letters."""

from __future__ import annotations

import colorsys
from collections.abc import Sequence
from functools import cache
from itertools import count
from pathlib import Path
from typing import TypeAlias

import matplotlib
import numpy as np
from jaxtyping import UInt8
from PIL import ImageFont

Picture: TypeAlias = UInt8[np.ndarray, "H W 3"]
"""(H, W, 3) uint8 RGB."""

# Okabe and Ito's palette (2008) without black, then Tol's "muted" (2021): told apart by color-blind people.
PALETTE = (
    *("#56B4E9", "#E69F00", "#009E73", "#CC79A7", "#F0E442", "#0072B2", "#D55E00"),
    *("#882255", "#DDCC77", "#332288", "#44AA99", "#999933"),
)
DARK, LIGHT = "#101010", "#FFFFFF"
BLACK = "#000000"
BACKGROUND = ("background", "_background_")  # names of the class that is no thing: black, and not tinted
GOLDEN_ANGLE = 0.381966  # of a turn: hues that follow one another lie far apart


def rgb(color: str) -> tuple[int, int, int]:
    """#RRGGBB as numbers."""
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)


def is_background(name: str) -> bool:
    """Whether a class is the one that is no thing."""
    return name.lower() in BACKGROUND


def class_colors(class_names: Sequence[str]) -> list[str]:
    """A color for each class of a map, no two alike: the palette's, then hues in between.

    The background is not counted, so that a class has the color that its objects have.
    """
    colors: list[str] = []
    fresh = (color for color in map(_color, count()) if color not in colors)
    for name in class_names:
        colors.append(BLACK if is_background(name) and BLACK not in colors else next(fresh))
    return colors


def _color(label: int) -> str:
    if label < len(PALETTE):
        return PALETTE[label]
    turn, level = label - len(PALETTE), (label // 7) % 3
    red, green, blue = colorsys.hsv_to_rgb(turn * GOLDEN_ANGLE % 1.0, 0.9 - 0.25 * level, 0.6 + 0.18 * level)
    return f"#{round(255 * red):02X}{round(255 * green):02X}{round(255 * blue):02X}"


@cache
def font_of_size(size: int) -> ImageFont.FreeTypeFont:
    """DejaVu Sans, which comes with matplotlib and has most alphabets."""
    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    return ImageFont.truetype(str(folder / "DejaVuSans.ttf"), size)


def text_color_on(ground: str) -> str:
    """Dark or light, whichever is read better on `ground`."""
    red, green, blue = rgb(ground)
    return DARK if 0.299 * red + 0.587 * green + 0.114 * blue > 125 else LIGHT
