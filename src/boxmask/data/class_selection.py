"""Classes by name: keep some of a data set's classes, merge several into one, or give them other names."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Int

from boxmask.data.findings import Finding, Findings, Kind, Location
from boxmask.data.formats.labels import Labels
from boxmask.errors import UsageError
from boxmask.messages import format_count
from boxmask.names import class_name
from boxmask.options import option

if TYPE_CHECKING:
    from boxmask.data.detection.dataset import DetectionDataset

CLASS_LEFT_OUT = Kind(
    "class-left-out",
    "note",
    f"Classes that {option('classes')} leaves out",
    f"Name these classes in {option('classes')} to use them.",
)

LEFT_OUT = -1
"""In place of a label: the class is left out."""


@dataclass(frozen=True)
class ClassChoice:
    """The chosen K classes of a data set.

    label_of: (M,) the new label of each of the data set's M classes, 0..K-1 or LEFT_OUT
    """

    names: tuple[str, ...]
    label_of: Int[np.ndarray, " M"]


@dataclass(frozen=True)
class ClassSelection:
    """Which classes of a data set are used, and under which names.

    classes: names to keep, after renaming; a name may hold several, separated by commas. Default: all.
    renames: OLD=NEW. Two old names with the same new one are merged.
    strict:  whether names that the data set lacks are errors
    """

    classes: tuple[str, ...] | None = None
    renames: tuple[str, ...] = ()
    strict: bool = True

    @staticmethod
    def of(classes: Sequence[str] | None, renames: Mapping[str, str] | Sequence[str]) -> ClassSelection:
        """From lists and dictionaries, as Python users give them."""
        return ClassSelection(None if classes is None else tuple(classes), as_renames(renames))

    def __bool__(self) -> bool:
        return self.classes is not None or bool(self.renames)

    def choose(self, class_names: Sequence[str]) -> ClassChoice:
        """The chosen classes, in the order of the data set.

        Raises UsageError for a name that the data set lacks, and for a rename that is not OLD=NEW.
        """
        new_names = self._rename(class_names)
        known = list(dict.fromkeys(new_names))
        wanted = known if self.classes is None else self._wanted(self.classes, known)
        names = tuple(name for name in known if name in wanted)
        label_of = [names.index(name) if name in wanted else LEFT_OUT for name in new_names]
        return ClassChoice(names, np.array(label_of, dtype=np.int64))

    def _rename(self, class_names: Sequence[str]) -> list[str]:
        renames: dict[str, str] = {}
        for text in self.renames:
            old, new = _split_rename(text, class_names)
            if self.strict and old not in class_names:
                raise _unknown("map", old, class_names)
            renames[old] = new
        return [renames.get(name, name) for name in class_names]

    def _wanted(self, given: Sequence[str], known: Sequence[str]) -> set[str]:
        wanted: set[str] = set()
        for text in given:
            is_name = class_name(text) in known
            wanted.update([class_name(text)] if is_name else map(class_name, text.split(",")))
        for name in wanted if self.strict else ():
            if name not in known:
                raise _unknown("classes", name, known)
        if not wanted & set(known):
            raise _unknown("classes", ", ".join(given), known)
        return wanted


def as_renames(renames: Mapping[str, str] | Sequence[str]) -> tuple[str, ...]:
    """OLD=NEW of each pair in a dictionary; a sequence holds them already."""
    if isinstance(renames, Mapping):
        return tuple(f"{old}={new}" for old, new in renames.items())
    return tuple(renames)


def _split_rename(text: str, class_names: Sequence[str]) -> tuple[str, str]:
    """OLD and NEW of "OLD=NEW". A name may hold "=", too: the longest OLD that is a class is taken."""
    parts = text.split("=")
    splits = [("=".join(parts[:n]), "=".join(parts[n:])) for n in range(len(parts) - 1, 0, -1)]
    pairs = [(class_name(old), class_name(new)) for old, new in splits]
    pairs = [(old, new) for old, new in pairs if old and new]
    if not pairs:
        raise UsageError(f"{option('map')} {text}: expected OLD=NEW, for example Banan=Banana")
    return next((pair for pair in pairs if pair[0] in class_names), pairs[-1])


def _unknown(flag: str, name: str, known: Sequence[str]) -> UsageError:
    similar = difflib.get_close_matches(name, known, n=1)
    hint = f' Did you mean "{similar[0]}"?' if similar else ""
    quoted = ", ".join(f'"{known_name}"' for known_name in known)
    return UsageError(f'{option(flag)}: the labels have no class "{name}".{hint} They have {quoted}.')


ALL_CLASSES = ClassSelection()
"""All classes, under their own names."""


# ---------------------------------------------------------------- labels of objects


def select_classes(labels: Labels, selection: ClassSelection, findings: Findings) -> Labels:
    """The objects of the chosen classes. Photos without any of them stay, as background."""
    if not selection:
        return labels
    choice = selection.choose(labels.class_names)
    new_labels = choice.label_of[labels.labels]
    counts = np.bincount(labels.labels, minlength=len(labels.class_names))
    for name, label, count in zip(labels.class_names, choice.label_of, counts.tolist(), strict=True):
        if label == LEFT_OUT:
            detail = f'"{name}": {format_count(count, "object")}'
            findings.add(Finding(CLASS_LEFT_OUT, Location(str(labels.root)), detail))
    chosen = _with_rows(labels, np.flatnonzero(new_labels != LEFT_OUT))
    return replace(
        chosen,
        class_names=choice.names,
        labels=new_labels[new_labels != LEFT_OUT],
        attributes=replace(chosen.attributes, classes=_class_attributes(labels, choice)),
    )


def _class_attributes(labels: Labels, choice: ClassChoice) -> dict[str, Mapping[str, object]]:
    """The attributes of the chosen classes. A merged class has those of the class that had its name already,
    else of the first one.
    """
    attributes: dict[str, Mapping[str, object]] = {}
    for old, label in zip(labels.class_names, choice.label_of.tolist(), strict=True):
        if label == LEFT_OUT or old not in labels.attributes.classes:
            continue
        new = choice.names[label]
        if old == new or new not in attributes:
            attributes[new] = labels.attributes.classes[old]
    return attributes


def _with_rows(labels: Labels, rows: Int[np.ndarray, " R"]) -> Labels:
    """Some of the objects."""
    location, outline = labels.location, labels.outline
    objects = labels.attributes.objects
    with_attributes = enumerate(rows.tolist()) if objects else ()
    attributes = {new: objects[old] for new, old in with_attributes if old in objects}
    return replace(
        labels,
        photo_of=labels.photo_of[rows],
        boxes=labels.boxes[rows],
        extents=labels.extents[rows],
        labels=labels.labels[rows],
        areas=labels.areas[rows],
        crowd=labels.crowd[rows],
        difficult=labels.difficult[rows],
        location=lambda row: location(int(rows[row])),
        outline=None if outline is None else lambda row: outline(int(rows[row])),
        attributes=replace(labels.attributes, objects=attributes),
    )


# ---------------------------------------------------------------- photos with one class each


def select_photos(dataset: DetectionDataset, selection: ClassSelection) -> DetectionDataset:
    """The photos of the chosen classes. Each photo has one object, as `read_class_folders` returns it."""
    if not selection:
        return dataset
    choice = selection.choose(dataset.class_names)
    new_labels = choice.label_of[dataset.labels]
    chosen = dataset.subset(np.flatnonzero(new_labels != LEFT_OUT))
    left_out = len(dataset) - len(chosen)
    note = f"left out: {format_count(left_out, 'photo')} of classes that {option('classes')} does not name"
    return replace(
        chosen,
        class_names=choice.names,
        labels=choice.label_of[chosen.labels],
        notes=dataset.notes + ((note,) if left_out else ()),
    )
