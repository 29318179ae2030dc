"""What a mended copy lacks: photos, objects, outlines and label files of the data set."""

from __future__ import annotations

import posixpath
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from boxmask.data.detection.box_checks import BOX_EMPTY, BOX_NOT_FINITE
from boxmask.data.detection.outline_masks import OUTLINE_FEW_POINTS, OUTLINE_UNREADABLE, OUTLINE_WRONG_SIZE
from boxmask.data.detection.photo_sizes import SIZE_UNKNOWN
from boxmask.data.findings import Finding, Kind, Location
from boxmask.data.formats.coco.categories import SUPERCATEGORY_LEFT_OUT
from boxmask.data.formats.coco.outlines import OUTLINE_PART_LEFT_OUT
from boxmask.data.formats.kinds import (
    CLASS_UNKNOWN,
    ENTRY_UNREADABLE,
    FILE_UNREADABLE,
    FILE_UNUSED,
    ID_REPEATED,
    ID_UNKNOWN,
    LABEL_FILE_SHARED,
    PHOTO_AMBIGUOUS,
    PHOTO_LISTED_TWICE,
    PHOTO_MISSING,
    PHOTO_WITHOUT_LABEL,
    SHAPE_UNSUPPORTED,
    SPLIT_OVERLAP,
)
from boxmask.data.formats.label_studio.objects import ANNOTATIONS_LEFT_OUT
from boxmask.data.formats.source import find_source
from boxmask.data.formats.yolo.kinds import KEYPOINTS_UNUSED, SPLIT_MISSING, SPLIT_UNNAMED
from boxmask.doctor.fix.mending import Mending
from boxmask.doctor.report import CheckReport
from boxmask.messages import format_count

_ENTRY, _FILE, _OUTLINE, _OTHER = "entry", "label file", "outline", "other part"

_NOT_READ: dict[Kind, str] = {
    ANNOTATIONS_LEFT_OUT: "annotations or predictions",
    CLASS_UNKNOWN: _ENTRY,
    ENTRY_UNREADABLE: _ENTRY,
    FILE_UNREADABLE: _FILE,
    FILE_UNUSED: _FILE,
    ID_REPEATED: _ENTRY,
    ID_UNKNOWN: _ENTRY,
    KEYPOINTS_UNUSED: "keypoints",
    LABEL_FILE_SHARED: "labels of all photos but the first",
    OUTLINE_FEW_POINTS: _OUTLINE,
    OUTLINE_PART_LEFT_OUT: "part of an outline",
    OUTLINE_UNREADABLE: _OUTLINE,
    OUTLINE_WRONG_SIZE: _OUTLINE,
    PHOTO_AMBIGUOUS: _ENTRY,
    PHOTO_LISTED_TWICE: "second entry of a photo",
    PHOTO_MISSING: "entry of a photo",
    SHAPE_UNSUPPORTED: _ENTRY,
    SPLIT_MISSING: "split",
    SPLIT_OVERLAP: "second split of a photo",
    SUPERCATEGORY_LEFT_OUT: "class",
}
"""What readers do not read, by the kind of the finding, unless its objects were counted."""

_MASK_FOLDERS = ("SegmentationClass/", "SegmentationObject/")
"""Of Pascal VOC; their images are no photos."""

_NO_LABEL = "no label that can be read names it"
_NO_PIXELS = "its labels are fractions of an unknown size"


@dataclass(frozen=True, slots=True)
class Absence:
    """Something of a data set that its mended copy lacks.

    kind:  of the finding that tells why
    place: a photo, or file, line and entry of a label
    what:  what is missing: "photo", "2 objects", "label file"
    why:   why it is missing, mostly the detail of the finding
    """

    kind: Kind
    place: Location
    what: str
    why: str
    num_photos: int = 0
    num_objects: int = 0

    def __str__(self) -> str:
        reason = self.why.removeprefix("left out: ")
        why = f" ({reason})" if reason else ""
        return f"{self.place}: {self.what}{why} [{self.kind.id}]"


def find_absences(report: CheckReport, mending: Mending) -> tuple[Absence, ...]:
    """All that a copy of labels of objects lacks, except objects whose removal is a change."""
    if report.form is None:  # the files of class folders and label maps are copied
        return ()
    return (*_photos(report, mending), *_objects(mending), *_not_read(report, mending))


