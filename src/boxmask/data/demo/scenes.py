"""Scenes of the demo data set: handwritten digits on a textured ground, with exact masks."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from boxmask.data.demo.backgrounds import PALETTES, Picture, Plane, ground, rgb
from boxmask.data.demo.digits import Samples, drawn

_WHITE = np.float32(250)
_SHADE = np.float32(0.4)  # how dark a shadow is


@dataclass(frozen=True, slots=True)
class DemoRecipe:
    """How hard the demo is; lengths in pixels, shares in 0..1.

    photo_shares:   of the photos that go to train, val and test
    sample_shares:  of the handwriting that goes to train, val and test
    size:           (height, width) of a photo; some stand upright
    objects:        fewest and most in a photo that has any
    empty_every:    every so many photos one has no object at all
    heights:        of most digits; a share of `small_share` has `small_heights`
    degrees, shear: each digit is turned and leaned by up to this, either way
    min_visible:    the least share of a digit that stays in view
    strokes:        fewest and most scribbles that are no digits
    sticker_share:  of the photos on light grounds whose digits have a white rim, which counts as theirs
    grain:          standard deviation of the noise, of 255
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
    """A photo, (H, W, 3) uint8, its N digits' labels, and (N, H, W) bool masks of what is seen of them."""

    photo: NDArray[np.uint8]
    labels: list[int]
    masks: NDArray[np.bool_]


@dataclass(frozen=True)
class _Cutout:
    """A digit ready to be laid down: its colors (h, w, 3), opacity (h, w) and shadow (h, w)."""

    colors: Picture
    opacity: Plane
    shadow: Plane


@dataclass
class _Table:
    """The scene while digits are laid on it: `owner` says which digit each pixel shows, -1 for none."""

    picture: Picture
    owner: NDArray[np.int64]
    whole: list[int]  # pixels that each digit has in all

    def lay(self, cutout: _Cutout, min_visible: float, rng: np.random.Generator) -> bool:
        """Find a place where this and all other digits stay in view, and lay it there; or say no."""
        solid = cutout.opacity > 0.5
        for _ in range(20):
            place = _place(self.owner.shape, solid.shape, rng)
            here, part = _windows(place, solid.shape, self.owner.shape)
            owner = self.owner.copy()
            owner[here][solid[part]] = len(self.whole)
            seen = np.bincount(owner[owner >= 0], minlength=len(self.whole) + 1)
            if np.all(seen >= min_visible * np.array([*self.whole, solid.sum()])):
                self._paint(cutout, here, part)
                self.owner = owner
                self.whole.append(int(solid.sum()))
                return True
        return False

    def _paint(self, cutout: _Cutout, here: tuple[slice, slice], part: tuple[slice, slice]) -> None:
        view = self.picture[here]
        view *= 1 - cutout.shadow[part][..., None]
        view += (cutout.colors[part] - view) * cutout.opacity[part][..., None]


def make_scene(samples: Samples, recipe: DemoRecipe, empty: bool, rng: np.random.Generator) -> Scene:
    """One photo with digits of `samples`, or with none; all chance is drawn from `rng`."""
    size = recipe.size[::-1] if rng.random() < recipe.upright_share else recipe.size
    palette = PALETTES[rng.integers(len(PALETTES))]
    strokes = int(rng.integers(recipe.strokes[0], recipe.strokes[1] + 1))
    table = _Table(ground(size, palette, strokes, rng), np.full(size, -1, dtype=np.int64), [])
    sticker = palette.light and rng.random() < recipe.sticker_share
    labels: list[int] = []
    inks = rng.permutation(palette.inks)
    for turn in range(0 if empty else int(rng.integers(recipe.objects[0], recipe.objects[1] + 1))):
        sample = int(rng.integers(len(samples.labels)))
        opacity = _shape(samples.fields[sample], recipe, rng)
        ink = rgb(inks[turn % len(inks)])  # in turn, so that neighbors seldom have the same
        cutout = _cutout(opacity, ink, sticker)
        if table.lay(cutout, recipe.min_visible, rng):
            labels.append(int(samples.labels[sample]))
    masks = table.owner == np.arange(len(labels))[:, None, None]
    return Scene(_developed(table.picture, recipe.grain, rng), labels, masks)


def _shape(field: Plane, recipe: DemoRecipe, rng: np.random.Generator) -> Plane:
    low, high = recipe.small_heights if rng.random() < recipe.small_share else recipe.heights
    height = low * (high / low) ** rng.random()  # as many from 30 to 60 as from 60 to 120
    lean, turn = rng.uniform(-1, 1, size=2)
    return drawn(field, height, degrees=turn * recipe.degrees, shear=lean * recipe.shear)


def _cutout(opacity: Plane, ink: NDArray[np.float32], sticker: bool) -> _Cutout:
    """Color a digit, with a white rim where it is a sticker, and give it a soft shadow."""
    rim, drop = max(1.5, 0.05 * len(opacity)), max(1.0, 0.04 * len(opacity))
    digit = np.pad(opacity, math.ceil(rim + 4 * drop))
    light = np.linspace(1.08, 0.88, len(digit), dtype=np.float32)[:, None] + _bevel(digit)
    colors = np.clip(ink * light[..., None], 0, 255)
    if sticker:
        colors = _WHITE + (colors - _WHITE) * digit[..., None]
        digit = np.maximum(digit, np.clip(4 * _blurred(digit, rim), 0, 1))
    shadow = np.roll(_blurred(digit, drop), (round(drop), round(drop)), axis=(0, 1))
    return _Cutout(colors, digit, _SHADE * shadow)


def _bevel(digit: Plane) -> Plane:
    """Light from above left on rounded strokes."""
    soft = _blurred(digit, max(0.8, 0.02 * len(digit)))
    slope: Plane = np.gradient(soft, axis=0) + np.gradient(soft, axis=1)
    return (0.5 * slope).clip(-0.15, 0.25)


def _blurred(plane: Plane, radius: float) -> Plane:
    image = Image.fromarray((plane * 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(radius))
    return np.asarray(image, dtype=np.float32) / np.float32(255)


def _place(canvas: tuple[int, ...], shape: tuple[int, ...], rng: np.random.Generator) -> tuple[int, int]:
    """A corner (top, left) such that at most a tenth of the shape hangs over each edge."""
    y, x = (rng.uniform(-0.1 * n, max(m - 0.9 * n, -0.1 * n)) for n, m in zip(shape, canvas, strict=True))
    return round(y), round(x)


def _windows(
    place: tuple[int, int], shape: tuple[int, ...], canvas: tuple[int, ...]
) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """The part of the canvas that a shape at `place` covers, and the part of the shape that is on it."""
    starts = [max(0, p) for p in place]
    ends = [min(m, p + n) for p, n, m in zip(place, shape, canvas, strict=True)]
    here = [slice(a, b) for a, b in zip(starts, ends, strict=True)]
    part = [slice(a - p, b - p) for a, b, p in zip(starts, ends, place, strict=True)]
    return (here[0], here[1]), (part[0], part[1])


def _developed(picture: Picture, grain: float, rng: np.random.Generator) -> NDArray[np.uint8]:
    """As a camera would have it: darker corners and some grain."""
    y, x = (np.linspace(-1, 1, n, dtype=np.float32) for n in picture.shape[:2])
    vignette = 1 - 0.1 * (y[:, None] ** 2 + x**2)
    noise = grain * rng.standard_normal(picture.shape[:2], dtype=np.float32)
    photo: Picture = picture * vignette[..., None] + noise[..., None]
    return photo.clip(0, 255).astype(np.uint8)
