"""Examine class folders: everything that is wrong with them, without stopping."""

from __future__ import annotations

from pathlib import Path

from boxmask.data.checks.contract import Examination
from boxmask.data.findings import Findings


def examine_class_folders(path: str | Path, findings: Findings) -> Examination:
    """Read the headers of photos in class folders, and check folders and copies.

    Each photo is one object, whose box is as large as the photo.
    Findings never stop it. Raises LabelError if there are no class folders at `path`.
    """
    raise NotImplementedError
