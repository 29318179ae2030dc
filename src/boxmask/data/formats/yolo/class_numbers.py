"""The names of the class numbers in YOLO labels."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from jaxtyping import Int
from numpy.typing import NDArray

from boxmask.data.findings import Finding, Findings, Location
from boxmask.data.formats.kinds import CLASS_UNKNOWN
from boxmask.data.formats.yolo.definition import NamesFiles

_MAX_SHOWN = 10

_MAX_UNNAMED = 10_000
"""Of more classes without names, only those with objects are kept: nc may be any number."""


@dataclass(frozen=True)
class NamesByNumber:
    """The names by class number: of the whole data set, or by folder.

    names:       of the whole data set, None if they are in files
    source:      the file that they come from, relative to the root; "" if there is none
    files:       names by folder
    num_unnamed: classes that data.yaml counts but does not name; they get Ultralytics' names, class_0 ...
    """

    names: Mapping[int, str] | None
    source: str = ""
    files: NamesFiles = field(default_factory=NamesFiles)
    num_unnamed: int = 0

    def of_folder(self, folder: str) -> Mapping[int, str] | None:
        """The names for the label files of a folder; None if nothing names them."""
        return self.names if self.names is not None else self.files.names_for(folder)


def number_classes(
    root: Path,
    class_names: NamesByNumber,
    label_files: Sequence[str],
    files: Int[np.ndarray, " N"],
    classes: Int[np.ndarray, " N"],
    location: Callable[[int], Location],
    findings: Findings,
) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """All class names, and each object's index into them; -1 for class numbers without a name.

    label_files: by index; "" for photos without one
    files:       (N,) the label file of each object
    classes:     (N,) the class number of each object

    If nothing names the classes, their numbers are the names, and one finding says so.
    """
    folders = [posixpath.dirname(file) for file in label_files]
    used = sorted({folders[file] for file in np.unique(files).tolist()})
    names_of = {folder: class_names.of_folder(folder) for folder in used}
    if any(names is None for names in names_of.values()):
        names_of = _by_number(root, class_names, names_of, classes, findings)
    known = [*_names_in_order(class_names), *(_in_order(names or {}) for names in names_of.values())]
    label_of = {name: n for n, name in enumerate(dict.fromkeys(name for names in known for name in names))}
    labels = np.full(len(classes), -1, dtype=np.int64)
    folder_of = np.array([used.index(folder) if folder in used else -1 for folder in folders], dtype=np.int64)
    for index, folder in enumerate(used):
        rows = np.flatnonzero(folder_of[files] == index)
        names = names_of[folder] or {}
        numbers, inverse = np.unique(classes[rows], return_inverse=True)
        found = [label_of[names[n]] if n in names else -1 for n in numbers.tolist()]
        labels[rows] = np.array(found, dtype=np.int64)[inverse]
    for row in np.flatnonzero(labels < 0).tolist():
        names = names_of[folders[int(files[row])]] or {}
        number = int(classes[row])
        detail = _describe(number, names)
        place = location(row)
        findings.add(Finding(CLASS_UNKNOWN, place, detail, class_number=number, num_left_out=1))
    return tuple(label_of), labels


def _names_in_order(class_names: NamesByNumber) -> list[list[str]]:
    """The names of classes without objects, too."""
    files = class_names.files.by_folder.values()
    return [_in_order(names) for names in ([class_names.names] if class_names.names is not None else files)]


def _in_order(names: Mapping[int, str]) -> list[str]:
    return [name for _, name in sorted(names.items())]


def _describe(number: int, names: Mapping[int, str]) -> str:
    known = f"{min(names)} to {max(names)}" if names else "none"
    return f"class {number}; the numbers with a name are {known}"


def _by_number(
    root: Path,
    class_names: NamesByNumber,
    names_of: Mapping[str, Mapping[int, str] | None],
    classes: NDArray[np.int64],
    findings: Findings,
) -> dict[str, Mapping[int, str] | None]:
    """Names for class numbers that nothing names."""
    numbers = [number for number in np.unique(classes).tolist() if number >= 0]
    if class_names.num_unnamed:
        if class_names.num_unnamed <= _MAX_UNNAMED:
            numbers = list(range(class_names.num_unnamed))
        names = {number: f"class_{number}" for number in numbers if number < class_names.num_unnamed}
    else:
        names = {number: str(number) for number in numbers}
        shown = ", ".join(map(str, numbers[:_MAX_SHOWN])) + (", ..." if len(numbers) > _MAX_SHOWN else "")
        detail = f"no data.yaml, classes.txt or obj.names names the classes; found the numbers {shown}"
        findings.add(Finding(CLASS_UNKNOWN, Location(str(root / class_names.source)), detail))
    return {folder: names if known is None else known for folder, known in names_of.items()}