def count_absences(absences: Sequence[Absence]) -> str:
    """What a copy lacks, in words: "2 photos, 5 objects, 1 label file"; "" if it lacks nothing."""
    counts = Counter[str]()
    for absence in absences:
        counts["photo"] += absence.num_photos
        counts["object"] += absence.num_objects
        if not absence.num_photos + absence.num_objects:
            counts[absence.what if absence.what in (_FILE, _OUTLINE) else _OTHER] += 1
    nouns = ("photo", "object", _FILE, _OUTLINE, _OTHER)
    return ", ".join(format_count(counts[noun], noun) for noun in nouns if counts[noun])


# ---------------------------------------------------------------- photos


def _photos(report: CheckReport, mending: Mending) -> Iterator[Absence]:
    """The photos that the labels do not name, or that cannot be told apart."""
    labels = mending.labels
    written = {
        photo.file for photo, is_written in zip(labels.photos, mending.written, strict=True) if is_written
    }
    label_files = {photo.location.file for photo in labels.photos}
    finding_of = _findings_by_photo(report)
    unnamed = {posixpath.dirname(found.photo): found for found in report.findings.of(SPLIT_UNNAMED)}
    without_pixels = {photo.file for index, photo in enumerate(labels.photos) if mending.lacks_pixels(index)}
    source = find_source(labels.root)
    others = set(labels.other_files)
    for file in source.photos:
        path = str(source.root / file)
        if file in written or file in others or path in label_files or _is_mask(file):
            continue
        if file in without_pixels:
            yield Absence(SIZE_UNKNOWN, Location(path), "photo", _NO_PIXELS, num_photos=1)
            continue
        finding = finding_of.get(file) or unnamed.get(posixpath.dirname(file))
        kind, why = (
            (PHOTO_WITHOUT_LABEL, _NO_LABEL) if finding is None else (finding.kind, str(finding.detail))
        )
        yield Absence(kind, Location(path), "photo", why, num_photos=1)


def _is_mask(file: str) -> bool:
    return any(folder in file for folder in _MASK_FOLDERS)


def _findings_by_photo(report: CheckReport) -> dict[str, Finding]:
    """A finding that tells why a photo is not in the copy."""
    shared = report.findings.of(LABEL_FILE_SHARED)
    found = {photo: finding for finding in shared for photo in finding.related}
    for kind in (PHOTO_AMBIGUOUS, PHOTO_WITHOUT_LABEL):
        for finding in report.findings.of(kind):
            found.setdefault(finding.photo, finding)
    return found


# ---------------------------------------------------------------- objects that were read


def _objects(mending: Mending) -> Iterator[Absence]:
    """The objects of photos that are not written, and those without a box."""
    labels = mending.labels
    has_photo = mending.written[labels.photo_of]
    has_box = np.isfinite(labels.boxes).all(axis=1)
    for row in np.flatnonzero(~(has_photo & has_box) & mending.kept).tolist():
        photo = labels.photos[labels.photo_of[row]]
        if has_photo[row]:
            is_missing = np.isnan(labels.boxes[row]).all()
            kind = BOX_EMPTY if is_missing else BOX_NOT_FINITE
            why = "it has no box, and no outline that can be read" if is_missing else "its box is not finite"
        elif photo.missing_name:
            kind, why = PHOTO_MISSING, "its photo does not exist"
        elif mending.lacks_pixels(int(labels.photo_of[row])):
            kind, why = SIZE_UNKNOWN, _NO_PIXELS
        else:
            kind, why = PHOTO_LISTED_TWICE, "another entry labels its photo"
        what = f"1 object, {mending.describe(row)}"
        yield Absence(kind, labels.location(row), what, why, num_objects=1)


# ---------------------------------------------------------------- what was not read


def _not_read(report: CheckReport, mending: Mending) -> Iterator[Absence]:
    """What readers left out, by their findings. Missing photos with objects are listed by these."""
    labels = mending.labels
    with_objects = {labels.photos[index].file for index in np.unique(labels.photo_of).tolist()}
    for kind in report.kinds():
        for finding in report.findings.of(kind):
            if finding.num_left_out:
                what = format_count(finding.num_left_out, "object")
                yield Absence(kind, finding.location, what, finding.detail, num_objects=finding.num_left_out)
            elif kind in _NOT_READ and not (kind is PHOTO_MISSING and finding.photo in with_objects):
                yield Absence(kind, finding.location, _NOT_READ[kind], finding.detail)


def absent_kinds(absences: Iterable[Absence], report: CheckReport) -> list[Kind]:
    """The kinds of the findings that tell what the copy lacks, errors first."""
    found = {absence.kind for absence in absences}
    return [kind for kind in report.kinds() if kind in found]
