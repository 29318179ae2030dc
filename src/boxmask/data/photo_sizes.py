"""The real sizes of labeled photos, held against what the labels declare."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from boxmask.data.detection.box_checks import OVERHANG
from boxmask.data.formats.labels import LabeledPhoto, Labels
from boxmask.data.messages import format_errors, format_note
from boxmask.errors import LabelError, PhotoError
from boxmask.photos.size import photo_size, stored_size

_THREADS = 8  # reading headers waits for the disk more than it computes

_DECLARED = "declared sizes (width × height) are not the photo's, which is used"
_TAKEN_AS_SHOWN = (
    "sizes (width × height) are declared as stored, before the EXIF orientation turns the photo, but boxes "
    "fit only the photo as shown, so all were taken to be drawn on that (to check, see what boxmask evaluate "
    "--pictures draws)"
)
_SIDEWAYS = (
    "Photos whose labels declare the size (width × height) as stored, before the EXIF orientation turns them "
    "upright, and may be drawn so"
)
_REMEDY = (
    "Look at these photos with their boxes. Where the boxes were drawn on the photo as it is stored, turn "
    "the labels, or remove the photo's EXIF orientation, so that it is shown as it is stored (for example: "
    "exiftool -Orientation= PHOTO). Where they were drawn on the photo as a viewer shows it, declare the "
    "size as shown."
)


def read_sizes(root: Path, photos: Sequence[LabeledPhoto]) -> NDArray[np.int32]:
    """(P, 2) heights and widths as shown, from the headers. Raises PhotoError naming what cannot be read."""
    with ThreadPoolExecutor(_THREADS) as pool:
        answers = list(pool.map(_size_or_fault, [root / photo.file for photo in photos]))
    sizes = [answer for answer in answers if isinstance(answer, tuple)]
    faults = [answer for answer in answers if isinstance(answer, str)]
    if faults:
        remedy = "Put intact copies in their place, or remove them together with their labels."
        raise PhotoError(format_errors("Labeled photos that cannot be read", faults, remedy))
    return np.array(sizes, dtype=np.int32).reshape(-1, 2)


def _size_or_fault(path: Path) -> tuple[int, int] | str:
    try:
        return photo_size(path)
    except PhotoError as error:
        return str(error)


def notes_on_sizes(labels: Labels, sizes: NDArray[np.int32]) -> tuple[str, ...]:
    """Notes on photos whose labels declare another size; the real one is used. Zeros declare nothing.

    sizes: (P, 2) heights and widths as shown

    Phone photos are often stored sideways and turned by their EXIF orientation when shown. A declared size as
    stored mostly means that the boxes, too, were drawn on the stored photo (older labelImg does so), and then
    a detector would learn from boxes beside their objects. Some tools draw on the photo as shown and still
    write the stored size. So for photos declared as stored:

    - without boxes: nothing depends on it; noted;
    - all boxes fit the photo as shown, to a pixel, and not all fit it as stored: drawn as shown; noted;
    - else, as when boxes fit both: LabelError, with the ways out, for a guess could spoil the training.

    What keeps the size, as a turn by half or of a square photo does, cannot be told from labels.
    """
    differing = [
        number
        for number, (photo, size) in enumerate(zip(labels.photos, sizes.tolist(), strict=True))
        if photo.declared and all(photo.declared) and photo.declared != tuple(size)
    ]
    stored = [number for number in differing if _is_declared_as_stored(labels, number)]
    drawn_as_shown = _fit(labels, sizes) & ~_fit(labels, sizes[:, ::-1])
    bare = np.bincount(labels.photo, minlength=len(sizes)) == 0
    sideways = [i for i in stored if not (drawn_as_shown[i] or bare[i])]
    if sideways:
        raise LabelError(format_errors(_SIDEWAYS, [_difference(labels, sizes, i) for i in sideways], _REMEDY))
    as_shown = [i for i in stored if drawn_as_shown[i]]
    others = sorted(set(differing) - set(as_shown))
    return (
        *format_note(_TAKEN_AS_SHOWN, [_difference(labels, sizes, i) for i in as_shown]),
        *format_note(_DECLARED, [_difference(labels, sizes, i) for i in others]),
    )


def _is_declared_as_stored(labels: Labels, photo: int) -> bool:
    return stored_size(labels.root / labels.photos[photo].file) == labels.photos[photo].declared


def _fit(labels: Labels, sizes: NDArray[np.int32]) -> NDArray[np.bool_]:
    """(P,) whether all boxes of a photo lie within these sizes; those that are not finite have no say."""
    edges = sizes[labels.photo][:, [1, 0, 1, 0]]
    beyond = (labels.boxes < -OVERHANG) | (labels.boxes > edges + OVERHANG)
    outside = beyond.any(axis=1) & np.isfinite(labels.boxes).all(axis=1)
    fit = np.ones(len(sizes), dtype=bool)
    fit[labels.photo[outside]] = False
    return fit


def _difference(labels: Labels, sizes: NDArray[np.int32], number: int) -> str:
    photo = labels.photos[number]
    return f"{photo.place} {photo.file} is {_shown(sizes[number])}, not {_shown(photo.declared or (0, 0))}"


def _shown(size: Sequence[int] | NDArray[np.int32]) -> str:
    return f"{size[1]} × {size[0]}"
