"""Where the labels of a photo are, and why they cannot be corrected."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from boxmask.cache_folder import ARCHIVES, cache_folder
from boxmask.data.correction.correct import PhotoPlace, shapes_of
from boxmask.data.correction.new_files import new_label_file
from boxmask.data.correction.objects import ShapeKind
from boxmask.data.formats import coco, voc, yolo
from boxmask.data.formats.contract import Format
from boxmask.data.formats.labels import PhotoEntry
from boxmask.data.formats.source import find_source
from boxmask.data.formats.yolo.class_numbers import NamesByNumber
from boxmask.data.formats.yolo.read import read_class_numbers
from boxmask.doctor.report import CheckReport
from boxmask.errors import LabelError
from boxmask.serving.datasets.objects import ObjectReader
from boxmask.serving.datasets.photo_index import PhotoIndex

_IMAGE = re.compile(r"images\[(\d+)\]")
_UNNAMED = re.compile(r"(?:class_)?(\d+)")


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why labels cannot be corrected.

    code:    a word for programs
    message: what is wrong, and what to do
    """

    code: str
    message: str


class Places:
    """Finds the label files of a data set.

    new_files: label files that were made since the data set was read, by photo
    """

    def __init__(self, report: CheckReport, reader: ObjectReader, data: Path) -> None:
        self._report, self._reader, self._data = report, reader, data
        self._labels = reader.labels
        self.new_files: dict[int, Path] = {}

    @property
    def shapes(self) -> tuple[ShapeKind, ...]:
        """The shapes that the format holds and that can be drawn; none if it cannot be corrected."""
        return shapes_of(self._report.form)

    @cached_property
    def obstacle(self) -> Obstacle | None:
        """Why no label of the data set can be corrected."""
        if not self.shapes:
            name = self._report.labels
            return Obstacle(
                "format",
                f"Labels of this format ({name}) are not corrected here. Convert the data set first, for "
                f"example: boxmask convert {self._data} --to coco --out DIR",
            )
        if self._report.root.is_relative_to(cache_folder() / ARCHIVES):
            return Obstacle("archive", f"{self._data} is an archive. Unpack it, and serve the folder.")
        return None

    def obstacle_of(self, photo: int, index: PhotoIndex) -> Obstacle | None:
        """Why the labels of a photo cannot be corrected."""
        if self.obstacle is not None:
            return self.obstacle
        entry = self._entry(index, photo)
        if entry is None:
            return None if self._report.form is not coco else _NOT_LISTED
        size = tuple(index.sizes[photo].tolist())
        if entry.declared_size not in (None, size) or 0 in size:
            return Obstacle(
                "size",
                "The labels declare another size than the photo has. Mend this first: "
                f"boxmask check {self._data} --fix --out DIR",
            )
        if self._report.form is voc and self._has_masks(index, photo):
            return Obstacle(
                "masks",
                "The outlines of this photo are in an image of masks, which boxes alone cannot change. "
                f"Convert the data set first: boxmask convert {self._data} --to coco --out DIR",
            )
        return None

    def _has_masks(self, index: PhotoIndex, photo: int) -> bool:
        rows = self._reader.rows(int(index.entries[photo]))
        return any(self._reader.outline(row) is not None for row in rows)

    def _entry(self, index: PhotoIndex, photo: int) -> PhotoEntry | None:
        """What the labels say about a photo; None without a label."""
        number = int(index.entries[photo])
        entry = None if number < 0 else self._labels.photos[number]
        return entry if entry is not None and (entry.is_labeled or self._report.form is coco) else None

    def label_file(self, photo: int, index: PhotoIndex) -> Path | None:
        """The label file of a photo; None if it has none yet."""
        entry = self._entry(index, photo)
        return self.new_files.get(photo) if entry is None else Path(entry.location.file)

    def place(self, photo: int, index: PhotoIndex, size: tuple[int, int]) -> PhotoPlace:
        """Where the labels of a photo are, or will be. Raises LabelError if nothing tells."""
        form = self._report.form
        assert form is not None
        entry = self._entry(index, photo)
        file = self.label_file(photo, index) or self._report.root / self._new_file(form, photo, index)
        found = _IMAGE.search(entry.location.entry) if entry else None
        image = int(found[1]) if found else 0
        if form is not yolo:
            return PhotoPlace(form, file, size, image)
        return PhotoPlace(form, file, size, numbers=self._numbers(file), keypoints=self._class_numbers[1])

    def _new_file(self, form: Format, photo: int, index: PhotoIndex) -> str:
        root = self._labels.root
        labeled = (
            (entry.file, Path(entry.location.file).relative_to(root).as_posix())
            for entry in self._labels.photos
            if entry.is_labeled and not entry.missing_name and Path(entry.location.file).is_relative_to(root)
        )
        file = new_label_file(form, index.files[photo], labeled)
        if (root / file).exists():
            raise LabelError(f"{file} exists, but is not read as the labels of this photo. Correct it first.")
        return file

    @cached_property
    def _class_numbers(self) -> tuple[NamesByNumber, int]:
        return read_class_numbers(find_source(self._data))

    def _numbers(self, file: Path) -> Mapping[str, int]:
        """The class numbers of a YOLO label file, by name."""
        numbers = self._class_numbers[0]
        root = self._labels.root
        folder = file.parent.relative_to(root).as_posix() if file.is_relative_to(root) else ""
        names = numbers.of_folder("" if folder == "." else folder)
        if names is not None:
            return {name: number for number, name in sorted(names.items(), reverse=True)}
        found = ((name, _UNNAMED.fullmatch(name)) for name in self._labels.class_names)
        return {name: int(match[1]) for name, match in found if match}


_NOT_LISTED = Obstacle(
    "not-listed",
    "No label file names this photo. Add it to the images of a label file first, then read the data set "
    "again.",
)
