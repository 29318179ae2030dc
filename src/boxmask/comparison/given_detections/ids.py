"""What the ids in a file of detections mean: its own tables come first, then those of COCO labels."""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from boxmask.data.detection.read_labels import find_labels
from boxmask.data.formats import coco
from boxmask.data.json_text import read_json
from boxmask.errors import LabelError
from boxmask.messages import MAX_LOCATIONS
from boxmask.names import NameIndex, class_name
from boxmask.similar_names import did_you_mean


class UnknownIdError(ValueError):
    """An id or a name means no photo or class, or several; the message says so."""


@dataclass
class IdTable:
    """The names behind ids.

    photos:  the files of each image id
    classes: the names of each category id
    """

    photos: defaultdict[object, set[str]] = field(default_factory=lambda: defaultdict(set))
    classes: defaultdict[object, set[str]] = field(default_factory=lambda: defaultdict(set))

    def add_document(self, document: object, folder: str, index: NameIndex) -> None:
        """Add "images" and "categories" of a COCO file. Entries that cannot be read are passed over.

        folder: of the file, to which file names may be relative
        """
        for identity, name in _pairs(document, "images", "file_name"):
            matches = index.matches(name, folder)
            self.photos[identity].update(match.file for match in matches)
        for identity, name in _pairs(document, "categories", "name"):
            self.classes[identity].add(class_name(name))


def _pairs(document: object, key: str, name: str) -> Iterator[tuple[int | str, str]]:
    entries = document.get(key) if isinstance(document, dict) else None
    for entry in entries if isinstance(entries, list) else []:
        if not isinstance(entry, dict):
            continue
        if isinstance(entry.get("id"), int | str) and isinstance(entry.get(name), str):
            yield entry["id"], entry[name]


def _listed(names: Collection[str]) -> str:
    shown = sorted(names)[:MAX_LOCATIONS]
    return ", ".join(shown) + (f" and {len(names) - len(shown):,} more" if len(names) > len(shown) else "")


class PhotosAndClasses:
    """Finds photos and classes by the ids and names in a file of detections.

    files:       all photos of the data set
    evaluated:   the index of each evaluated photo
    class_names: of the data set
    """

    def __init__(self, document: Any, data: Path, full: Any, dataset: Any) -> None:
        self.files = full.files.tolist()
        self.evaluated = {file: photo for photo, file in enumerate(dataset.files.tolist())}
        self.class_names: tuple[str, ...] = dataset.class_names
        self._index = NameIndex(self.files)
        self._label_of = {class_name(name): label for label, name in enumerate(self.class_names)}
        self._own, self._data = IdTable(), data
        self._of_labels: IdTable | None = None
        self._known_classes, self._unknown_classes = set[str](), set[str]()
        self._own.add_document(document, "", self._index)

    def photo(self, identity: object) -> int | None:
        """The index of an evaluated photo; None for another photo of the data set.

        identity: an id, or a file name

        Raises UnknownIdError.
        """
        if isinstance(identity, str) and identity not in self._own.photos:
            return self._photo_by_name(identity)
        files = self._own.photos.get(identity) or self._labels().photos.get(identity, set())
        if not files:
            raise UnknownIdError(f"image_id {identity!r} is no photo of the labels")
        found = [self.evaluated[file] for file in sorted(files) if file in self.evaluated]
        if len(found) > 1:
            raise UnknownIdError(f"image_id {identity!r} means {len(found)} photos. Give file names instead")
        return found[0] if found else None

    def _photo_by_name(self, name: str) -> int | None:
        matches = self._index.matches(name)
        if not matches:
            raise UnknownIdError(f"no photo is called {name!r}{did_you_mean(name, self.files)}")
        if len(matches) > 1:
            raise UnknownIdError(f"{name!r} may be {matches[0].file} or {matches[1].file}")
        return self.evaluated.get(matches[0].file)

    def label(self, identity: object) -> int | None:
        """The label of a class; None for one that the data set does not have.

        identity: an id, or a name

        Raises UnknownIdError.
        """
        if isinstance(identity, str) and identity not in self._own.classes:
            return self._label(identity)
        names = self._own.classes.get(identity) or self._labels().classes.get(identity, set())
        if not names:
            raise UnknownIdError(
                f'category_id {identity!r} is no category of the labels. Add "category_name", or a list '
                '"categories" with ids and names'
            )
        if len(names) > 1:
            raise UnknownIdError(f"category_id {identity!r} means {' or '.join(sorted(names))} in the labels")
        return self._label(next(iter(names)))

    def _label(self, name: str) -> int | None:
        label = self._label_of.get(class_name(name))
        (self._unknown_classes if label is None else self._known_classes).add(name)
        return label

    def check_classes(self, path: Path) -> None:
        """Raise LabelError if results were asked for, and the data set has none of their classes."""
        if self._known_classes or not self._unknown_classes:
            return
        raise LabelError.in_file(
            path,
            f"none of its classes is in the labels. It has {_listed(self._unknown_classes)}, and the labels "
            f"have {_listed(self.class_names)}. Use the names of the labels.",
        )

    def _labels(self) -> IdTable:
        """The ids of the labels, read when they are first needed; none if they are not COCO files."""
        if self._of_labels is None:
            self._of_labels = table = IdTable()
            found = find_labels(self._data)
            for form, files in found.formats:
                for file in files if form.NAME == coco.NAME else []:
                    document = read_json(found.source.root / file)
                    table.add_document(document, posixpath.dirname(file), self._index)
        return self._of_labels
