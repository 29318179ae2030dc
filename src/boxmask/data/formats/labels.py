"""Labels as read from their files, in one form for all formats, before any check against the photos."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from boxmask.data.class_names import SpellingPlaces, Spellings
from boxmask.data.findings import Location
from boxmask.data.outlines import Outline
from boxmask.json_numbers import is_number


@dataclass(frozen=True, slots=True)
class Attributes:
    """What labels say beside class, box and outline, for writers that can hold it. Values are JSON values.

    Names are those of the format that was read, except for these, which all readers and writers share:
    "truncated", "occluded", "group", "description", "score", "z_order", "area".

    objects: by row
    photos:  by index
    classes: by name, such as "supercategory" and "color"
    """

    objects: Mapping[int, Mapping[str, object]] = field(default_factory=dict)
    photos: Mapping[int, Mapping[str, object]] = field(default_factory=dict)
    classes: Mapping[str, Mapping[str, object]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PhotoEntry:
    """A photo that the labels name.

    file:          relative to the root, with "/"
    location:      of the label that names it
    declared_size: (height, width) in the labels, if given
    split:         "train", "val" or "test", if the data set names one
    image_id:      the format's own id of the photo, if it has one
    missing_name:  the name in the labels of a photo that does not exist; `file` is then a placeholder
    is_labeled:    False if no label says anything about the photo, not even that it shows no object
    """

    file: str
    location: Location
    declared_size: tuple[int, int] | None = None
    split: str | None = None
    image_id: int | None = None
    missing_name: str = ""
    is_labeled: bool = True


def _no_suggestion(name: str, excluded: Collection[str]) -> str:
    return ""


@dataclass(frozen=True)
class Labels:
    """The photos of a data set, and N objects as rows of arrays.

    photo_of:    (N,) index into `photos`
    boxes:       (N, 4) float64 xyxy, continuous edges, neither checked nor clipped. Four NaN for a box that
                 is to be computed from the object's outline.
    extents:     (N, 2) width and height as the format measures them; above 0 for a box that is in order
    labels:      (N,) index into `class_names`
    areas:       (N,) of the objects' masks, NaN where the file gives none
    crowd:       (N,) bool, see `DetectionDataset`
    difficult:   (N,) bool, see `DetectionDataset`
    box_form:    how the format writes boxes: "xywh", "center" (center x and y, width, height), "corners",
                 "voc" (corners that count pixels from 1), or not at all, "mask"
    location:    of the object in row n
    unit:        of boxes, extents and outlines: "pixel", or "fraction" of the photo's width and height
    notes:       on files that are not read, with their number
    spellings:   of the classes, see `Spellings`
    spelling_places: of the classes, see `SpellingPlaces`
    other_files: files that were read, or that the notes name, beside photos and label files
    outline:     of the object in row n, None if it has only a box. Raises ValueError, with what was expected
                 and found, for one that cannot be read. None for a data set without outlines.
    format_name: the format in words, such as "Pascal VOC (a folder with one XML file per photo)"
    declared_names: classes that the labels list apart from the objects, such as CVAT's labels and VIA's
                 options; none if they list none, or if objects have the number of a class
    unkept:      elements that are not read, such as VOC's <path>, with the number of their label files
    did_you_mean: from the name of a missing photo, and the photos that it cannot be, to the end of a message,
                  which names similar photos
    """

    root: Path
    class_names: tuple[str, ...]
    photos: list[PhotoEntry]
    photo_of: NDArray[np.int64]
    boxes: NDArray[np.float64]
    extents: NDArray[np.float64]
    labels: NDArray[np.int64]
    areas: NDArray[np.float64]
    crowd: NDArray[np.bool_]
    difficult: NDArray[np.bool_]
    location: Callable[[int], Location]
    box_form: Literal["xywh", "center", "corners", "voc", "mask"]
    unit: Literal["pixel", "fraction"] = "pixel"
    outline: Callable[[int], Outline | None] | None = None
    attributes: Attributes = field(default_factory=Attributes)
    notes: tuple[str, ...] = ()
    spellings: Spellings = field(default_factory=dict)
    spelling_places: SpellingPlaces = field(default_factory=dict)
    other_files: tuple[str, ...] = ()
    format_name: str = ""
    declared_names: tuple[str, ...] = ()
    unkept: Mapping[str, int] = field(default_factory=dict)
    did_you_mean: Callable[[str, Collection[str]], str] = _no_suggestion


def label_files_of(photos: Sequence[PhotoEntry], indices: Iterable[int]) -> list[Location]:
    """The label files of some photos, each one once."""
    return [Location(file) for file in dict.fromkeys(photos[index].location.file for index in indices)]


_MAX_SIDE = 2**31
"""Larger declared sizes are not those of photos."""


def declared_side(value: object) -> int | None:
    """The side of a photo as declared: 64, 64.0, "64" or "64.0". None for anything else, such as 0."""
    if not isinstance(value, str) and not is_number(value):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return int(number) if 0 < number < _MAX_SIDE and number.is_integer() else None
