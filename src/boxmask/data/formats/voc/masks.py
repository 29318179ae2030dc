"""Read the outlines of VOC's objects: images of object numbers in SegmentationObject/.

The number of an object is its place in the label file, from 1. Pixels of 255 are the border between
objects, and belong to none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from jaxtyping import Int

from boxmask.data.formats.labels import Labels
from boxmask.data.formats.source import Source
from boxmask.data.formats.voc_colors import voc_palette
from boxmask.data.outlines import Outline, RunLengths, WrongSizeError
from boxmask.data.segmentation.label_map_file import read_label_map
from boxmask.errors import LabelError, PhotoError
from boxmask.geometry import rle
from boxmask.masks import Masks
from boxmask.photos.size import photo_size

_ANNOTATIONS = re.compile(r"(?P<above>(?:.*/)?)Annotations/(?P<stem>.+)\.xml", re.IGNORECASE | re.DOTALL)


def mask_reader(
    source: Source, label_files: Sequence[str], labels: Labels
) -> Callable[[int], Outline | None] | None:
    """A function that reads the outline of the object in row n, see `Labels.outline`; None without masks.

    label_files: of the first photos of the labels
    """
    known = {file for file in source.photos if "SegmentationObject/" in file}
    mask_files = [_mask_file(file) for file in label_files] if known else []
    if known.isdisjoint(mask_files):
        return None

    def outline(row: int) -> Outline | None:
        photo = int(labels.photo_of[row])
        if photo >= len(mask_files) or mask_files[photo] not in known:
            return None
        number = row - int(np.searchsorted(labels.photo_of, photo)) + 1
        return _outline(source.root / mask_files[photo], source.root / labels.photos[photo].file, number)

    return outline


def _mask_file(label_file: str) -> str:
    """SegmentationObject/cam1/a.png for Annotations/cam1/a.xml; "" for a label file in another folder."""
    found = _ANNOTATIONS.fullmatch(label_file)
    return f"{found['above']}SegmentationObject/{found['stem']}.png" if found else ""


def _outline(mask_file: Path, photo: Path, number: int) -> RunLengths | None:
    """The pixels of one object; None if there are none. Raises ValueError for an image of another kind."""
    try:
        size, expected = photo_size(mask_file), photo_size(photo)
        if size != expected:  # before its pixels are decoded
            shown = f"{size[1]} × {size[0]}, its photo is {expected[1]} × {expected[0]}"
            raise WrongSizeError(f"{mask_file} is {shown}")
        numbers = _read_numbers(mask_file)
    except (LabelError, PhotoError) as error:
        raise ValueError(str(error)) from error
    pixels = numbers == number
    if not pixels.any():
        return None
    return RunLengths(rle.encode(Masks.from_dense(pixels[None]))[0].astype(np.int32), size)


@lru_cache(maxsize=2)
def _read_numbers(path: Path) -> Int[np.ndarray, "H W"]:
    """The object number of each pixel, from a palette, gray values, or VOC's colors.

    Raises LabelError for an image with other colors.
    """
    try:
        runs = read_label_map(path, by_color=False)
        numbers = runs.values.astype(np.int64)
    except LabelError:
        runs = read_label_map(path, by_color=True)
        numbers = np.array([_number_of(color, path) for color in runs.values.tolist()], dtype=np.int64)
    return np.asarray(np.repeat(numbers[runs.value_of], runs.lengths).reshape(runs.size))


def _number_of(color: int, path: Path) -> int:
    palette = np.array(voc_palette()).reshape(-1, 3) @ (2**16, 2**8, 1)
    found = np.flatnonzero(palette == color)
    if not len(found):
        raise LabelError.in_file(path, f"the color {color:06X} is none of VOC's object numbers.")
    return int(found[0])
