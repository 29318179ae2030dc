"""The unit of YOLO's numbers: fractions of the photo, or by mistake percent or pixels.

Numbers of 0 to 100 may be percent, or pixels in the upper left of the photos. The sizes of the photos tell:
pixels end at the edges of the photos, and percent at 100.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
from jaxtyping import Bool, Float, Int

from boxmask.data.findings import Kind
from boxmask.data.formats.kinds import COORDINATES_PERCENT
from boxmask.data.formats.labels import PhotoEntry
from boxmask.data.formats.yolo.kinds import COORDINATES_PIXELS, COORDINATES_UNCLEAR
from boxmask.errors import PhotoError
from boxmask.photos.size import photo_size

Unit: TypeAlias = Literal["percent", "pixels", "unclear"]

KIND_OF_UNIT: Mapping[Unit, Kind] = {
    "percent": COORDINATES_PERCENT,
    "pixels": COORDINATES_PIXELS,
    "unclear": COORDINATES_UNCLEAR,
}

FAR_BEYOND = 1.5
"""Fractions above this are no carelessly drawn edges."""

MAX_PERCENT = 100.5
"""Percent may pass 100 by this much, because they are rounded."""

_NO_PERCENT = 110.0
"""Percent of carelessly drawn boxes do not pass this."""

_OVERHANG = 1.0
"""Pixels by which boxes may pass the edge of their photo."""

_MAX_MISFITS = 0.01
"""This share of the boxes need not fit."""

_MAX_PHOTOS = 500
"""The headers of so many photos are read."""

_MAX_CHANCE = 1e-6
"""Of two units that fit, one is right if boxes of the other would avoid the rest of the photos by chance less
often than this. A photo counts once, because objects of one photo are often close together."""

_MIN_FILLED, _MAX_FILLED = 0.8, 0.7
"""Boxes are in percent only if they reach this part of the photos in both directions, and if they fill, as
pixels, no more than the second part of them, along a side."""

_MIN_FILLED_ALONE = 0.95
"""Without the sizes of photos, boxes in percent must reach this far."""


def find_unit(
    boxes: Float[np.ndarray, "M 4"], edges: Float[np.ndarray, "M 2"], photo_of: Int[np.ndarray, " M"]
) -> Unit:
    """The unit of finite boxes that are no fractions.

    edges:    width and height of the photo of each box; infinite where they are unknown
    photo_of: the photo of each box
    """
    known = np.isfinite(edges).all(axis=1)
    if known.any():
        boxes, edges, photo_of = boxes[known], edges[known], photo_of[known]
    reach = np.quantile(boxes[:, 2:], 1 - _MAX_MISFITS, axis=0, method="higher")
    fit_percent = _fit(boxes, np.full_like(edges, MAX_PERCENT))
    if not known.any():
        return _unit_of_reach(reach, fit_percent)
    fit_pixels = _fit(boxes, edges + _OVERHANG)
    if fit_percent and not fit_pixels:
        return "percent"
    if not fit_percent:
        are_filled = fit_pixels and bool((reach >= _MIN_FILLED * np.median(edges, axis=0)).all())
        return "pixels" if are_filled or reach.max() > _NO_PERCENT else "unclear"
    return _compare(reach, edges, photo_of)


def _fit(boxes: Float[np.ndarray, "M 4"], ends: Float[np.ndarray, "M 2"]) -> bool:
    """Whether boxes begin at 0 or later, and end before `ends`, all but a few."""
    begin_before = (boxes[:, :2] < -_OVERHANG).any(axis=1)
    misfits: Bool[np.ndarray, " M"] = np.asarray(begin_before | (boxes[:, 2:] > ends).any(axis=1))
    return bool(misfits.mean() <= _MAX_MISFITS)


def _unit_of_reach(reach: Float[np.ndarray, " 2"], fit_percent: bool) -> Unit:
    """The unit without the sizes of the photos."""
    if fit_percent:
        return "percent" if reach.min() >= 100 * _MIN_FILLED_ALONE else "unclear"
    return "pixels" if reach.max() > _NO_PERCENT else "unclear"


def _compare(
    reach: Float[np.ndarray, " 2"], edges: Float[np.ndarray, "M 2"], photo_of: Int[np.ndarray, " M"]
) -> Unit:
    """The likelier of two units that both fit."""
    _, firsts = np.unique(photo_of, return_index=True)  # a box of each photo
    parts = np.minimum(reach / edges[firsts], 1)
    as_pixels = np.log(np.maximum(parts, 1e-9)).sum()
    as_percent = len(firsts) * np.log(np.clip(reach / 100, 1e-9, 1)).sum()
    if as_pixels - as_percent >= -np.log(_MAX_CHANCE):
        return "pixels"
    is_filled = reach.min() >= 100 * _MIN_FILLED
    is_small = np.exp(np.log(np.maximum(parts, 1e-9)).mean()) <= _MAX_FILLED
    is_percent = is_filled and is_small and as_percent - as_pixels >= -np.log(_MAX_CHANCE)
    return "percent" if is_percent else "unclear"


def photo_edges(
    root: Path, photos: Sequence[PhotoEntry], photo_of: Int[np.ndarray, " M"]
) -> Float[np.ndarray, "M 2"]:
    """Width and height of the photo of each box; infinite where the photo cannot be read, or was not read."""
    indices, numbers = np.unique(photo_of, return_inverse=True)
    edges = np.full((len(indices), 2), np.inf)
    for row, index in enumerate(indices[:_MAX_PHOTOS].tolist()):
        if photos[index].missing_name:
            continue
        try:
            edges[row] = photo_size(root / photos[index].file)[::-1]
        except PhotoError:  # reported with the photos
            continue
    return np.asarray(edges[numbers])
