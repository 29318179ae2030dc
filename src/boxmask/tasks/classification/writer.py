"""Writing the classes of many photos into one table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from boxmask.errors import UsageError
from boxmask.results.entries import classification_entry, classification_from_entry
from boxmask.results.table import save_table
from boxmask.types import Classification
from boxmask.visualization.style import RGBImage

TABLE_FILE = "classes.csv"


class ClassificationWriter:
    """See `ResultWriter`. The table has one row per photo: path, class, and the score of each class."""

    def __init__(self, out: Path, formats: tuple[str, ...] | None, class_names: tuple[str, ...]) -> None:
        if formats is not None:
            raise UsageError(f"--save: a classifier writes {TABLE_FILE}; leave the flag out")
        self.out, self.class_names = out, class_names
        self.photos: list[Path] = []
        self.results: list[Classification] = []

    def files(self, name: str, result: Classification | None = None) -> list[Path]:
        """Always empty: one table covers all photos."""
        return []

    def shared_files(self) -> list[Path]:
        """The table."""
        return [self.out / TABLE_FILE]

    def write(self, name: str, photo: Path, pixels: RGBImage, result: Classification) -> None:
        """Remember the row of one photo."""
        self.photos.append(photo)
        self.results.append(result)

    def restore(self, photo: Path, entry: dict[str, Any]) -> None:
        """Take the classification of an earlier call."""
        self.photos.append(photo)
        self.results.append(classification_from_entry(entry, self.class_names))

    def last_entry(self) -> dict[str, Any]:
        """The last classification, as JSON can hold it."""
        return classification_entry(self.results[-1])

    def finish(self) -> list[Path]:
        """Write the table."""
        columns: dict[str, list[str]] = {
            "photo": [photo.as_posix() for photo in self.photos],
            "class": [result.name for result in self.results],
        }
        for label, name in enumerate(self.class_names):
            columns[name] = [f"{float(result.scores[label]):.4f}" for result in self.results]
        save_table(columns, self.out / TABLE_FILE)
        return self.shared_files()

    def summary(self) -> str:
        """Always empty."""
        return ""

    def notes(self) -> tuple[str, ...]:
        """Always empty: nothing is drawn."""
        return ()

    def remarks(self) -> tuple[str, ...]:
        """Always empty."""
        return ()
