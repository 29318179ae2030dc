"""Copies of a photo whose labels differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import product

import numpy as np
from jaxtyping import Float64, Int

from boxmask.data.checks.box_ious import paired_ious
from boxmask.data.checks.examination import Examination
from boxmask.data.findings import Finding, Findings
from boxmask.data.formats.kinds import LABEL_FILE_SHARED, PHOTO_WITHOUT_LABEL
from boxmask.data.formats.rows_by_photo import RowsByPhoto
from boxmask.data.formats.yolo.kinds import FILE_UNIT_DIFFERS
from boxmask.data.groups.components import members_of_groups
from boxmask.data.groups.copies import Copies
from boxmask.data.photo_records.records import PhotoRecords
from boxmask.doctor.photos.kinds import COPIES_LABELED_DIFFERENTLY
from boxmask.messages import format_count

_SAME_BOX = 0.5
"""Two people who draw a box around the same object reach at least this IoU."""


_DOUBTFUL = (FILE_UNIT_DIFFERS, LABEL_FILE_SHARED, PHOTO_WITHOUT_LABEL)
"""Findings about photos whose labels are unknown, or known to be wrong."""


class _Objects:
    """The objects of each photo: classes, and boxes as fractions of the photo."""

    def __init__(self, examination: Examination) -> None:
        labels = examination.labels
        self._rows = RowsByPhoto(labels)
        self._labels = labels
        self._sizes = examination.sizes

    def of(self, photo: int) -> tuple[Int[np.ndarray, " N"], Float64[np.ndarray, "N 4"]]:
        """The classes and boxes of a photo."""
        rows = self._rows.of(photo)
        height, width = np.maximum(self._sizes[photo], 1).tolist()
        return self._labels.labels[rows], self._labels.boxes[rows] / [width, height, width, height]

    def describe(self, photo: int) -> str:
        """The number of objects per class, in words."""
        classes = Counter(self.of(photo)[0].tolist())
        names = [f"{count} {self._labels.class_names[label]}" for label, count in sorted(classes.items())]
        return ", ".join(names) or "no object"


def check_copy_labels(
    records: PhotoRecords, copies: Copies, examination: Examination, findings: Findings
) -> None:
    """Add copies with other classes, another number of objects, or objects elsewhere.

    Photos without labels, or with those of another photo, are left out. Flipped and rotated copies are
    compared in the turn in which the fewest objects lie elsewhere.
    """
    doubtful = {finding.photo for kind in _DOUBTFUL for finding in findings.of(kind)}
    index = {
        photo.file: number
        for number, photo in enumerate(examination.labels.photos)
        if photo.file not in doubtful
    }
    objects = _Objects(examination)
    for photos in members_of_groups(copies.turned):
        labeled = [photo for photo in photos.tolist() if records.files[photo] in index]
        first_of: dict[int, int] = {}  # of the copies in one orientation, the first one
        for photo in labeled:
            upright = int(copies.upright[photo])
            is_turned = upright not in first_of
            original = first_of.setdefault(upright, labeled[0])
            if original == photo:
                continue
            if is_turned:
                first_of[upright] = photo
            file, copy = records.files[original], records.files[photo]
            if difference := _difference(objects, index, file, copy, is_turned):
                location = examination.labels.photos[index[copy]].location
                findings.add(Finding(COPIES_LABELED_DIFFERENTLY, location, difference, copy, related=(file,)))


def _difference(objects: _Objects, index: Mapping[str, int], file: str, copy: str, is_turned: bool) -> str:
    """What differs between the labels of two photos, in words; "" if nothing does."""
    classes, boxes = objects.of(index[file])
    other_classes, other_boxes = objects.of(index[copy])
    texts = objects.describe(index[file]), objects.describe(index[copy])
    word = "flipped or rotated copy" if is_turned else "copy"
    if texts[0] != texts[1]:
        return f"{copy} has {texts[1]}; its {word} {file} has {texts[0]}"
    turns = _turns(other_boxes) if is_turned else (other_boxes,)
    far = min(_count_without_match(classes, boxes, other_classes, turned) for turned in turns)
    return f"{format_count(far, 'object')} of {copy} lie elsewhere in its {word} {file}" if far else ""


def _turns(boxes: Float64[np.ndarray, "N 4"]) -> Iterator[Float64[np.ndarray, "N 4"]]:
    """Boxes in fractions of a photo, in the 8 ways in which it can be flipped and rotated."""
    for transposed in (boxes, boxes[:, [1, 0, 3, 2]]):
        for across, down in product((False, True), repeat=2):
            x1, y1, x2, y2 = transposed.T
            x1, x2 = (1 - x2, 1 - x1) if across else (x1, x2)
            y1, y2 = (1 - y2, 1 - y1) if down else (y1, y2)
            yield np.column_stack([x1, y1, x2, y2])


def _count_without_match(
    classes: Int[np.ndarray, " N"],
    boxes: Float64[np.ndarray, "N 4"],
    other_classes: Int[np.ndarray, " N"],
    other_boxes: Float64[np.ndarray, "N 4"],
) -> int:
    """The number of objects without one of the same class and an IoU of `_SAME_BOX` among the others."""
    remaining = list(range(len(other_classes)))
    unmatched = 0
    for label, box in zip(classes.tolist(), boxes, strict=True):
        same = [n for n in remaining if other_classes[n] == label]
        ious = paired_ious(np.tile(box, (len(same), 1)), other_boxes[same])
        if ious.max(initial=0) < _SAME_BOX:
            unmatched += 1
        else:
            remaining.remove(same[int(ious.argmax())])
    return unmatched
