"""The labels of a data set while they are mended, and the changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float, Int

from boxmask.data.checks.examination import Examination
from boxmask.data.findings import Findings, Kind, Location
from boxmask.data.formats import yolo
from boxmask.data.formats.contract import Format
from boxmask.data.formats.labels import Labels

_MAX_SIDE = 100_000
"""Of photos whose size nobody knows."""


@dataclass(frozen=True, slots=True)
class Change:
    """One change.

    kind:   of the finding that it mends
    what:   is changed: "cat in a.jpg: box"
    before, after: its values; "" for something that is removed, or only removed
    why:    a short reason: "its corners were exchanged"
    """

    kind: Kind
    location: Location
    what: str
    before: str
    after: str
    why: str

    def __str__(self) -> str:
        values = f" {self.before}" if self.before else ""
        values += f" -> {self.after}" if self.after else ""
        return f"{self.location}: {self.what}{values} ({self.why}) [{self.kind.id}]"


@dataclass
class Mending:
    """Labels that are mended step by step.

    examination:  the labels as mended so far; rows are never removed from it
    form:         the format of the labels; None for class folders and label maps
    findings:     of the data set as it is
    boxes_before: (N, 4) as the labels give them, in pixels of photos of `sizes_before`
    sizes_before: (P, 2) heights and widths that the labels declare, else those of the photos, else those that
                  hold all boxes (see `knows_size`)
    sizes:        (P, 2) those to write
    kept:         (N,) False for objects that are removed
    misplaced:    (P,) photos whose boxes may be in the wrong place, so that it says nothing about them
    files:        (P) names of the photos as mended
    factors:      (N, 2) by which x and y of an outline are multiplied if it then fits its box better
    exchanged:    whether x and y of an outline are exchanged if it then fits its box better
    decided:      the mistakes of all labels (ABOUT_ALL_LABELS) that were mended
    """

    examination: Examination
    form: Format | None
    findings: Findings
    boxes_before: Float[np.ndarray, "N 4"]
    sizes_before: Int[np.ndarray, "P 2"]
    sizes: Int[np.ndarray, "P 2"]
    kept: Bool[np.ndarray, " N"]
    misplaced: Bool[np.ndarray, " P"]
    files: list[str]
    factors: Float[np.ndarray, "N 2"]
    exchanged: bool = False
    decided: set[Kind] = field(default_factory=set)
    changes: list[Change] = field(default_factory=list)

    @staticmethod
    def of(examination: Examination, form: Format | None, findings: Findings) -> Mending:
        """Labels of which nothing is mended yet."""
        labels = examination.labels
        count = len(labels.photo_of)
        sizes = _sizes_of_labels(examination)
        return Mending(
            examination,
            form,
            findings,
            boxes_before=labels.boxes.copy(),
            sizes_before=sizes,
            sizes=sizes.copy(),
            kept=np.ones(count, dtype=bool),
            misplaced=np.zeros(len(labels.photos), dtype=bool),
            files=[photo.file for photo in labels.photos],
            factors=np.ones((count, 2)),
        )

    @cached_property
    def written(self) -> Bool[np.ndarray, " P"]:
        """Which photos are in the copy: those that exist. Of several entries of a photo, the first counts."""
        first: dict[str, int] = {}
        for index, photo in enumerate(self.labels.photos):
            if not photo.missing_name and not self.lacks_pixels(index):
                first.setdefault(photo.file, index)
        written = np.zeros(len(self.labels.photos), dtype=bool)
        written[list(first.values())] = True
        return written

    @property
    def labels(self) -> Labels:
        """The labels as mended so far."""
        return self.examination.labels

    def knows_size(self, photo: int) -> bool:
        """Whether the photo or its labels tell the size; otherwise, `sizes` only holds all boxes."""
        is_declared = self.labels.photos[photo].declared_size is not None
        return is_declared or bool(self.examination.sizes_known[photo])

    def lacks_pixels(self, photo: int) -> bool:
        """Whether its labels are fractions of an unknown size, which only YOLO can hold."""
        return self.examination.in_fractions and self.form is not yolo and not self.knows_size(photo)

    def has(self, kind: Kind) -> bool:
        """Whether there is a finding of this kind."""
        return self.findings.count(kind) > 0

    def photos_of(self, kind: Kind) -> set[str]:
        """The photos of the findings of one kind."""
        return {finding.photo for finding in self.findings.of(kind)}

    def describe(self, row: int) -> str:
        """The object in a row, for changes: "cat in images/a.jpg"."""
        labels = self.labels
        return f"{labels.class_names[labels.labels[row]]} in {labels.photos[labels.photo_of[row]].file}"

    def set_boxes(
        self, kind: Kind, rows: Int[np.ndarray, " M"], boxes: Float[np.ndarray, "M 4"], why: str
    ) -> None:
        """Replace boxes. Those that stay the same are no change."""
        labels = self.labels
        changed = ~(labels.boxes[rows] == boxes).all(axis=1)
        rows, boxes = rows[changed], boxes[changed]
        for row, box in zip(rows.tolist(), boxes, strict=True):
            before, after = _format(labels.boxes[row]), _format(box)
            self._add(kind, row, "box", before, after, why)
        all_boxes, extents = labels.boxes.copy(), labels.extents.copy()
        all_boxes[rows] = boxes
        extents[rows] = boxes[:, 2:] - boxes[:, :2] - corner_offset(labels)
        labels = replace(labels, boxes=all_boxes, extents=extents)
        self.examination = replace(self.examination, labels=labels)

    def remove(self, kind: Kind, rows: Sequence[int], why: str) -> None:
        """Remove objects."""
        for row in rows:
            self._add(kind, row, "removed, box", _format(self.labels.boxes[row]), "", why)
        self.kept[list(rows)] = False

    def _add(self, kind: Kind, row: int, what: str, before: str, after: str, why: str) -> None:
        location, subject = self.labels.location(row), self.describe(row)
        self.changes.append(Change(kind, location, f"{subject}: {what}", before, after, why))


def _sizes_of_labels(examination: Examination) -> Int[np.ndarray, "P 2"]:
    """The declared sizes, else those of the photos, else those that hold all boxes."""
    labels, sizes = examination.labels, examination.sizes.astype(np.int64)
    far = np.where(np.isfinite(labels.boxes), labels.boxes, 0)[:, [3, 2]]
    reach = np.ones(sizes.shape)
    np.maximum.at(reach, labels.photo_of, np.minimum(far, _MAX_SIDE))
    sizes = np.where(examination.sizes_known[:, None], sizes, np.ceil(reach).astype(np.int64))
    for index, photo in enumerate(labels.photos):
        if photo.declared_size is not None:
            sizes[index] = photo.declared_size
    return sizes


def corner_offset(labels: Labels) -> int:
    """How much wider a box is than its extent says: VOC counts the pixels of both corners."""
    return 1 if labels.box_form == "voc" else 0


def _format(box: Float[np.ndarray, " 4"]) -> str:
    return ", ".join(f"{value:.10g}" for value in box.tolist())
