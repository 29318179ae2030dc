"""The real sizes of labelled photos, held against what the labels declare."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from boxmask.data.faults import complaint, note
from boxmask.data.formats.labels import LabelledPhoto
from boxmask.errors import PhotoError
from boxmask.pipeline.photos import photo_size, stored_size

_THREADS = 8  # reading headers waits for the disk more than it computes


def read_sizes(root: Path, photos: Sequence[LabelledPhoto]) -> NDArray[np.int32]:
    """(P, 2) heights and widths as shown, from the headers. Raises PhotoError naming what cannot be read."""
    with ThreadPoolExecutor(_THREADS) as pool:
        answers = list(pool.map(_size_or_fault, [root / photo.file for photo in photos]))
    sizes = [answer for answer in answers if isinstance(answer, tuple)]
    faults = [answer for answer in answers if isinstance(answer, str)]
    if faults:
        remedy = "Put intact copies in their place, or remove them together with their labels."
        raise PhotoError(complaint("Labelled photos that cannot be read", faults, remedy))
    return np.array(sizes, dtype=np.int32).reshape(-1, 2)


def _size_or_fault(path: Path) -> tuple[int, int] | str:
    try:
        return photo_size(path)
    except PhotoError as error:
        return str(error)


def notes_on_sizes(root: Path, photos: Sequence[LabelledPhoto], sizes: NDArray[np.int32]) -> tuple[str, ...]:
    """A note on photos whose labels declare another size; the real one is used. Zeros declare nothing."""
    places = [
        _difference(root, photo, (height, width))
        for photo, (height, width) in zip(photos, sizes.tolist(), strict=True)
        if photo.declared and all(photo.declared) and photo.declared != (height, width)
    ]
    return note("declared sizes (width × height) are not the photo's, which is used", places)


def _difference(root: Path, photo: LabelledPhoto, size: tuple[int, int]) -> str:
    declared = photo.declared or (0, 0)
    turned = ", before its EXIF orientation turns it" if stored_size(root / photo.file) == declared else ""
    return f"{photo.place} {photo.file} is {_shown(size)}, not {_shown(declared)}{turned}"


def _shown(size: tuple[int, int]) -> str:
    return f"{size[1]} × {size[0]}"
