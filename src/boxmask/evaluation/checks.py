"""Checks before an evaluation."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from boxmask.errors import LabelError


class _Dataset(Protocol):
    @property
    def root(self) -> Path: ...

    def __len__(self) -> int: ...


def check_has_photos(dataset: _Dataset) -> None:
    """Raise LabelError if there is nothing to evaluate on."""
    if not len(dataset):
        raise LabelError(
            f"{dataset.root}: no photos to evaluate on. "
            "Choose a split that has photos, or give a folder of labeled photos."
        )
