"""The verb `predict` of a classifier: from photos to one table of their classes."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from boxmask.atomic_write import atomic_write
from boxmask.classifiers.contract import Classifier
from boxmask.errors import PhotoError, UsageError
from boxmask.photos.find import find_photos
from boxmask.types import Classification

TABLE = "classes.csv"


@dataclass(frozen=True)
class Classified:
    """What each photo shows.

    photos, classes: one for each photo that could be read
    table:           where that was written
    faults:          what is wrong with each of the others, a sentence with its name
    """

    photos: list[Path]
    classes: list[Classification]
    table: Path
    faults: list[str]


def classify_photos(
    classifier: Classifier,
    inputs: Sequence[str | Path],
    out: Path,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> Classified:
    """Say what photos, folders and globs show, in `out`/classes.csv: photo, class, and the score of each.

    One that cannot be read becomes a fault, and the others go on. Raises PhotoError for an input that matches
    no photo, and UsageError for a file in the way.
    """
    if out.exists() and not out.is_dir():
        raise UsageError(f"{out}: is a file; give a folder with --out.")
    photos = find_photos(inputs)
    done = Classified([], [], out / TABLE, [])
    for number, path in enumerate(photos, start=1):
        try:
            done.classes.append(classifier.predict(path))
            done.photos.append(path)
        except PhotoError as error:
            done.faults.append(str(error))
        if progress is not None:
            progress(number, len(photos))
    names = classifier.config.class_names
    with atomic_write(done.table) as partial, partial.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["photo", "class", *names])
        for path, one in zip(done.photos, done.classes, strict=True):
            table.writerow([path.as_posix(), one.name, *(f"{score:.4f}" for score in one.scores.tolist())])
    return done
