"""Handwritten digits as smooth shapes of any size: the objects of the demo data set.

The samples are the 1,797 bundled with scikit-learn (Alpaydin and Kaynak 1998, UCI Optical Recognition of
Handwritten Digits): 8 x 8 counts of ink, drawn here as the level set of a smoothed field.
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

_CELLS = 8  # the samples' side
_MARGIN = 2  # empty cells around, so that strokes close at the edge
_FINE = 8  # field pixels a cell
_STROKE = 0.55  # standard deviation in cells: joins the cells of a stroke
_AROUND = 1.2  # the same of the surroundings, which are subtracted to open the holes of an eight ...
_SHARPEN = 2.0  # ... with this weight
_LEVEL = 0.54  # of full ink: where the outline runs


@dataclass(frozen=True)
class Samples:
    """Handwritten digits of one split: `fields` (S, F, F) float32 of smooth ink, `labels` (S,) int64."""

    fields: NDArray[np.float32]
    labels: NDArray[np.int64]


def samples_of(split: str, shares: tuple[float, float, float]) -> Samples:
    """The handwriting set aside for "train", "val" or "test"; no sample is in two of them.

    The division is the same for every seed: what a detector is tested on was never trained on.
    """
    digits = load_digits()
    order = np.random.default_rng(0).permutation(len(digits.target))
    ends = np.round(np.cumsum((0.0, *shares)) * len(order)).astype(int)
    which = SPLITS.index(split)
    mine = order[ends[which] : ends[which + 1]]
    return Samples(_fields(digits.images[mine] / 16), digits.target[mine].astype(np.int64))


def _fields(cells: NDArray[np.float64]) -> NDArray[np.float32]:
    """Counts of ink as smooth, sharpened fields, (S, 8, 8) -> (S, F, F)."""
    near, far = _smooth(cells, _STROKE), _smooth(cells, _AROUND)
    return (near + _SHARPEN * (near - far)).astype(np.float32)


def _smooth(cells: NDArray[np.float64], spread: float) -> NDArray[np.float64]:
    """Between the cells by normalized Gaussian weights of standard deviation `spread`, in cells."""
    centers = (np.arange((_CELLS + 2 * _MARGIN) * _FINE) + 0.5) / _FINE - _MARGIN - 0.5
    weights = np.exp(-(((centers[:, None] - np.arange(-_MARGIN, _CELLS + _MARGIN)) / spread) ** 2) / 2)
    weights = (weights / weights.sum(axis=1, keepdims=True))[:, _MARGIN:-_MARGIN]
    smooth: NDArray[np.float64] = weights @ cells @ weights.T
    return smooth


def drawn(field: NDArray[np.float32], height: float, degrees: float, shear: float) -> NDArray[np.float32]:
    """The digit as opacity, (F, F) -> (h, w) in 0..1, cropped to what is seen.

    `height` is of the upright digit in pixels; it is then leaned by `shear` and turned by `degrees`. The
    outline is found at the size it is shown in, so that small and large digits are equally crisp.
    """
    rows = np.flatnonzero((field > _LEVEL).any(axis=1))
    zoom = height / (rows[-1] - rows[0] + 1)
    side = math.ceil(len(field) * zoom * 1.5)
    inverse = np.linalg.inv(_turn(degrees) @ np.array([[1.0, -shear], [0.0, 1.0]]) * zoom)
    offset = len(field) / 2 - inverse @ (side / 2, side / 2)
    affine = (*inverse[0], offset[0], *inverse[1], offset[1])
    placed = Image.fromarray(field).transform(
        (side, side), Image.Transform.AFFINE, affine, Image.Resampling.BICUBIC
    )
    return _cropped(_opacity(np.asarray(placed), gentlest=0.4 / (_FINE * zoom)))


def _turn(degrees: float) -> NDArray[np.float64]:
    angle = math.radians(degrees)
    return np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])


def _opacity(ink: NDArray[np.float32], gentlest: float) -> NDArray[np.float32]:
    """Antialiased inside of the outline: its distance in pixels is (ink - level) / |gradient|."""
    down, right = np.gradient(ink)
    steep = np.maximum(np.hypot(down, right), gentlest)
    opacity: NDArray[np.float32] = np.clip((ink - _LEVEL) / steep + 0.5, 0, 1).astype(np.float32)
    return opacity


def _cropped(opacity: NDArray[np.float32]) -> NDArray[np.float32]:
    rows, columns = np.flatnonzero(opacity.any(axis=1)), np.flatnonzero(opacity.any(axis=0))
    return opacity[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
