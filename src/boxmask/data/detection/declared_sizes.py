"""The sizes of labeled photos, compared with the sizes that the labels declare."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from boxmask.data.detection.box_checks import HOW_TO_CHECK_BOXES, reach_beyond
from boxmask.data.detection.resized_photos import find_resized
from boxmask.data.formats.labels import Labels
from boxmask.errors import LabelError
from boxmask.messages import format_errors, format_note
from boxmask.photos.size import stored_size

_WRONG = "declared sizes (width × height) differ from the photos; the photos' sizes are used"
_DRAWN_AS_SHOWN = (
    "declared sizes (width × height) are those of the stored photos, before their EXIF orientation is "
    "applied, but the boxes fit only the photos as shown, so they are taken to be drawn on these "
    f"({HOW_TO_CHECK_BOXES})"
)
_SIDEWAYS = (
    "Photos whose labels declare the size (width × height) of the stored photo, before its EXIF orientation "
    "is applied, so that their boxes may lie sideways"
)
_REMEDY = (
    "Look at these photos with their boxes. If the boxes were drawn on the stored photo, rotate the labels, "
    "or remove the EXIF orientation so that the photo is shown as stored (for example: exiftool "
    "-Orientation= PHOTO). If they were drawn on the photo as a viewer shows it, declare the size as shown."
)


def find_label_sizes(labels: Labels, sizes: NDArray[np.int32]) -> tuple[NDArray[np.int32], tuple[str, ...]]:
    """The sizes that the labels are written for, and notes on photos whose labels declare another size.

    sizes: (P, 2) heights and widths as shown

    The first (P, 2) differ from `sizes` for photos that were resized after labeling (see `find_resized`).
    Other declared sizes are only noted.

    Phone photos are often stored sideways and rotated by their EXIF orientation when shown. If the declared
    size is that of the stored photo, the boxes were mostly drawn on the stored photo, too (older labelImg
    does so), and a detector would learn from boxes beside their objects. But some tools draw on the photo as
    shown and still write the stored size. So, for photos declared as stored:

    - without boxes, nothing depends on it: noted;
    - if all boxes fit the photo as shown, to a pixel, and not all fit it as stored, they were drawn as shown:
      noted;
    - else, for example if they fit both: LabelError with what to do, as a guess could spoil the training.

    180° rotations and square photos keep their size and cannot be detected.
    """
    differing = _differing(labels, sizes)
    stored = [index for index in differing if _is_declared_as_stored(labels, index)]
    drawn_as_shown = _boxes_fit(labels, sizes) & ~_boxes_fit(labels, sizes[:, ::-1])
    without_boxes = np.bincount(labels.photo_of, minlength=len(sizes)) == 0
    sideways = [i for i in stored if not (drawn_as_shown[i] or without_boxes[i])]
    if sideways:
        raise LabelError(format_errors(_SIDEWAYS, [_difference(labels, sizes, i) for i in sideways], _REMEDY))
    as_shown = [i for i in stored if drawn_as_shown[i]]
    others = sorted(set(differing) - set(as_shown))
    resized, note_on_resized = _find_resized(labels, sizes, others)
    label_sizes = sizes.copy()
    for index in resized:
        label_sizes[index] = labels.photos[index].declared_size or sizes[index]
    wrong = sorted(set(others) - set(resized))
    return label_sizes, (
        *note_on_resized,
        *format_note(_DRAWN_AS_SHOWN, [_difference(labels, sizes, i) for i in as_shown]),
        *format_note(_WRONG, [_difference(labels, sizes, i) for i in wrong]),
    )


def _find_resized(
    labels: Labels, sizes: NDArray[np.int32], photos: Sequence[int]
) -> tuple[list[int], tuple[str, ...]]:
    """`find_resized`, except for instance maps, which must have the size of their photos."""
    if labels.box_form == "mask":
        return [], ()
    return find_resized(labels, sizes, photos, [_difference(labels, sizes, index) for index in photos])


def _differing(labels: Labels, sizes: NDArray[np.int32]) -> list[int]:
    """The photos whose labels declare another size."""
    return [
        index
        for index, (photo, size) in enumerate(zip(labels.photos, sizes.tolist(), strict=True))
        if photo.declared_size and all(photo.declared_size) and photo.declared_size != tuple(size)
    ]


def _is_declared_as_stored(labels: Labels, photo: int) -> bool:
    return stored_size(labels.root / labels.photos[photo].file) == labels.photos[photo].declared_size


def _boxes_fit(labels: Labels, sizes: NDArray[np.int32]) -> NDArray[np.bool_]:
    """(P,) whether all boxes of a photo lie within these sizes. Boxes that are not finite are ignored."""
    outside = reach_beyond(labels.boxes, sizes[labels.photo_of]) & np.isfinite(labels.boxes).all(axis=1)
    fit = np.ones(len(sizes), dtype=bool)
    fit[labels.photo_of[outside]] = False
    return fit


def _difference(labels: Labels, sizes: NDArray[np.int32], index: int) -> str:
    photo = labels.photos[index]
    declared = _format_size(photo.declared_size or (0, 0))
    return f"{photo.location} {photo.file} is {_format_size(sizes[index])}, not {declared}"


def _format_size(size: Sequence[int] | NDArray[np.int32]) -> str:
    return f"{size[1]} × {size[0]}"
