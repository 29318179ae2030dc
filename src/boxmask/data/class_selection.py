"""Which classes are used, and under which names: some are left out, renamed, or merged into one."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

from boxmask.errors import UsageError
from boxmask.names import class_name
from boxmask.options import option

LABEL_CLASSES, MODEL_CLASSES = "the labels have", "the model has"
"""Whose classes are chosen, in messages."""

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
    owner:   LABEL_CLASSES or MODEL_CLASSES
    """

    classes: tuple[str, ...] | None = None
    renames: tuple[str, ...] = ()
    strict: bool = True
    owner: str = LABEL_CLASSES

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
                raise _unknown("map", old, class_names, self.owner)
            renames[old] = new
        return [renames.get(name, name) for name in class_names]

    def _wanted(self, given: Sequence[str], known: Sequence[str]) -> set[str]:
        if not any(class_name(text) for text in given):
            raise UsageError(
                f"{option('classes')}: give at least one class. {self.owner.capitalize()} {_quote(known)}."
            )
        wanted: set[str] = set()
        for text in given:
            is_name = class_name(text) in known
            wanted.update([class_name(text)] if is_name else map(class_name, text.split(",")))
        for name in wanted if self.strict else ():
            if name not in known:
                raise _unknown("classes", name, known, self.owner)
        if not wanted & set(known):
            raise _unknown("classes", ", ".join(given), known, self.owner)
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


def _unknown(flag: str, name: str, known: Sequence[str], owner: str) -> UsageError:
    similar = difflib.get_close_matches(name, known, n=1)
    hint = f' Did you mean "{similar[0]}"?' if similar else ""
    they_have = "They have" if owner == LABEL_CLASSES else "It has"
    return UsageError(f'{option(flag)}: {owner} no class "{name}".{hint} {they_have} {_quote(known)}.')


def _quote(names: Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


ALL_CLASSES = ClassSelection()
"""All classes, under their own names."""
