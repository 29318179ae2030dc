"""Examine label maps: everything that is wrong with them, without stopping."""

from __future__ import annotations

from pathlib import Path

from boxmask.data.checks.contract import Examination
from boxmask.data.findings import Findings


def examine_label_maps(
    path: str | Path, findings: Findings, *, classes_file: str | Path | None = None
) -> Examination:
    """Read a folder of photos with label maps, and check them (see `pairs.py` for the folders).

    Its objects are the classes of each photo: an object has the area of its pixels, and the smallest box around
    them. Only photos with a label map are in it.

    classes_file: the classes of the label maps (see `classes_file.py`). Default: the data set's.

    Findings never stop it. Raises LabelError if there are no label maps at `path`, or no classes for them.
    """
    raise NotImplementedError
