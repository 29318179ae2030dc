"""The photos that labels name: chosen, found, and intact, or left out."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from boxmask.data.formats.labels import Labels
from boxmask.data.photo_checks import UNREADABLE, OnBadPhotos, check_photos, note_on_bad_photos
from boxmask.data.photo_list import PhotoList, SelectPhotos
from boxmask.errors import LabelError
from boxmask.messages import add_hints, format_count, format_errors, format_note
from boxmask.options import option


def check_labeled_photos(
    labels: Labels, on_bad_photos: OnBadPhotos | None, select: SelectPhotos
) -> tuple[PhotoList, NDArray[np.int32]]:
    """Return the photos that are chosen and can be read, with notes on the others, and all sizes.

    sizes: (P, 2) heights and widths of all photos of the labels. Photos without a readable header have a size
           that fits their labels.

    Raises LabelError for photos that do not exist, and PhotoError for damaged ones, unless they are left out.
    """
    files = [photo.file for photo in labels.photos]
    chosen = select(PhotoList.of(labels.root, files, [photo.split or "" for photo in labels.photos]))
    wanted = set(chosen.files.tolist())
    missing = {photo.file for photo in labels.photos if photo.missing_name and photo.file in wanted}
    if on_bad_photos is not None:
        chosen = chosen.without(missing, _check_missing(labels, missing, wanted, on_bad_photos))
    sizes, errors = check_photos(labels.root, files, on_bad_photos, wanted - missing)
    chosen = chosen.without([files[index] for index in errors], note_on_bad_photos(errors))
    return chosen, _with_declared_sizes(labels, sizes)


def _check_missing(
    labels: Labels, missing: Collection[str], wanted: Collection[str], on_bad_photos: OnBadPhotos
) -> tuple[str, ...]:
    """A note on photos that do not exist. Raises LabelError unless they are left out."""
    photos = [photo for photo in labels.photos if photo.file in missing]
    names = [photo.missing_name for photo in photos]
    lines = [f"{photo.location}: {photo.missing_name}" for photo in photos]
    lines = add_hints(lines, names, labels.did_you_mean)
    if lines and (on_bad_photos == "error" or len(missing) == len(wanted)):
        remedy = (
            "Put the photos beside their labels or in a folder such as images/, correct these names, or "
            f"leave them out with {option('on_bad_photos', 'skip')}."
        )
        raise LabelError(format_errors("Labels name photos that do not exist", lines, remedy))
    return format_note(f"left out: {format_count(len(lines), 'photo')} that do not exist", lines)


def _with_declared_sizes(labels: Labels, sizes: NDArray[np.int32]) -> NDArray[np.int32]:
    """Give photos that are left out, because their header cannot be read, a size that fits their labels."""
    sizes = sizes.copy()
    for index in np.flatnonzero((sizes == UNREADABLE).all(axis=1)).tolist():
        boxes = labels.boxes[labels.photo_of == index]
        smallest = np.ceil(boxes[np.isfinite(boxes).all(axis=1)][:, [3, 2]].max(axis=0, initial=1))
        sizes[index] = labels.photos[index].declared_size or np.clip(smallest, 1, 10**5).astype(np.int32)
    return sizes
