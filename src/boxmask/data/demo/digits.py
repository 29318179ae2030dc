"""Handwritten digits as smooth shapes of any size: the objects of the demo data set.

The 1,797 samples come with scikit-learn (Alpaydin and Kaynak 1998, UCI Optical Recognition of Handwritten
Digits): 8 x 8 counts of ink, rendered here as the level set of a smoothed field.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from sklearn.datasets import load_digits

from boxmask.data.contract import SPLITS

DIGIT_NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")

_CELLS = 8  # side of a sample
_MARGIN = 2  # empty cells around it, so that strokes close at the edge
_PIXELS_PER_CELL = 8
_STROKE_SIGMA = 0.55  # in cells; joins the cells of a stroke
_SURROUND_SIGMA = 1.2  # in cells; the surroundings are subtracted to open the holes of an eight
_SHARPEN = 2.0  # the weight of that subtraction
_LEVEL = 0.54  # fraction of full ink at which the outline runs


@dataclass(frozen=True)
class Samples:
    """Handwritten digits of one split: `fields` (S, F, F) float32 of smooth ink, and `labels` (S,) int64."""

    fields: NDArray[np.float32]
    labels: NDArray[np.int64]


def load_samples(split: str, shares: tuple[float, float, float]) -> Samples:
    """The handwriting of one split, "train", "val" or "test"; splits share no sample.

    shares: of the samples in train, val and test

    The division is the same for every seed, so no detector is tested on handwriting from its training.
    """
    digits = load_digits()
    order = np.random.default_rng(0).permutation(len(digits.target))
    ends = np.round(np.cumsum((0.0, *shares)) * len(order)).astype(int)
    index = SPLITS.index(split)
    chosen = order[ends[index] : ends[index + 1]]
    return Samples(_fields(digits.images[chosen] / 16), digits.target[chosen].astype(np.int64))


def _fields(cells: NDArray[np.float64]) -> NDArray[np.float32]:
    """Counts of ink as smooth, sharpened fields, (S, 8, 8) -> (S, F, F)."""
    near, far = _smooth(cells, _STROKE_SIGMA), _smooth(cells, _SURROUND_SIGMA)
    return (near + _SHARPEN * (near - far)).astype(np.float32)


def _smooth(cells: NDArray[np.float64], sigma: float) -> NDArray[np.float64]:
    """Interpolate between cells by normalized Gaussian weights; `sigma` is in cells."""
    centers = (np.arange((_CELLS + 2 * _MARGIN) * _PIXELS_PER_CELL) + 0.5) / _PIXELS_PER_CELL - _MARGIN - 0.5
    weights = np.exp(-(((centers[:, None] - np.arange(-_MARGIN, _CELLS + _MARGIN)) / sigma) ** 2) / 2)
    weights = (weights / weights.sum(axis=1, keepdims=True))[:, _MARGIN:-_MARGIN]
    smooth: NDArray[np.float64] = weights @ cells @ weights.T
    return smooth


def render_digit(
    field: NDArray[np.float32], height: float, degrees: float, shear: float
) -> NDArray[np.float32]:
    """A digit as opacity in 0..1, cropped to its extent, (F, F) -> (h, w).

    `height` is that of the upright digit in pixels, before it is sheared and rotated. The outline is found at
    the final size, so that small and large digits are equally sharp.
    """
    rows = np.flatnonzero((field > _LEVEL).any(axis=1))
    zoom = height / (rows[-1] - rows[0] + 1)
    side = math.ceil(len(field) * zoom * 1.5)
    inverse = np.linalg.inv(_rotation(degrees) @ np.array([[1.0, -shear], [0.0, 1.0]]) * zoom)
    offset = len(field) / 2 - inverse @ (side / 2, side / 2)
    affine = (*inverse[0], offset[0], *inverse[1], offset[1])
    rendered = Image.fromarray(field).transform(
        (side, side), Image.Transform.AFFINE, affine, Image.Resampling.BICUBIC
    )
    return _crop(_opacity(np.asarray(rendered), min_gradient=0.4 / (_PIXELS_PER_CELL * zoom)))


def _rotation(degrees: float) -> NDArray[np.float64]:
    angle = math.radians(degrees)
    return np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])


def _opacity(ink: NDArray[np.float32], min_gradient: float) -> NDArray[np.float32]:
    """1 inside the outline, antialiased: the distance to it in pixels is (ink - level) / |gradient|."""
    down, right = np.gradient(ink)
    gradient = np.maximum(np.hypot(down, right), min_gradient)
    opacity: NDArray[np.float32] = np.clip((ink - _LEVEL) / gradient + 0.5, 0, 1).astype(np.float32)
    return opacity


def _crop(opacity: NDArray[np.float32]) -> NDArray[np.float32]:
    rows, columns = np.flatnonzero(opacity.any(axis=1)), np.flatnonzero(opacity.any(axis=0))
    return opacity[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
