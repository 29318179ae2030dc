"""Collect the objects of a format as rows of compact arrays."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from boxmask.data.findings import Box, Location
from boxmask.data.formats.labels import Attributes, Labels, PhotoEntry, label_files_of
from boxmask.data.formats.outline_rows import OutlineRows, ReadOutline
from boxmask.data.outlines import Outline
from boxmask.names import class_name

_NO_BOX = (np.nan,) * 4


class ObjectRows:
    """The objects of a data set, added one by one in any order of photos.

    outlines:   of the objects; add one before each call of `add`
    attributes: by row
    """

    def __init__(self) -> None:
        self.outlines = OutlineRows()
        self.attributes: dict[int, dict[str, object]] = {}
        self._photos, self._boxes, self._names = array("q"), array("d"), array("q")
        self._name_indices: dict[str, int] = {}
        self._first_rows: dict[str, int] = {}
        self._crowd: list[int] = []
        self._difficult: list[int] = []

    def __len__(self) -> int:
        return len(self._photos)

    def add(
        self,
        photo: int,
        name: str,
        *,
        box: Box | None = None,
        outline: Outline | ReadOutline | Sequence[float] | None = None,
        attributes: dict[str, object] | None = None,
    ) -> None:
        """Add an object.

        name:       of its class, as written
        box:        None if it is to be computed from the outline
        outline:    in any form that `OutlineRows` takes; numbers are one polygon, x, y, x, y, ...
        attributes: see `Attributes`; "iscrowd" and "difficult" become columns of their own
        """
        row = len(self._photos)
        if attributes:
            for names, rows in ((_CROWD, self._crowd), (_DIFFICULT, self._difficult)):
                if _take_flag(attributes, names):
                    rows.append(row)
            if attributes:
                self.attributes[row] = attributes
        if outline is None:
            self.outlines.add_none()
        elif isinstance(outline, Sequence):
            self.outlines.add_polygon(outline)
        else:
            self.outlines.add(outline)
        self._photos.append(photo)
        self._boxes.extend(box or _NO_BOX)
        self._names.append(self._name_indices.setdefault(name, len(self._name_indices)))
        self._first_rows.setdefault(name, row)

    def labels(
        self,
        root: Path,
        photos: list[PhotoEntry],
        location: Callable[[int], Location],
        *,
        declared_names: Iterable[str] = (),
        photo_attributes: Mapping[int, Mapping[str, object]] | None = None,
        class_attributes: Mapping[str, Mapping[str, object]] | None = None,
        form: Literal["corners", "xywh", "center"] = "corners",
    ) -> Labels:
        """All objects as labels. `declared_names` come first among the classes, the others by name."""
        declared = list(declared_names)
        declared_classes = [class_name(name) for name in declared]
        names = list(dict.fromkeys([*declared_classes, *sorted(map(class_name, self._name_indices))]))
        boxes = np.array(self._boxes, dtype=np.float64).reshape(-1, 4)
        return Labels(
            root=root,
            class_names=tuple(names),
            photos=photos,
            photo_of=np.array(self._photos, dtype=np.int64),
            boxes=boxes,
            extents=boxes[:, 2:] - boxes[:, :2],
            labels=self._label_indices(names),
            areas=np.full(len(self), np.nan),
            crowd=self._flags(self._crowd),
            difficult=self._flags(self._difficult),
            location=location,
            box_form=form,
            outline=None if self.outlines.is_empty else self.outlines,
            attributes=Attributes(self.attributes, photo_attributes or {}, class_attributes or {}),
            declared_names=tuple(declared_classes),
            spellings={name: partial(Location, str(root)) for name in declared}
            | {name: partial(location, row) for name, row in self._first_rows.items()},
            spelling_places={name: partial(self._places, name, photos) for name in self._first_rows},
        )

    def _places(self, name: str, photos: Sequence[PhotoEntry]) -> list[Location]:
        """The files with an object whose class is written so."""
        is_named = np.array(self._names, dtype=np.int64) == self._name_indices[name]
        return label_files_of(photos, np.unique(np.array(self._photos, dtype=np.int64)[is_named]).tolist())

    def _label_indices(self, names: Sequence[str]) -> NDArray[np.int64]:
        label_of = {name: label for label, name in enumerate(names)}
        labels = [label_of[class_name(name)] for name in self._name_indices]
        return np.array(labels, dtype=np.int64)[np.array(self._names, dtype=np.int64)]

    def _flags(self, rows: Sequence[int]) -> NDArray[np.bool_]:
        flags = np.zeros(len(self), dtype=bool)
        flags[list(rows)] = True
        return flags


_CROWD, _DIFFICULT = ("iscrowd", "is_crowd"), ("difficult",)
_FLAGS = {1: True, "1": True, "true": True, 0: False, "0": False, "false": False}  # True is 1, too


def _take_flag(attributes: dict[str, object], names: Sequence[str]) -> bool:
    """Remove an attribute that holds true or false in any usual form; whether it is true."""
    for name in names:
        value = attributes.get(name)
        key = value.lower() if isinstance(value, str) else value
        if isinstance(key, str | int | float) and key in _FLAGS:
            del attributes[name]
            return _FLAGS[key]
    return False
