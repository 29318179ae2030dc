"""A data set as it was read, and what was corrected since."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import numpy as np

from boxmask.data.correction.versions import KeptVersion
from boxmask.doctor.photos.files import photo_files
from boxmask.doctor.report import CheckReport
from boxmask.serving.datasets.findings import FindingIndex
from boxmask.serving.datasets.objects import ObjectReader, ViewObject
from boxmask.serving.datasets.photo_index import PhotoIndex
from boxmask.serving.datasets.places import Places

Stamp: TypeAlias = tuple[int, int] | None
"""Time and size of a file; None if there is none. Another stamp means that someone has written it."""


@dataclass(frozen=True, slots=True)
class LastSave:
    """The last time that a label file was written here.

    before: the objects of the photo before
    """

    photo: int
    kept: KeptVersion
    before: tuple[ViewObject, ...]


@dataclass
class Snapshot:
    """The photos and labels of a data set.

    generation: 1 for the first reading of the data set, then counted on
    corrected:  the objects of the photos that were corrected
    saves:      counts per photo how often it was corrected
    stamps:     of the label files, as they were read or written last
    """

    generation: int
    report: CheckReport
    reader: ObjectReader
    index: PhotoIndex
    findings: FindingIndex
    places: Places
    stamps: dict[Path, Stamp]
    corrected: dict[int, tuple[ViewObject, ...]] = field(default_factory=dict)
    saves: dict[int, int] = field(default_factory=dict)
    last_saves: dict[Path, LastSave] = field(default_factory=dict)

    @staticmethod
    def of(report: CheckReport, generation: int, data: Path) -> Snapshot:
        """The snapshot of a report on readable labels."""
        assert report.examination is not None
        labels = report.examination.labels
        files = photo_files(labels)
        reader = ObjectReader(report.examination)
        label_files = {Path(photo.location.file) for photo in labels.photos}
        return Snapshot(
            generation,
            report,
            reader,
            PhotoIndex.of(files, report.examination),
            FindingIndex(report, files),
            Places(report, reader, data),
            {file: stamp_of(file) for file in label_files},
        )

    @property
    def root(self) -> Path:
        """The folder that the photos lie in."""
        return self.reader.labels.root

    def version(self, photo: int) -> str:
        """A word that changes when the objects of a photo change."""
        return f"{self.generation}-{self.saves.get(photo, 0)}"

    def objects(self, photo: int) -> tuple[ViewObject, ...]:
        """The objects of a photo as they are now."""
        if photo in self.corrected:
            return self.corrected[photo]
        entry = int(self.index.entries[photo])
        return self.reader.objects(entry) if entry >= 0 else ()

    def set_objects(self, photo: int, objects: tuple[ViewObject, ...]) -> None:
        """Note that the objects of a photo were corrected."""
        self.corrected[photo] = objects
        self.saves[photo] = self.saves.get(photo, 0) + 1
        names = self.index.class_names
        labels = np.array([names.index(each.class_name) for each in objects], dtype=np.int64)
        boxes = np.array([each.box or (np.nan,) * 4 for each in objects], dtype=np.float64)
        self.index = self.index.with_objects(photo, labels, boxes.reshape(-1, 4))

    def is_changed(self, file: Path) -> bool:
        """Whether someone else has written a label file since."""
        return file in self.stamps and self.stamps[file] != stamp_of(file)

    def has_changed(self) -> bool:
        """Whether someone else has written any label file since."""
        return any(stamp != stamp_of(file) for file, stamp in self.stamps.items())


def stamp_of(file: Path) -> Stamp:
    """Time and size of a file; None if it does not exist."""
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size
