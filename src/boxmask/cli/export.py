"""boxmask export RUN: a trained model as one ONNX file."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from boxmask.cli.imports import quick_imports

if TYPE_CHECKING:
    from rich.table import Table

    from boxmask.certificate.options import CertificateOptions
    from boxmask.exporting.export import Export
    from boxmask.exporting.int8.convert import Int8
    from boxmask.exporting.parity.differences import Differences
    from boxmask.progress import Progress


def export(
    run: Path,
    /,
    *,
    out: Path,
    data: Path | None = None,
    int8: Annotated[bool, Parameter(negative="")] = False,
    calibrate: Path | None = None,
    max_loss: float | None = None,
    certificate: Path | None = None,
    browser: Path | None = None,
) -> None:
    """Write a trained model as one ONNX file, and compare the file with the model.

    The file holds all steps from the pixels of a photo to the objects in it. It runs wherever ONNX Runtime
    runs. It needs neither boxmask nor PyTorch.

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
    int8
        Compute most layers in 8 bits, which is faster, and measure how much accuracy is lost.
    calibrate
        Data set for --int8, as for training. The file is calibrated on its training photos, and the accuracy
        loss is measured on its validation photos. A folder of photos without labels also works, but then
        accuracy is not measured.
    max_loss
        Largest allowed drop of AP, mask AP, mIoU or accuracy with --int8. Sensitive layers are kept in 32
        bits; if that is not enough, no file is written. Default: 0.005 for AP and mask AP, 0.01 for mIoU and
        accuracy.
    certificate
        Page to write (.html). It compares PyTorch, ONNX Runtime and, with --browser, a browser: results,
        accuracy, speed and memory. It takes minutes.
    browser
        Folder with onnxruntime-web (npm install onnxruntime-web), for the certificate. Needs Chromium, Chrome
        or Edge.
    """
    from rich.console import Console

    from boxmask.certificate.options import certificate_options
    from boxmask.cli.progress import photo_progress

    with quick_imports():
        from boxmask.exporting.export import export_model, int8_options

    options = int8_options(int8, calibrate, max_loss)
    page = certificate_options(certificate, data or calibrate, browser)
    with photo_progress("measuring" if int8 else "comparing") as progress:
        exported = export_model(run, out, data, progress, options)
    print(f"compared with the model on {exported.origin}; largest differences:", file=sys.stderr)
    Console().print(_table(exported))
    for note in exported.notes:
        print(note, file=sys.stderr)
    if exported.int8 is not None:
        print(_describe_int8(exported.int8), file=sys.stderr)
        Console().print(_loss_table(exported.int8))
    print(f"{exported.path}  {exported.bytes / 2**20:.1f} MB")
    if page is not None:
        _certify(run, exported.path, page)


def _certify(run: Path, file: Path, options: CertificateOptions) -> None:
    """Write the certificate and say where it is."""
    from boxmask.certificate.certificate import write_certificate
    from boxmask.cli.progress import photo_progress, seconds_progress

    with ExitStack() as bars:
        progress = bars.enter_context(photo_progress("certifying"))
        seconds: list[Progress] = []

        def speed_progress(done: int, total: int) -> None:
            if not seconds:  # one bar at a time
                bars.pop_all().close()
                seconds.append(bars.enter_context(seconds_progress("measuring speed")))
            seconds[0](done, total)

        found = write_certificate(run, file, options, progress, speed_progress)
    for note in found.notes:
        print(note, file=sys.stderr)
    print(f"certificate: {options.path}", file=sys.stderr)


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


def _describe_int8(int8: Int8) -> str:
    """The photos, and the layers in 32 bits."""
    lines = [f"int8: calibrated on {int8.calibration}, measured on {int8.held_out}"]
    if not int8.labeled:
        lines.append("accuracy was not measured, because the photos have no labels")
    total = len(int8.layers) + len(int8.float_layers)
    kept = f"; kept in 32 bits: {', '.join(int8.float_layers)}" if int8.float_layers else ""
    lines.append(f"layers in 8 bits: {len(int8.layers)} of {total}{kept}")
    return "\n".join(lines)


def _loss_table(int8: Int8) -> Table:
    """Each metric before and after."""
    from rich.table import Table

    table = Table("metric", box=None, pad_edge=False)
    for title in ("float32", "int8", "loss", "95 % interval"):
        table.add_column(title, justify="right")
    for row in int8.losses:
        interval = "" if row.interval is None else f"{row.interval.low:.4f} to {row.interval.high:.4f}"
        table.add_row(row.metric, f"{row.float32:.4f}", f"{row.int8:.4f}", f"{row.loss:.4f}", interval)
    return table
