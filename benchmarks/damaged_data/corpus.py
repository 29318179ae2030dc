"""Builds the data sets of the corpus: each damage in each format, and a sound twin of each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from damaged_data import damages  # noqa: F401  fills the table
from damaged_data.damage import DAMAGES, Build, Damage
from damaged_data.draft import Draft, Expected
from damaged_data.scenes import load_sample, make_photos
from damaged_data.writers import WRITERS


@dataclass(frozen=True)
class Case:
    """A damage in a format."""

    damage: Damage
    format: str

    def __str__(self) -> str:
        return f"{self.damage.name} [{self.format}]"


@dataclass(frozen=True)
class Built:
    """A data set on disk, what must be found in it, and the kinds that may be found, too."""

    folder: Path
    expected: tuple[Expected, ...] = ()
    implied: frozenset[str] = frozenset()


def all_cases() -> Iterator[Case]:
    """Each damage in each format."""
    for entry in DAMAGES:
        for name in entry.formats:
            yield Case(entry, name)


class Corpus:
    """Builds data sets in a folder. Their photos are linked to one set of photos, which `seed` decides."""

    def __init__(self, folder: Path, seed: int = 14) -> None:
        self._folder = folder
        self._photos = folder / "photos"
        if not (self._photos / "scenes.json").exists():
            make_photos(self._photos, seed)
        self._twins: dict[tuple[Build, str], Built] = {}

    def build(self, case: Case) -> Built:
        """The damaged data set."""
        name = f"{case.damage.build.__module__.rpartition('.')[2]}.{case.damage.build.__name__}"
        draft = self._draft(f"damaged/{case.format}/{name}", case.format)
        case.damage.build(draft)
        return Built(draft.folder, tuple(draft.expected), frozenset(draft.implied))

    def build_twin(self, case: Case) -> Built:
        """The sound twin. Damages with the same twin share it."""
        key = case.damage.twin, case.format
        if key not in self._twins:
            draft = self._draft(f"sound/{case.format}/{case.damage.twin.__name__}", case.format)
            case.damage.twin(draft)
            self._twins[key] = Built(draft.folder)
        return self._twins[key]

    def _draft(self, name: str, format_name: str) -> Draft:
        return Draft(WRITERS[format_name], load_sample(self._photos), self._folder / name)
