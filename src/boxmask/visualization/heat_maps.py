"""Draw a value of each cell of a map over a photo, from dark (low) to bright (high)."""

from __future__ import annotations

import matplotlib
import numpy as np
from jaxtyping import Float
from PIL import Image

from boxmask.visualization.legend import append_legend
from boxmask.visualization.style import RGBImage

COLORS = "inferno"  # its brightness grows evenly, so that it works in gray and for color-blind people
MIN_OPACITY, MAX_OPACITY = 0.35, 0.85  # of the lowest and of the highest value


def draw_heat_map(photo: RGBImage, values: Float[np.ndarray, "H W"], limits: tuple[float, float]) -> RGBImage:
    """The photo in gray under the colors of the values, one value per pixel.

    limits: the values of the darkest and of the brightest color; values beyond them are clipped
    """
    fractions = scale_to_limits(values, limits)
    colors = 255 * matplotlib.colormaps[COLORS](fractions)[..., :3]
    gray = np.asarray(Image.fromarray(photo).convert("L"), np.float32)[..., None]
    opacity = (MIN_OPACITY + (MAX_OPACITY - MIN_OPACITY) * fractions)[..., None]
    return np.asarray(((1 - opacity) * gray + opacity * colors).round(), np.uint8)


def draw_cells(cells: Float[np.ndarray, "h w"], side: int, limits: tuple[float, float]) -> RGBImage:
    """A small map alone, as a square of `side` pixels."""
    colors = (255 * matplotlib.colormaps[COLORS](scale_to_limits(cells, limits))[..., :3]).round()
    picture = Image.fromarray(colors.astype(np.uint8))
    return np.array(picture.resize((side, side), Image.Resampling.NEAREST))


def spread_cells(
    cells: Float[np.ndarray, "h w"],
    covered: tuple[float, float],
    size: tuple[int, int],
    center: float = 0.5,
) -> Float[np.ndarray, "H W"]:
    """The value of the cell at each pixel of a photo of `size` (height, width).

    covered: the parts of the map's height and width that the photo covers; the rest is padding
    center:  where in its cell a value stands, in cells from the upper left corner; a pixel gets the nearest
    """
    rows, columns = (
        ((np.arange(side) + 0.5) / side * part * count + 0.5 - center).astype(np.int64).clip(0, count - 1)
        for side, part, count in zip(size, covered, cells.shape, strict=True)
    )
    return np.asarray(cells[rows[:, None], columns], np.float32)


def append_scale(picture: RGBImage, limits: tuple[float, float]) -> RGBImage:
    """Append a legend with the values of some colors."""
    steps = np.linspace(0, 1, 5)
    low, high = limits
    colors = [matplotlib.colors.to_hex(matplotlib.colormaps[COLORS](step)) for step in steps.tolist()]
    values = [f"{low + (high - low) * step:.2g}" for step in steps.tolist()]
    return append_legend(picture, list(zip(values, colors, strict=True)))


def scale_to_limits(
    values: Float[np.ndarray, "H W"], limits: tuple[float, float]
) -> Float[np.ndarray, "H W"]:
    """Values as fractions of the way from the lower to the upper limit, in 0..1."""
    low, high = limits
    return np.asarray(((values - low) / max(high - low, 1e-12)).clip(0, 1), np.float32)
