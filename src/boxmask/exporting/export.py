"""Export a trained model: build the graph, describe it, write it, and compare it with the model."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from boxmask.errors import UsageError
from boxmask.exporting.parity.differences import Differences
from boxmask.outputs import check_replaceable, write_output
from boxmask.progress import Progress
from boxmask.weights.checkpoint import load_model

PACKAGES = ("onnx", "onnxruntime")
SUFFIX = ".onnx"


@dataclass(frozen=True)
class Export:
    """An exported file, and how it compares with the model.

    path:     of the file
    bytes:    its size
    inputs, outputs: their names
    origin:   where the photos of the comparison come from
    parity:   what was compared, and the largest differences
    """

    path: Path
    bytes: int
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    origin: str
    parity: tuple[tuple[str, Differences], ...]


def export_model(
    source: Path, out: Path, data: Path | None = None, progress: Progress | None = None
) -> Export:
    """Write the model of a run as one ONNX file. A file that differs from the model is not kept.

    source: a run, a checkpoint, or the name of published weights
    data:   a folder of photos for the comparison; by default the run's validation photos

    Raises UsageError for a file of another suffix, a file that boxmask did not write, missing packages, and
    models that cannot be exported; ExportError if the file and the model differ; and as `load_model` does.
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
        size = partial.stat().st_size
    inputs, outputs = (
        tuple(info.name for info in infos) for infos in (proto.graph.input, proto.graph.output)
    )
    return Export(out, size, inputs, outputs, parity.origin, parity.rows)


def check_arguments(out: Path) -> None:
    """Raise UsageError for a file that cannot be written, and for missing packages."""
    if out.suffix.lower() != SUFFIX:
        raise UsageError(f"{out}: expected a file that ends in {SUFFIX}")
    check_replaceable([out])
    missing = [name for name in PACKAGES if find_spec(name) is None]
    if missing:
        raise UsageError(
            f"export needs the packages {' and '.join(PACKAGES)}. Install them with: pip install "
            '"boxmask[export]"'
        )
