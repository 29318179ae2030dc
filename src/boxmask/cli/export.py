"""boxmask export RUN: a trained model as one ONNX file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.table import Table

    from boxmask.exporting.export import Export


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


def _table(exported: Export) -> Table:
    """The largest differences."""
    from rich.table import Table

    rows = [row for _, row in exported.parity]
    columns = {
        "objects": [f"{row.compared:,}" for row in rows],
        "box": [f"{row.box:.4f} px" for row in rows],
        "score": [f"{row.score:.1e}" for row in rows],
        "mask IoU": [f"{row.mask_iou:.4f}" for row in rows],
        "only in one": [str(row.mismatches) for row in rows],
    }
    if "masks" not in exported.outputs:
        del columns["mask IoU"]
    table = Table("photos", box=None, pad_edge=False)
    for name in columns:
        table.add_column(name, justify="right")
    for (title, _), *cells in zip(exported.parity, *columns.values(), strict=True):
        table.add_row(title, *cells)
    return table
