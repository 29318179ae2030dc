"""Backgrounds of the demo photos: textures in pleasant colors, with scribbles that are not digits."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

Plane = NDArray[np.floating[Any]]  # (H, W)
Picture = NDArray[np.floating[Any]]  # (H, W, 3) in 0..255


@dataclass(frozen=True)
class Palette:
    """Two colors of the background, and ink colors that contrast with both."""

    backgrounds: tuple[str, str]
    inks: tuple[str, ...]

    @property
    def is_light(self) -> bool:
        """Whether the background is light and the ink dark."""
        return bool(rgb(self.backgrounds[0]).mean() > 128)


PALETTES = (
    Palette(("#0b2d48", "#14506b"), ("#ffd166", "#ff9c91", "#9be3de", "#f7f4ea", "#f4b266")),
    Palette(("#f4ecd8", "#e4d5b7"), ("#a8322a", "#1f4e79", "#2a6137", "#5b2a6e", "#3a3a3a")),
    Palette(("#1d332b", "#2c4a3e"), ("#f5f1e3", "#f6c667", "#f5a3a3", "#8fd3e8", "#b5e48c")),
    Palette(("#2b1d42", "#54295a"), ("#ffb86b", "#ff9fb5", "#f9f871", "#7de2d1", "#ffffff")),
    Palette(("#bfe3f2", "#e9f6fb"), ("#b02a3c", "#00527a", "#5a3e85", "#155a3d", "#8a3b12")),
    Palette(("#dcebb9", "#bfd996"), ("#7a1f3d", "#1d3f72", "#5c3310", "#14523c", "#4b2280")),
    Palette(("#5f2419", "#7d3325"), ("#ffe8c2", "#ffd23f", "#a8e6cf", "#ffffff", "#a9d8ff")),
    Palette(("#333947", "#454e60"), ("#ebcb8b", "#ffacac", "#a3e0b0", "#88d8e8", "#eceff4")),
    Palette(("#ffdccb", "#ffc7ad"), ("#1b4965", "#7b2d26", "#3d348b", "#0b5d45", "#6b2450")),
    Palette(("#cdeee0", "#abdfcd"), ("#a00f1b", "#14213d", "#5f0f40", "#6e4420", "#3c1874")),
)


def rgb(color: str) -> NDArray[np.float32]:
    """A color "#rrggbb" as (3,) float32 in 0..255."""
    return np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)], dtype=np.float32)


def make_background(
    size: tuple[int, int], palette: Palette, strokes: int, rng: np.random.Generator
) -> Picture:
    """A textured background of (height, width) with a number of scribbles, as (H, W, 3) in 0..255."""
    mix = _gradient(size, rng) + _clouds(size, rng) + _pattern(size, rng)
    mix = np.clip((mix - mix.mean()) / (3.5 * mix.std()) + 0.5, 0, 1)[..., None]
    first, second = (rgb(color) for color in palette.backgrounds)
    picture: Picture = first + (second - first) * mix
    inks = [rgb(str(rng.choice(palette.inks))) for _ in range(strokes)]
    ink, opacity = _scribbles(size, inks, rng)
    picture += (ink - picture) * opacity
    return picture


def _gradient(size: tuple[int, int], rng: np.random.Generator) -> Plane:
    y, x = _coordinates(size)
    angle = rng.uniform(0, 2 * math.pi)
    slope: Plane = math.sin(angle) * y / size[0] + math.cos(angle) * x / size[1]
    return slope


def _coordinates(size: tuple[int, int]) -> tuple[Plane, Plane]:
    """The row and the column of every pixel."""
    y, x = np.mgrid[: size[0], : size[1]].astype(np.float32)
    return y, x


def _clouds(size: tuple[int, int], rng: np.random.Generator) -> Plane:
    """Sum of octaves of smooth noise, each twice as fine and about half as strong as the one before."""
    roughness = rng.uniform(0.35, 0.65)
    octaves: Plane = np.zeros(size, dtype=np.float32)
    for level in range(6):
        coarse = rng.standard_normal((3 << level, 4 << level)).astype(np.float32)
        octaves += roughness**level * _upscale(coarse, size)
    octaves *= rng.uniform(0.2, 0.8)
    return octaves


def _upscale(plane: Plane, size: tuple[int, int]) -> Plane:
    return np.asarray(Image.fromarray(plane).resize(size[::-1], Image.Resampling.BICUBIC))


def _pattern(size: tuple[int, int], rng: np.random.Generator) -> Plane:
    """Stripes, checks or dots at an angle, or no pattern."""
    y, x = _coordinates(size)
    angle, period = rng.uniform(0, math.pi), rng.uniform(14, 48)
    along = np.sin((x * math.cos(angle) + y * math.sin(angle)) * (2 * math.pi / period))
    across = np.sin((y * math.cos(angle) - x * math.sin(angle)) * (2 * math.pi / period))
    patterns = (
        np.zeros_like(x),
        np.tanh(4 * along),
        np.tanh(6 * along * across),
        np.tanh(8 * (along + across - 1)),
    )
    chosen = patterns[rng.integers(len(patterns))] * rng.uniform(0.15, 0.45)
    return chosen.astype(np.float32)


def _scribbles(
    size: tuple[int, int], inks: list[NDArray[np.float32]], rng: np.random.Generator
) -> tuple[Picture, Picture]:
    """One soft scribble per ink, anywhere: colors (H, W, 3) and opacity (H, W, 1) in 0..1."""
    factor = 2  # drawn larger and then reduced, for smooth edges
    sheet = Image.new("RGBA", (size[1] * factor, size[0] * factor))
    pen = ImageDraw.Draw(sheet)
    for ink in inks:
        color = (*ink.astype(int).tolist(), int(rng.uniform(64, 150)))
        reach, width = factor * rng.uniform(10, 28), round(factor * rng.uniform(1.5, 4.5))
        center, angle = rng.random(2) * sheet.size, rng.uniform(0, 2 * math.pi)
        for line in _lines(rng):
            points = [tuple(center + reach * point) for point in _rotate(line, angle)]
            pen.line(points, fill=color, width=width, joint="curve")
    small = np.asarray(sheet.resize(size[::-1], Image.Resampling.BOX), dtype=np.float32)
    return small[..., :3], small[..., 3:] / 255


def _lines(rng: np.random.Generator) -> list[NDArray[np.float64]]:
    """The lines of a zigzag, wave, triangle, cross or star; each (P, 2) in -1..1."""
    run = np.linspace(-1, 1, 41)
    zigzag = np.stack([run[::5], 0.25 * (-1.0) ** np.arange(9)], axis=1)
    wave = np.stack([run, 0.2 * np.sin(12 * run)], axis=1)
    third = 2 * math.pi / 3
    triangle = np.array([[math.sin(corner * third), math.cos(corner * third)] for corner in range(5)])
    bars = [
        _rotate(np.array([[-1.0, 0.0], [1.0, 0.0]]), angle) for angle in (0, third / 2, third, math.pi / 2)
    ]
    marks = ([zigzag], [wave], [triangle], [bars[0], bars[3]], bars[:3])
    return marks[rng.integers(len(marks))]


def _rotate(points: NDArray[np.float64], angle: float) -> NDArray[np.float64]:
    cos, sin = math.cos(angle), math.sin(angle)
    turned: NDArray[np.float64] = points @ np.array([[cos, sin], [-sin, cos]])
    return turned
