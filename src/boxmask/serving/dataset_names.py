"""The names under which clients know the data sets of `boxmask serve --data`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from boxmask.errors import UsageError
from boxmask.options import option
from boxmask.serving.unique_names import unique_names


def dataset_ids(paths: Sequence[Path]) -> dict[str, Path]:
    """The data sets by id: the name of the folder or file; those that are equal get a number."""
    absolute = [path.absolute() for path in paths]
    names = unique_names([path.name if path.is_dir() else path.stem for path in absolute])
    return dict(zip(names, absolute, strict=True))


def check_datasets(paths: Sequence[Path]) -> None:
    """Raise UsageError for a data set that does not exist."""
    for path in paths:
        if not path.exists():
            raise UsageError(f"{option('data')} {path}: there is no such file or folder.")
