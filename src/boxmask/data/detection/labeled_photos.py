"""The photos that labels name: those that are chosen, exist and are intact, and notes on the others."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from boxmask.data.findings import Finding, Findings
from boxmask.data.formats.kinds import PHOTO_MISSING
from boxmask.data.formats.labels import Labels
from boxmask.data.photo_checks import OnBadPhotos, check_photos, note_on_bad_photos
from boxmask.data.photo_list import PhotoList, SelectPhotos
from boxmask.data.policy import left_out
from boxmask.errors import LabelError
from boxmask.messages import MAX_LOCATIONS
from boxmask.options import option


def check_labeled_photos(
    labels: Labels, on_bad_photos: OnBadPhotos | None, select: SelectPhotos
) -> tuple[PhotoList, NDArray[np.int32]]:
    """Return the photos that are chosen and can be read, with notes on the others, and all sizes.

    sizes: (P, 2) heights and widths of all photos of the labels; `UNREADABLE` where no header can be read

    Raises LabelError for photos that do not exist, and PhotoError for damaged ones, unless they are left out.
    """
    files = [photo.file for photo in labels.photos]
    chosen = select(PhotoList.of(labels.root, files, [photo.split or "" for photo in labels.photos]))
    wanted = set(chosen.files.tolist())
    all_missing = missing_photos(labels)
    missing = all_missing & wanted
    if on_bad_photos is not None:
        is_all = len(missing) == len(wanted)
        note = _leave_out_missing(labels, wanted, may_skip=on_bad_photos == "skip" and not is_all)
        chosen = chosen.without(missing, note)
    sizes, errors = check_photos(labels.root, files, on_bad_photos, wanted - missing, all_missing)
    return chosen.without([files[index] for index in errors], note_on_bad_photos(errors)), sizes


def missing_photos(labels: Labels) -> set[str]:
    """The placeholders of photos that do not exist."""
    return {photo.file for photo in labels.photos if photo.missing_name}


def report_missing_photos(labels: Labels, findings: Findings, wanted: Collection[str] | None = None) -> None:
    """Add a finding per photo that does not exist. The first findings name photos with similar names.

    Labels can only be those of a photo without labels. A name in a list may be that of any photo.

    wanted: the photos to look for; all by default
    """
    missing = [
        photo for photo in labels.photos if photo.missing_name and (wanted is None or photo.file in wanted)
    ]
    labeled = {photo.file for photo in labels.photos if photo.is_labeled and not photo.missing_name}
    for number, photo in enumerate(missing):
        name = photo.missing_name
        excluded = labeled if photo.is_labeled else set[str]()
        hint = labels.did_you_mean(name, excluded) if number < MAX_LOCATIONS else ""
        findings.add(Finding(PHOTO_MISSING, photo.location, f"{name}{hint}", photo.file))


def _leave_out_missing(labels: Labels, wanted: Collection[str], *, may_skip: bool) -> tuple[str, ...]:
    """A note on photos that do not exist. Raises LabelError unless they may be left out."""
    findings = Findings()
    report_missing_photos(labels, findings, wanted)
    if findings.count(PHOTO_MISSING) and not may_skip:
        advice = f"Or leave them out with {option('on_bad_photos', 'skip')}."
        raise LabelError(f"{findings.message(PHOTO_MISSING)} {advice}")
    return left_out(findings, PHOTO_MISSING, len(wanted), "photo")
