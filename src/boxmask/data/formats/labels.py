"""What label files say, in the same form for every format, before it is held against the photos."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from boxmask.data.detection.rle_masks import RleMasks
from boxmask.data.formats.source import Source
from boxmask.data.messages import format_note

ReadOutlines: TypeAlias = Callable[[NDArray[np.int32]], tuple[RleMasks, tuple[str, ...]]]
"""From the sizes of the photos as shown, (P, 2), to the outlines of the N objects, and notes."""


@dataclass(frozen=True, slots=True)
class LabeledPhoto:
    """A photo that the labels speak of.

    file:     relative to the root, "/" between folders
    place:    file and line of the label that names it
    declared: (height, width) that the labels give it, if they do
    split:    "train", "val" or "test", if the data set says so
    image_id: the format's own number, if it has one
    """

    file: str
    place: str
    declared: tuple[int, int] | None = None
    split: str | None = None
    image_id: int | None = None


@dataclass(frozen=True)
class Labels:
    """The photos of a data set and N objects in them, row by row.

    photo:    (N,) which of `photos` the object is in
    boxes:    (N, 4) float64 xyxy, continuous edges in pixels, neither checked nor clipped; four NaN where the
              box is that of the outline
    extents:  (N, 2) width and height as the file means them; an object needs both above 0
    labels:   (N,) index into `class_names`
    areas:    (N,) of the outline, NaN where the file has none
    place:    says file and line of row n
    outlines: reads those of the objects, or None where only boxes are known; raises LabelError
    """

    root: Path
    class_names: tuple[str, ...]
    photos: list[LabeledPhoto]
    photo: NDArray[np.int64]
    boxes: NDArray[np.float64]
    extents: NDArray[np.float64]
    labels: NDArray[np.int64]
    areas: NDArray[np.float64]
    crowd: NDArray[np.bool_]
    difficult: NDArray[np.bool_]
    place: Callable[[int], str]
    notes: tuple[str, ...] = ()
    outlines: ReadOutlines | None = None


def left_out_photos(source: Source, used: Sequence[str], why: str) -> tuple[str, ...]:
    """A note on the photos that lie in the same folders as those used, but that no label speaks of."""
    folders = {PurePosixPath(file).parent for file in used}
    taken = set(used)
    rest = [file for file in source.photos if file not in taken and PurePosixPath(file).parent in folders]
    return format_note(f"{len(rest)} photos {why} and are left out", rest)
