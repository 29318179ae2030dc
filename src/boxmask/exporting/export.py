"""Export a trained model: build the graph, describe it, write it, and compare it with the model."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from boxmask.errors import UsageError
from boxmask.exporting.parity.differences import Differences
from boxmask.options import option
from boxmask.outputs import check_replaceable, write_output
from boxmask.progress import Progress
from boxmask.weights.checkpoint import load_model

if TYPE_CHECKING:
    import onnx

    from boxmask.exporting.int8.convert import Int8
    from boxmask.models.table import AnyModel

PACKAGES = ("onnx", "onnxruntime")
SUFFIX = ".onnx"


@dataclass(frozen=True)
class Export:
    """An exported file, and how it compares with the model.

    path:     path of the file
    bytes:    size of the file
    inputs, outputs: their names
    origin:   where the photos of the comparison come from
    parity:   what was compared, and the largest differences
    int8:     how it was quantized; None if it was not
    notes:    what makes the comparison worth less
    """

    path: Path
    bytes: int
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    origin: str
    parity: tuple[tuple[str, Differences], ...]
    int8: Int8 | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Int8Options:
    """How a file is quantized; see `boxmask export --help`.

    calibrate: photos, with labels if accuracy is to be measured
    max_loss:  largest drop of each metric; None: the default of the metric
    """

    calibrate: Path
    max_loss: float | None = None


def export_model(
    source: Path,
    out: Path,
    data: Path | None = None,
    progress: Progress | None = None,
    int8: Int8Options | None = None,
) -> Export:
    """Write the model of a run as one ONNX file. A file that differs from the model is not kept.

    source: a run, a checkpoint, or the name of published weights
    data:   a folder of photos for the comparison; by default the run's validation photos
    int8:   to quantize the file after the comparison

    Raises UsageError for a file of another suffix, a file that boxmask did not write, missing packages, and
    models that cannot be exported; ExportError if the file and the model differ, or if quantization loses too
    much; and as `load_model` and `quantize_within_loss` do.
    """
    check_arguments(out)
    from boxmask.exporting.metadata import add_metadata
    from boxmask.exporting.parity.check import check_parity
    from boxmask.exporting.parity.photos import comparison_photos
    from boxmask.exporting.table import build_graph

    model = load_model(source, "cpu")
    origin, photos = comparison_photos(source, data)
    proto = build_graph(model).model()
    add_metadata(proto, model, source)
    with write_output(out) as partial:
        partial.write_bytes(proto.SerializeToString())
        parity = check_parity(partial, model, photos, origin, progress)
        quantized = _quantize(proto, partial, model, source, int8, progress) if int8 is not None else None
        size = partial.stat().st_size
    inputs, outputs = (
        tuple(info.name for info in infos) for infos in (proto.graph.input, proto.graph.output)
    )
    return Export(out, size, inputs, outputs, parity.origin, parity.rows, quantized, parity.notes)


def _quantize(
    proto: onnx.ModelProto,
    path: Path,
    model: AnyModel,
    source: Path,
    options: Int8Options,
    progress: Progress | None,
) -> Int8:
    """Quantize a file that was compared with its model, and write it to `path`."""
    from boxmask.exporting.int8.convert import quantize_within_loss
    from boxmask.exporting.metadata import add_int8

    quantized, description = quantize_within_loss(
        proto, model, source, options.calibrate, options.max_loss, progress
    )
    add_int8(quantized, description.to_dict())
    path.write_bytes(quantized.SerializeToString())
    return description


def check_arguments(out: Path) -> None:
    """Raise UsageError for a file that cannot be written, and for missing packages."""
    if out.suffix.lower() != SUFFIX:
        raise UsageError(f"{out}: expected a file name that ends in {SUFFIX}. Change --out (in Python: out).")
    check_replaceable([out])
    missing = [name for name in PACKAGES if find_spec(name) is None]
    if missing:
        raise UsageError(
            f"export needs the packages {' and '.join(PACKAGES)}. Install them with: pip install "
            '"boxmask[export]"'
        )


def int8_options(int8: bool, calibrate: Path | None, max_loss: float | None) -> Int8Options | None:
    """The options of a quantization, if one is wanted. Raises UsageError if they do not fit together."""
    if int8 and calibrate is None:
        raise UsageError(f"{option('int8')} needs photos for calibration. Add {option('calibrate', 'DATA')}.")
    if not int8 and (calibrate is not None or max_loss is not None):
        given = "calibrate" if calibrate is not None else "max_loss"
        raise UsageError(
            f"{option(given)} needs {option('int8')}. Add {option('int8')}, or leave out {option(given)}."
        )
    if max_loss is not None and not 0 <= max_loss <= 1:
        raise UsageError(f"{option('max_loss')}: expected 0 to 1, found {max_loss:g}")
    return Int8Options(calibrate, max_loss) if calibrate is not None else None
