"""boxmask export RUN: a trained model as one ONNX file."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.table import Table

    from boxmask.exporting.export import Export
    from boxmask.exporting.parity.differences import Differences


def export(run: Path, /, *, out: Path, data: Path | None = None) -> None:
    """Write a trained model as one ONNX file, and compare the file with the model.

    The file holds all steps from the pixels of a photo to the objects in it. It runs wherever ONNX Runtime
    does, without boxmask and PyTorch.

    Parameters
    ----------
    run
        Folder written by training, a checkpoint file, or the name of published weights such as
        torchvision/fasterrcnn_resnet50_fpn_v2 (boxmask weights list).
    out
        File to write. It ends in .onnx.
    data
        Folder of photos on which the file and the model are compared. Default: the validation photos of the
        training, or generated photos if they are no longer there.
    """
    from rich.console import Console

    from boxmask.cli.progress import photo_progress
    from boxmask.exporting.export import export_model

    with photo_progress("comparing") as progress:
        exported = export_model(run, out, data, progress)
    print(f"compared with the model on {exported.origin}; largest differences:", file=sys.stderr)
    Console().print(_table(exported))
    print(f"{exported.path}  {exported.bytes / 2**20:.1f} MB")


_COLUMNS: tuple[tuple[str, str, Callable[[Differences], str]], ...] = (
    ("boxes", "objects", lambda row: f"{row.compared:,}"),
    ("boxes", "box", lambda row: f"{row.box:.4f} px"),
    ("scores", "score", lambda row: f"{row.score:.1e}"),
    ("masks", "mask IoU", lambda row: f"{row.mask_iou:.4f}"),
    ("boxes", "only in one", lambda row: f"{row.mismatches}"),
    ("label_map", "pixels", lambda row: f"{row.pixels:.3%}"),
)
"""Output that a column needs, its title, and its cell."""


def _table(exported: Export) -> Table:
    """The largest differences."""
    from rich.table import Table

    columns = [(title, cell) for output, title, cell in _COLUMNS if output in exported.outputs]
    table = Table("photos", box=None, pad_edge=False)
    for title, _ in columns:
        table.add_column(title, justify="right")
    for title, row in exported.parity:
        table.add_row(title, *(cell(row) for _, cell in columns))
    return table
