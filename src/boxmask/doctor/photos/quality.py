"""Photos that cannot be read, are in an unusual form, or show little."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import PurePosixPath
from typing import TypeAlias

import numpy as np
from jaxtyping import Bool, Float32, Float64

from boxmask.data.findings import Finding, Findings, Kind, Location
from boxmask.data.photo_records.records import DAMAGED, MISSING, PERCENTILES, UNREADABLE, PhotoRecords
from boxmask.doctor.photos import kinds
from boxmask.doctor.photos.modes import check_modes
from boxmask.photos.suffixes import FORMATS_OF_SUFFIX

# Absolute limits, measured on 765 photos of people, animals, fruits, land from above and cells. Gray values
# are 0..255. A photo beyond a limit is bad in most data sets, but not in all.
_DARK = 80  # 99 % of the pixels are darker than a third of white
_LIGHT = 225  # 95 % of the pixels are lighter
_BLANK_RANGE = 32  # from the darkest to the lightest pixel at 256 pixels; noise stays below
_BLANK_THUMBNAIL_RANGE = 4  # the same at 16 pixels, where noise has vanished and a small object has not
_BLURRED = 0.12  # σ of 1.4 pixels at 256 pixels. The least sharp photo has 0.13, with microscopes.

# Limits relative to the data set: microscope photos are dark as a set, and product photos light.
_MIN_PHOTOS = 5  # fewer have no meaningful median
_DEVIATIONS = 3.5  # Iglewicz and Hoaglin, "How to detect and handle outliers", 1993
_TWICE = float(np.log(2))
_MAX_SHARE = 0.2  # what holds for more of the photos is how the data set looks
_MAX_COUNT = 2
_SIXTEEN_TIMES = float(np.log(16))  # pixels: four times each side
_LONG = 4.0  # ratio of the sides


def check_photo_files(records: PhotoRecords, findings: Findings) -> None:
    """Find photos that cannot be read, or whose suffix, pixel format or orientation is unusual.

    Missing photos are findings of the readers of labels.
    """
    unreadable = np.isin(records.states, (UNREADABLE, MISSING))  # a link that leads nowhere is missing
    for kind, found in (
        (kinds.PHOTO_UNREADABLE, unreadable),
        (kinds.PHOTO_TRUNCATED, records.states == DAMAGED),
    ):
        _add(records, findings, kind, found, lambda photo: records.errors[photo])
    suffixes = [PurePosixPath(file).suffix.lower() for file in records.files]
    formats = records.formats.tolist()
    fits = [
        not found or found in FORMATS_OF_SUFFIX.get(suffix, (found,))
        for suffix, found in zip(suffixes, formats, strict=True)
    ]
    _add(
        records,
        findings,
        kinds.PHOTO_WRONG_SUFFIX,
        ~np.array(fits, dtype=np.bool_),
        lambda photo: f"ends in {suffixes[photo]}, but is {formats[photo]}",
    )
    check_modes(records, findings)
    _add(
        records,
        findings,
        kinds.EXIF_ROTATED,
        records.readable & (records.orientations != 1),
        lambda photo: f"EXIF orientation {records.orientations[photo]}",
    )


def check_photo_sizes(records: PhotoRecords, findings: Findings) -> None:
    """Find photos that are much smaller or larger than the median, or have sides of much different length."""
    good = np.flatnonzero((records.sizes > 0).all(axis=1))
    if not len(good):
        return
    heights, widths = np.log(records.sizes[good].T.astype(np.float64))
    areas, ratios = heights + widths, np.abs(heights - widths)
    odd = np.zeros(len(records), dtype=np.bool_)
    if len(good) >= _MIN_PHOTOS:
        odd[good] = np.abs(areas - np.median(areas)) > max(_SIXTEEN_TIMES, 5 * _spread(areas))
    odd[good] |= ratios > max(np.log(_LONG), np.median(ratios) + _TWICE)
    height, width = np.median(records.sizes[good], axis=0).tolist()
    _add(
        records,
        findings,
        kinds.PHOTO_ODD_SIZE,
        odd,
        lambda photo: (
            f"{records.sizes[photo, 1]} × {records.sizes[photo, 0]} pixels; "
            f"the median is {width:g} × {height:g}"
        ),
    )


def check_exposure_and_focus(records: PhotoRecords, findings: Findings) -> None:
    """Find photos that are blank, or much darker, lighter or less sharp than the others."""
    sharpness = records.sharpness
    low, light, dark, high = (
        records.brightness[:, PERCENTILES.index(percent)] for percent in (0, 5, 99, 100)
    )
    plain = np.ptp(records.thumbnails, axis=(1, 2)) <= _BLANK_THUMBNAIL_RANGE
    blank = records.readable & plain & (high - low <= _BLANK_RANGE)
    rest = records.readable & ~blank
    _add(
        records,
        findings,
        kinds.PHOTO_BLANK,
        blank,
        lambda photo: f"gray values from {low[photo]:.0f} to {high[photo]:.0f} of 255",
    )
    checks: tuple[tuple[Kind, Bool[np.ndarray, " P"], Float32[np.ndarray, " P"], _Describe], ...] = (
        (kinds.PHOTO_DARK, dark < _DARK, dark + 1, _pixels("99 % of the pixels are at most", dark)),
        (kinds.PHOTO_LIGHT, light > _LIGHT, 256 - light, _pixels("95 % of the pixels are at least", light)),
        (kinds.PHOTO_BLURRED, sharpness < _BLURRED, sharpness, lambda n: f"sharpness {sharpness[n]:.2f}"),
    )
    for kind, beyond, values, describe in checks:
        found = rest & beyond & _stands_out(values, rest)
        if found.sum() <= max(_MAX_COUNT, _MAX_SHARE * len(records)):
            _add(records, findings, kind, found, describe)


_Describe: TypeAlias = Callable[[int], str]
"""From the index of a photo to the detail of its finding."""


def _pixels(share: str, values: Float32[np.ndarray, " P"]) -> _Describe:
    return lambda photo: f"{share} {values[photo]:.0f} of 255"


def _add(
    records: PhotoRecords, findings: Findings, kind: Kind, found: Bool[np.ndarray, " P"], describe: _Describe
) -> None:
    """Add a finding for each photo that is found."""

    def finding(photo: int) -> Finding:
        file = records.files[photo]
        return Finding(kind, Location(str(records.root / file)), describe(photo), file)

    if found.any():
        findings.add_all(kind, np.flatnonzero(found).tolist(), finding)


def _stands_out(values: Float32[np.ndarray, " P"], among: Bool[np.ndarray, " P"]) -> Bool[np.ndarray, " P"]:
    """Which values are less than half the median and far below it.

    among: the photos that count
    """
    logarithms = np.log(np.maximum(values[among].astype(np.float64), 1e-3))
    result = among.copy()
    if len(logarithms) >= _MIN_PHOTOS:
        distances = np.median(logarithms) - logarithms
        result[among] = distances > max(_TWICE, _DEVIATIONS * _spread(logarithms))
    return result


def _spread(values: Float64[np.ndarray, " N"]) -> float:
    """A standard deviation that outliers do not change: 1.4826 times the median absolute deviation."""
    return 1.4826 * float(np.median(np.abs(values - np.median(values))))
