"""Scenes of the demo data set: handwritten digits on a textured background, with exact masks."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from boxmask.data.demo.backgrounds import PALETTES, Picture, Plane, make_background, rgb
from boxmask.data.demo.digits import Samples, render_digit

_WHITE = np.float32(250)
_SHADE = np.float32(0.4)  # opacity of a shadow


@dataclass(frozen=True, slots=True)
class DemoRecipe:
    """The difficulty of the demo. Lengths are in pixels, shares in 0..1.

    photo_shares:   shares of the photos in train, val and test
    sample_shares:  shares of the handwriting in train, val and test
    size:           (height, width) of a photo in landscape format
    upright_share:  share of the photos in portrait format
    objects:        minimum and maximum number of digits in a photo that has any
    empty_every:    one photo in `empty_every` has no digit
    heights:        range of the height of most digits
    small_heights:  range of the height of small digits
    small_share:    share of the digits that are small
    degrees, shear: maximum rotation and shear of a digit, in either direction
    min_visible:    share of a digit that stays visible
    strokes:        minimum and maximum number of scribbles
    sticker_share:  share of the digits on light backgrounds that have a white rim
    grain:          standard deviation of the noise, on a scale of 255
    """

    photo_shares: tuple[float, float, float] = (0.75, 0.1, 0.15)
    sample_shares: tuple[float, float, float] = (0.7, 0.1, 0.2)
    size: tuple[int, int] = (240, 320)
    upright_share: float = 0.25
    objects: tuple[int, int] = (1, 8)
    empty_every: int = 50
    heights: tuple[float, float] = (28.0, 104.0)
    small_heights: tuple[float, float] = (17.0, 28.0)
    small_share: float = 0.12
    degrees: float = 14.0
    shear: float = 0.2
    min_visible: float = 0.7
    strokes: tuple[int, int] = (0, 7)
    sticker_share: float = 0.35
    grain: float = 3.0


@dataclass(frozen=True)
class Scene:
    """A photo (H, W, 3) uint8, its N digits' labels, and (N, H, W) bool masks of their visible parts."""

    photo: NDArray[np.uint8]
    labels: list[int]
    masks: NDArray[np.bool_]


@dataclass(frozen=True)
class _Cutout:
    """A digit to be placed: its colors (h, w, 3), opacity (h, w) and shadow (h, w)."""

    colors: Picture
    opacity: Plane
    shadow: Plane


@dataclass
class _Canvas:
    """A scene while it is composed: `owner` is the digit that each pixel shows, -1 for none."""

    picture: Picture
    owner: NDArray[np.int64]
    pixel_counts: list[int]  # of each digit, visible or not

    def place(self, cutout: _Cutout, min_visible: float, rng: np.random.Generator) -> bool:
        """Place a digit where it and all others stay visible; returns False if there is no such position."""
        solid = cutout.opacity > 0.5
        for _ in range(20):
            corner = _random_corner(self.owner.shape, solid.shape, rng)
            window, part = _windows(corner, solid.shape, self.owner.shape)
            owner = self.owner.copy()
            owner[window][solid[part]] = len(self.pixel_counts)
            visible = np.bincount(owner[owner >= 0], minlength=len(self.pixel_counts) + 1)
            if np.all(visible >= min_visible * np.array([*self.pixel_counts, solid.sum()])):
                self._paint(cutout, window, part)
                self.owner = owner
                self.pixel_counts.append(int(solid.sum()))
                return True
        return False

    def _paint(self, cutout: _Cutout, window: tuple[slice, slice], part: tuple[slice, slice]) -> None:
        view = self.picture[window]
        view *= 1 - cutout.shadow[part][..., None]
        view += (cutout.colors[part] - view) * cutout.opacity[part][..., None]


