"""The style of pictures: the colors of the classes."""

from __future__ import annotations

import colorsys
from collections.abc import Sequence
from itertools import count
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from jaxtyping import UInt8
    from torch import Tensor

RGBImage: TypeAlias = NDArray[np.uint8]  # without jaxtyping, which the runtime does not have
"""(H, W, 3) uint8 RGB."""

# Okabe and Ito's palette (2008) without black, then Tol's "muted" (2021): safe for color-blind people.
PALETTE = (
    "#56B4E9",
    "#E69F00",
    "#009E73",
    "#CC79A7",
    "#F0E442",
    "#0072B2",
    "#D55E00",
    "#882255",
    "#DDCC77",
    "#332288",
    "#44AA99",
    "#999933",
)
DARK, LIGHT = "#101010", "#FFFFFF"
BLACK = "#000000"
BACKGROUND_NAMES = ("background", "_background_")  # black, and not tinted
GOLDEN_ANGLE = 0.381966  # of a full turn: consecutive hues are far apart


def check_photo(photo: RGBImage, size: tuple[int, int]) -> None:
    """Raise ValueError unless the photo is a uint8 array (H, W, 3) of `size` (height, width)."""
    if photo.dtype != np.uint8 or photo.shape != (*size, 3):
        raise ValueError(f"photo: expected uint8 {(*size, 3)}, found {photo.dtype} {photo.shape}")


def image_pixels(image: UInt8[Tensor, "3 H W"]) -> RGBImage:
    """The pixels of an image, (3, H, W) -> (H, W, 3)."""
    return np.ascontiguousarray(image.permute(1, 2, 0).cpu().numpy())


def rgb(color: str) -> tuple[int, int, int]:
    """#RRGGBB as three integers."""
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)


def is_background(name: str) -> bool:
    """Whether a class is called "background"."""
    return name.lower() in BACKGROUND_NAMES


def class_colors(class_names: Sequence[str]) -> list[str]:
    """A distinct color per class of a label map: first the palette, then hues in between.

    The background is black and is not counted, so that a class has the same color as its detections.
    """
    colors: list[str] = []
    unused = (color for color in map(distinct_color, count()) if color not in colors)
    for name in class_names:
        colors.append(BLACK if is_background(name) and BLACK not in colors else next(unused))
    return colors


def distinct_color(index: int) -> str:
    """The color of a number: first the palette, then hues in between."""
    if index < len(PALETTE):
        return PALETTE[index]
    turn, level = index - len(PALETTE), (index // 7) % 3
    red, green, blue = colorsys.hsv_to_rgb(turn * GOLDEN_ANGLE % 1.0, 0.9 - 0.25 * level, 0.6 + 0.18 * level)
    return f"#{round(255 * red):02X}{round(255 * green):02X}{round(255 * blue):02X}"


def text_color_on(background: str) -> str:
    """Dark or light, whichever contrasts better with `background`."""
    red, green, blue = rgb(background)
    return DARK if 0.299 * red + 0.587 * green + 0.114 * blue > 125 else LIGHT
