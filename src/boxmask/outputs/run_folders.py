"""Folders of trainings inside a data set, which are not part of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from boxmask.messages import format_note


def split_run_folders(files: list[Path]) -> tuple[list[Path], list[Path]]:
    """The files outside the folders of trainings, and these folders.

    A folder that holds both recipe.json and split.json was written by a training.
    """
    recipes = [file for file in files if file.name == "recipe.json"]
    names = set(files) if recipes else set[Path]()
    runs = {file.parent for file in recipes if file.with_name("split.json") in names}
    if not runs:
        return files, []
    return [file for file in files if runs.isdisjoint(file.parents)], sorted(runs)


def note_on_run_folders(runs: Sequence[Path]) -> tuple[str, ...]:
    """A note that these folders are left out; no note if there are none."""
    return format_note("left out: folders of trainings", [str(run) for run in runs])
