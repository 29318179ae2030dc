"""The objects of all label files of a Pascal VOC data set, as rows of arrays."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from boxmask.data.findings import Location
from boxmask.data.formats.labels import Attributes, Labels, PhotoEntry, label_files_of
from boxmask.data.formats.source import Source
from boxmask.data.formats.voc.annotation import VocObjects
from boxmask.data.formats.voc.xml_file import object_lines
from boxmask.names import class_name


class VocRows:
    """Collects the objects of label files.

    names: of the classes as written, by object
    """

    def __init__(self) -> None:
        self.names: list[str] = []
        self._corners = array("d")
        self._difficult = array("b")
        self._attributes: dict[int, Mapping[str, object]] = {}
        self._counts: dict[str, int] = {}

    def add(self, file: str, objects: VocObjects) -> None:
        """Append the objects of a file."""
        start = len(self.names)
        self._counts[file] = len(objects.names)
        self.names.extend(map(sys.intern, objects.names))
        for corners in objects.corners:
            self._corners.extend(corners)
        self._difficult.extend(objects.difficult)
        self._attributes.update({start + number: fields for number, fields in objects.attributes.items()})

    def num_objects(self, file: str) -> int:
        """The number of objects in a file."""
        return self._counts.get(file, 0)

    def labels(self, source: Source, files: Sequence[str], photos: list[PhotoEntry]) -> Labels:
        """The objects of some of the files.

        photos: first the photos of these files, in the same order, then photos without objects
        """
        rows, photo_of = self._rows_of(files)
        names = sorted({class_name(name) for name in set(self.names)})
        label_of = {name: names.index(class_name(name)) for name in set(self.names)}
        corners = np.array(self._corners, dtype=np.float64).reshape(-1, 4)[rows]
        paths = [source.root / file for file in files]
        location = partial(_location, photo_of=photo_of, paths=paths)
        first_rows: dict[str, int] = {}
        for new_row, row in enumerate(rows.tolist()):
            first_rows.setdefault(self.names[row], new_row)
        return Labels(
            root=source.root,
            class_names=tuple(names),
            photos=photos,
            photo_of=photo_of,
            boxes=corners - (1, 1, 0, 0),
            extents=corners[:, 2:] - corners[:, :2],
            labels=np.array([label_of[name] for name in self.names], dtype=np.int64)[rows],
            areas=np.full(len(rows), np.nan),
            crowd=np.zeros(len(rows), dtype=bool),
            difficult=np.array(self._difficult, dtype=bool)[rows],
            location=location,
            box_form="voc",
            spellings={name: partial(location, row) for name, row in first_rows.items()},
            spelling_places={
                name: partial(self._places, name, rows, photo_of, photos) for name in first_rows
            },
            attributes=Attributes(self._attributes_of(rows)),
        )

    def _places(
        self,
        name: str,
        rows: NDArray[np.int64],
        photo_of: NDArray[np.int64],
        photos: Sequence[PhotoEntry],
    ) -> list[Location]:
        """The files with an object whose class is written so."""
        pairs = zip(rows.tolist(), photo_of.tolist(), strict=True)
        return label_files_of(photos, (photo for row, photo in pairs if self.names[row] == name))

    def _attributes_of(self, rows: NDArray[np.int64]) -> dict[int, Mapping[str, object]]:
        """By the new row."""
        new_row = {old: new for new, old in enumerate(rows.tolist())} if self._attributes else {}
        return {new_row[row]: fields for row, fields in self._attributes.items() if row in new_row}

    def _rows_of(self, files: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The rows of the files' objects, and for each the index of its file."""
        ends = np.cumsum([0, *self._counts.values()])
        start_of = dict(zip(self._counts, ends.tolist(), strict=False))
        counts = [self._counts[file] for file in files]
        photo_of = np.repeat(np.arange(len(files)), counts)
        starts = np.repeat([start_of[file] for file in files], counts)
        within = np.arange(len(photo_of)) - np.repeat(np.cumsum([0, *counts])[:-1], counts)
        return (starts + within).astype(np.int64), photo_of.astype(np.int64)


def _location(row: int, photo_of: NDArray[np.int64], paths: Sequence[Path]) -> Location:
    """The file and the line of an object; the file is read again for the line."""
    photo = int(photo_of[row])
    number = row - int(np.searchsorted(photo_of, photo))
    lines = object_lines(paths[photo])
    return Location(str(paths[photo]), lines[number] if number < len(lines) else None)