def make_scene(samples: Samples, recipe: DemoRecipe, empty: bool, rng: np.random.Generator) -> Scene:
    """One photo with digits of `samples`, or without any. All randomness comes from `rng`."""
    size = recipe.size[::-1] if rng.random() < recipe.upright_share else recipe.size
    palette = PALETTES[rng.integers(len(PALETTES))]
    strokes = int(rng.integers(recipe.strokes[0], recipe.strokes[1] + 1))
    background = make_background(size, palette, strokes, rng)
    canvas = _Canvas(background, np.full(size, -1, dtype=np.int64), [])
    sticker = palette.is_light and rng.random() < recipe.sticker_share
    labels: list[int] = []
    inks = rng.permutation(palette.inks)
    for number in range(0 if empty else int(rng.integers(recipe.objects[0], recipe.objects[1] + 1))):
        sample = int(rng.integers(len(samples.labels)))
        opacity = _random_digit(samples.fields[sample], recipe, rng)
        ink = rgb(inks[number % len(inks)])  # in turn, so that few digits share a color
        cutout = _cutout(opacity, ink, sticker)
        if canvas.place(cutout, recipe.min_visible, rng):
            labels.append(int(samples.labels[sample]))
    masks = canvas.owner == np.arange(len(labels))[:, None, None]
    return Scene(_add_vignette_and_grain(canvas.picture, recipe.grain, rng), labels, masks)


def _random_digit(field: Plane, recipe: DemoRecipe, rng: np.random.Generator) -> Plane:
    low, high = recipe.small_heights if rng.random() < recipe.small_share else recipe.heights
    height = low * (high / low) ** rng.random()  # log-uniform
    lean, turn = rng.uniform(-1, 1, size=2)
    return render_digit(field, height, degrees=turn * recipe.degrees, shear=lean * recipe.shear)


def _cutout(opacity: Plane, ink: NDArray[np.float32], sticker: bool) -> _Cutout:
    """Color a digit and give it a soft shadow; a sticker also gets a white rim."""
    rim, drop = max(1.5, 0.05 * len(opacity)), max(1.0, 0.04 * len(opacity))
    digit = np.pad(opacity, math.ceil(rim + 4 * drop))
    light = np.linspace(1.08, 0.88, len(digit), dtype=np.float32)[:, None] + _bevel(digit)
    colors = np.clip(ink * light[..., None], 0, 255)
    if sticker:
        colors = _WHITE + (colors - _WHITE) * digit[..., None]
        digit = np.maximum(digit, np.clip(4 * _blur(digit, rim), 0, 1))
    shadow = np.roll(_blur(digit, drop), (round(drop), round(drop)), axis=(0, 1))
    return _Cutout(colors, digit, _SHADE * shadow)


def _bevel(digit: Plane) -> Plane:
    """Light from the top left on rounded strokes."""
    soft = _blur(digit, max(0.8, 0.02 * len(digit)))
    slope: Plane = np.gradient(soft, axis=0) + np.gradient(soft, axis=1)
    return (0.5 * slope).clip(-0.15, 0.25)


def _blur(plane: Plane, radius: float) -> Plane:
    image = Image.fromarray((plane * 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(radius))
    return np.asarray(image, dtype=np.float32) / np.float32(255)


def _random_corner(
    canvas: tuple[int, ...], shape: tuple[int, ...], rng: np.random.Generator
) -> tuple[int, int]:
    """A corner (top, left) such that at most a tenth of the shape lies beyond each edge."""
    y, x = (rng.uniform(-0.1 * n, max(m - 0.9 * n, -0.1 * n)) for n, m in zip(shape, canvas, strict=True))
    return round(y), round(x)


def _windows(
    corner: tuple[int, int], shape: tuple[int, ...], canvas: tuple[int, ...]
) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """The part of the canvas that a shape at `corner` covers, and the part of the shape on the canvas."""
    starts = [max(0, p) for p in corner]
    ends = [min(m, p + n) for p, n, m in zip(corner, shape, canvas, strict=True)]
    window = [slice(a, b) for a, b in zip(starts, ends, strict=True)]
    part = [slice(a - p, b - p) for a, b, p in zip(starts, ends, corner, strict=True)]
    return (window[0], window[1]), (part[0], part[1])


def _add_vignette_and_grain(picture: Picture, grain: float, rng: np.random.Generator) -> NDArray[np.uint8]:
    """The picture as a photo, with darker corners and some grain."""
    y, x = (np.linspace(-1, 1, n, dtype=np.float32) for n in picture.shape[:2])
    vignette = 1 - 0.1 * (y[:, None] ** 2 + x**2)
    noise = grain * rng.standard_normal(picture.shape[:2], dtype=np.float32)
    photo: Picture = picture * vignette[..., None] + noise[..., None]
    return photo.clip(0, 255).astype(np.uint8)
