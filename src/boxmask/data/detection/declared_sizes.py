"""The sizes of labeled photos, compared with the sizes that the labels declare."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int
from numpy.typing import NDArray

from boxmask.data.detection.box_checks import HOW_TO_CHECK_BOXES, reach_beyond
from boxmask.data.detection.resized_photos import find_resized
from boxmask.data.findings import Finding, Findings, Kind
from boxmask.data.formats.kinds import LABEL_MAP_SIZE
from boxmask.data.formats.labels import Labels
from boxmask.photos.size import stored_size

SIZE_DIFFERS = Kind(
    "size-differs",
    "warning",
    "Photos whose labels declare another size, which is ignored",
    "Check that the labels belong to these photos, and correct the declared sizes (width × height).",
)
EXIF_AS_SHOWN = Kind(
    "exif-as-shown",
    "note",
    "Labels that declare the size of the stored photo, but fit it as shown",
    "The boxes fit only the photos as shown, which their EXIF orientation turns, and are used as they "
    f"are ({HOW_TO_CHECK_BOXES}).",
)
EXIF_SIDEWAYS = Kind(
    "exif-sideways",
    "error",
    "Boxes that may lie sideways because of an EXIF orientation",
    "The labels declare the size of the photo as stored, before its EXIF orientation turns it. Look at "
    "these photos with their boxes. If the boxes lie sideways, rotate them, or remove the EXIF "
    "orientation (for example: exiftool -Orientation= PHOTO). If they fit, declare the size as "
    "shown.",
)


@dataclass(frozen=True, slots=True)
class LabelSizes:
    """The sizes that labels are written for.

    sizes:     (P, 2) heights and widths; those of the photos as shown, except of resized photos
    misplaced: (P,) the photos whose boxes are known to be, or may be, in the wrong place
    """

    sizes: Int[np.ndarray, "P 2"]
    misplaced: Bool[np.ndarray, " P"]


def find_label_sizes(
    labels: Labels, sizes: NDArray[np.int32], known: Bool[np.ndarray, " P"], findings: Findings
) -> LabelSizes:
    """The sizes that the labels are written for. Photos whose labels declare another size become findings.

    sizes: (P, 2) heights and widths as shown
    known: (P,) whether the header of the photo was read

    They differ from `sizes` for photos that were resized after labeling (see `find_resized`).
    Other declared sizes are only noted.

    Phone photos are often stored sideways and rotated by their EXIF orientation when shown. If the declared
    size is that of the stored photo, the boxes were mostly drawn on the stored photo, too (older labelImg
    does so), and a detector would learn from boxes beside their objects. But some tools draw on the photo as
    shown and still write the stored size. So, for photos declared as stored:

    - without boxes, nothing depends on it: noted;
    - if all boxes fit the photo as shown, to a pixel, and not all fit it as stored, they were drawn as shown:
      noted;
    - else, for example if they fit both: an error, as a guess could spoil the training.

    180° rotations and square photos keep their size and cannot be detected.
    """
    differing = [index for index in _differing(labels, sizes) if known[index]]
    if labels.box_form == "mask":  # label maps, which must have the size of their photos
        _add(labels, sizes, differing, LABEL_MAP_SIZE, findings)
        return LabelSizes(sizes, _flags(differing, len(sizes)))
    stored = [index for index in differing if _is_declared_as_stored(labels, index)]
    drawn_as_shown = _boxes_fit(labels, sizes) & ~_boxes_fit(labels, sizes[:, ::-1])
    without_boxes = np.bincount(labels.photo_of, minlength=len(sizes)) == 0
    sideways = [i for i in stored if not (drawn_as_shown[i] or without_boxes[i])]
    as_shown = [i for i in stored if drawn_as_shown[i]]
    others = sorted(set(differing) - set(as_shown) - set(sideways))
    resized = find_resized(labels, sizes, others, [_difference(labels, sizes, i) for i in others], findings)
    label_sizes = sizes.copy()
    for index in resized.photos:
        label_sizes[index] = labels.photos[index].declared_size or sizes[index]
    wrong = sorted(set(others) - set(resized.photos) - set(resized.unclear))
    _add(labels, sizes, sideways, EXIF_SIDEWAYS, findings)
    _add(labels, sizes, as_shown, EXIF_AS_SHOWN, findings)
    _add(labels, sizes, wrong, SIZE_DIFFERS, findings)
    return LabelSizes(label_sizes, _flags([*sideways, *resized.unclear], len(sizes)))


def _flags(photos: Iterable[int], num_photos: int) -> NDArray[np.bool_]:
    flags = np.zeros(num_photos, dtype=bool)
    flags[list(photos)] = True
    return flags


def _add(
    labels: Labels, sizes: NDArray[np.int32], photos: Sequence[int], kind: Kind, findings: Findings
) -> None:
    def describe(index: int) -> Finding:
        photo = labels.photos[index]
        return Finding(kind, photo.location, _difference(labels, sizes, index), photo.file)

    findings.add_all(kind, photos, describe)


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
    return f"{photo.file} is {_format_size(sizes[index])}, not {declared}"


def _format_size(size: Sequence[int] | NDArray[np.int32]) -> str:
    return f"{size[1]} × {size[0]}"
