"""Photos without objects, small splits, and photos whose paths collide."""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict

import numpy as np

from boxmask.data.checks.counted_photos import counted_photos
from boxmask.data.checks.examination import Examination
from boxmask.data.contract import SPLITS
from boxmask.data.detection.selected_classes import CLASS_LEFT_OUT
from boxmask.data.findings import Finding, Findings, Kind, Location
from boxmask.data.formats.kinds import ENTRY_UNREADABLE, FILE_UNREADABLE, PHOTO_WITHOUT_LABEL
from boxmask.messages import format_count, format_percent

MAX_BACKGROUND = 0.3
"""Some photos without objects teach a model where it must find nothing. If they are more than this share,
photos were probably not labeled yet."""

MAX_SINGLE, MIN_PHOTOS = 0.05, 20
"""If no more than this share of at least so many photos has no objects, their labels may be lost."""

MIN_SPLIT = 10
"""The metrics of fewer photos hardly tell two models apart."""

BACKGROUND_SHARE = Kind(
    "background-share",
    "note",
    "Many photos without objects",
    "Check that these photos show no objects. If they are not labeled yet, label them or leave them out.",
)
OBJECTS_MISSING = Kind(
    "objects-missing",
    "warning",
    "Data sets without any object",
    "There is nothing to learn. Label the photos, or restore the label files.",
)
PHOTO_WITHOUT_OBJECTS = Kind(
    "photo-without-objects",
    "note",
    "Photos without objects, while nearly all others have some",
    "Check that these photos show no objects. If they do show some, label them.",
)
SPLIT_SMALL = Kind(
    "split-small",
    "note",
    "Splits with few photos",
    "Move photos to these splits, or let boxmask draw the splits. The metrics of few photos are inexact.",
)
PATH_COLLISION = Kind(
    "path-collision",
    "warning",
    "Photos whose paths differ only in case or Unicode form",
    "Rename all but one of them. On Windows and macOS, one of these files replaces the other.",
)


def check_background_share(examination: Examination, findings: Findings) -> None:
    """Find data sets in which many photos have no objects, or all."""
    labels = examination.labels
    counted = counted_photos(examination)
    num_photos = int(counted.sum())
    without = np.flatnonzero((np.bincount(labels.photo_of, minlength=len(counted)) == 0) & counted)
    if num_photos and len(without) == num_photos:
        if not (findings.count(FILE_UNREADABLE) or findings.count(ENTRY_UNREADABLE)):  # that tell why
            detail = format_count(num_photos, "photo")
            findings.add(Finding(OBJECTS_MISSING, Location(str(labels.root)), detail))
    elif num_photos and len(without) > MAX_BACKGROUND * num_photos:
        first = labels.photos[int(without[0])]
        share = format_percent(len(without) / num_photos)
        detail = f"{len(without):,} of {format_count(num_photos, 'photo')} ({share}); the first: {first.file}"
        findings.add(Finding(BACKGROUND_SHARE, Location(str(labels.root)), detail, first.file))


def check_photos_without_objects(examination: Examination, findings: Findings) -> None:
    """Find single photos whose labels hold no objects. Boxes of classes that were not chosen are unknown.

    Photos with another finding that explains this are left out: there is no label, or it cannot be read.
    """
    labels = examination.labels
    if labels.box_form == "mask" or CLASS_LEFT_OUT in findings.kinds:
        return
    counted = counted_photos(examination)
    num_photos = int(counted.sum())
    without = np.flatnonzero((np.bincount(labels.photo_of, minlength=len(counted)) == 0) & counted)
    if num_photos < MIN_PHOTOS or len(without) > MAX_SINGLE * num_photos:
        return
    reasons = [kind for kind in findings.kinds if kind.severity == "error" or kind is PHOTO_WITHOUT_LABEL]
    explained = {finding.photo for kind in reasons for finding in findings.of(kind)}
    explained_files = {finding.location.file for finding in findings if finding.num_left_out}
    explained_files |= {finding.location.file for finding in findings.of(FILE_UNREADABLE)}
    num_with = num_photos - len(without)
    for index in without.tolist():
        photo = labels.photos[index]
        is_known = photo.is_labeled and not photo.missing_name
        if not is_known or photo.file in explained or photo.location.file in explained_files:
            continue
        detail = f"{photo.file} has no object; {num_with:,} of {num_photos:,} photos have some"
        findings.add(Finding(PHOTO_WITHOUT_OBJECTS, photo.location, detail, photo.file))


def check_split_sizes(examination: Examination, findings: Findings) -> None:
    """Find splits with few photos, among those that the data set names. Only photos that exist count."""
    labels = examination.labels
    counts = Counter(photo.split for photo in labels.photos if not photo.missing_name)
    for split in SPLITS:
        if 0 < counts[split] < MIN_SPLIT:
            detail = f"{split}: {format_count(counts[split], 'photo')}"
            findings.add(Finding(SPLIT_SMALL, Location(str(labels.root)), detail))


def check_photo_paths(examination: Examination, findings: Findings) -> None:
    """Find photos whose paths are the same on file systems that ignore case or Unicode form."""
    by_path: dict[str, dict[str, Location]] = defaultdict(dict)
    for photo in examination.labels.photos:
        path = unicodedata.normalize("NFC", unicodedata.normalize("NFC", photo.file).casefold())
        by_path[path].setdefault(photo.file, photo.location)
    for files in by_path.values():
        if len(files) > 1:
            first, *others = sorted(files)
            detail = f"{' and '.join([first, *others])} differ only in case or Unicode form"
            findings.add(Finding(PATH_COLLISION, files[first], detail, first, related=tuple(others)))
