"""What an ONNX file holds besides its weights: its properties, and whether it is safe to run.

Only the fields that decide this are read (github.com/onnx/onnx, onnx.proto). ONNX Runtime would follow the
paths of external data, so a file that has any is refused before it is run.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from boxmask.errors import CheckpointError
from boxmask.runtime.wire import Value, fields, message, text

REMEDY = "Export the model again with boxmask export."

DOMAINS = ("", "ai.onnx", "ai.onnx.ml", "com.microsoft")
"""The sets of operators that ONNX Runtime brings along."""

MAX_BYTES = 2**31  # of a message in Protocol Buffers
MAX_FIELDS, MAX_DEPTH = 5_000_000, 32  # a file with more was made to take time

# Field numbers of the messages in onnx.proto.
MODEL_OPSETS, MODEL_GRAPH, MODEL_PROPERTIES, MODEL_TRAINING, MODEL_FUNCTIONS = 8, 7, 14, 20, 25
GRAPH_NODES, GRAPH_TENSORS, GRAPH_SPARSE = 1, 5, 15
NODE_ATTRIBUTES = 5
ATTRIBUTE_TENSOR, ATTRIBUTE_GRAPH, ATTRIBUTE_TENSORS, ATTRIBUTE_GRAPHS = 5, 6, 10, 11
ATTRIBUTE_SPARSE, ATTRIBUTE_SPARSES = 22, 23
SPARSE_VALUES, SPARSE_INDICES = 1, 2
TENSOR_EXTERNAL_DATA, TENSOR_LOCATION = 13, 14
OPSET_DOMAIN, PROPERTY_KEY, PROPERTY_VALUE = 1, 1, 2

INSIDE = {
    "model": {MODEL_GRAPH: "graph"},
    "graph": {GRAPH_NODES: "node", GRAPH_TENSORS: "tensor", GRAPH_SPARSE: "sparse"},
    "node": {NODE_ATTRIBUTES: "attribute"},
    "attribute": {
        ATTRIBUTE_TENSOR: "tensor",
        ATTRIBUTE_TENSORS: "tensor",
        ATTRIBUTE_GRAPH: "graph",
        ATTRIBUTE_GRAPHS: "graph",
        ATTRIBUTE_SPARSE: "sparse",
        ATTRIBUTE_SPARSES: "sparse",
    },
    "sparse": {SPARSE_VALUES: "tensor", SPARSE_INDICES: "tensor"},
}
"""The fields of each kind of message that hold messages of another kind."""


@dataclass(frozen=True)
class OnnxFile:
    """An ONNX file that holds all its weights and needs no operators of others.

    content:    its bytes, which are run: a file may be replaced after it was checked
    properties: its metadata, by key
    """

    path: Path
    content: bytes = field(repr=False)
    properties: dict[str, str]


def read_onnx_file(path: Path) -> OnnxFile:
    """Check a file without running it.

    Raises CheckpointError, naming the file, if it is missing, is not an ONNX file, stores weights in other
    files, or needs other operators than those of ONNX Runtime.
    """
    try:
        if (size := path.stat().st_size) > MAX_BYTES:
            raise ValueError(f"{size:,} bytes, at most {MAX_BYTES:,} are read")
        content = path.read_bytes()
        return OnnxFile(path, content, _read(path, memoryview(content)))
    except FileNotFoundError as error:
        raise CheckpointError.in_file(path, "there is no such file. Check the path.") from error
    except OSError as error:
        raise CheckpointError.in_file(
            path, f"cannot be read ({error.strerror}). Check the path and its permissions."
        ) from error
    except ValueError as error:
        raise CheckpointError.in_file(
            path, f"this is not a valid ONNX file, or it is damaged ({error}). {REMEDY}"
        ) from error


def _read(path: Path, content: memoryview) -> dict[str, str]:
    """The properties. Raises ValueError for bytes that are not an ONNX file."""
    properties: dict[str, str] = {}
    has_graph, reader = False, _Reader()
    for number, value in reader.fields(content):
        has_graph |= number == MODEL_GRAPH
        if number == MODEL_PROPERTIES:
            entry = dict(reader.fields(message(value)))
            properties[text(entry.get(PROPERTY_KEY, memoryview(b"")))] = text(
                entry.get(PROPERTY_VALUE, memoryview(b""))
            )
        elif number == MODEL_OPSETS:
            _check_domain(path, text(dict(reader.fields(message(value))).get(OPSET_DOMAIN, memoryview(b""))))
        elif number in (MODEL_FUNCTIONS, MODEL_TRAINING):
            raise CheckpointError.in_file(
                path,
                "this file contains ONNX functions or training information, which boxmask does not support. "
                + REMEDY,
            )
    if not has_graph:
        raise ValueError("there is no graph in it")
    if any(
        number in (TENSOR_EXTERNAL_DATA, TENSOR_LOCATION) and value
        for number, value in _tensors(content, reader)
    ):
        raise CheckpointError.in_file(
            path, f"this file stores weights in other files, which are not opened. {REMEDY}"
        )
    return properties


def _check_domain(path: Path, domain: str) -> None:
    if domain not in DOMAINS:
        raise CheckpointError.in_file(
            path,
            f"this file needs operators of {domain!r}, which ONNX Runtime does not have. {REMEDY}",
        )


class _Reader:
    """Reads fields of one file, at most MAX_FIELDS in all."""

    def __init__(self) -> None:
        self._count = 0

    def fields(self, content: memoryview) -> Iterator[tuple[int, Value]]:
        """The fields of a message. Raises ValueError for a file with absurdly many."""
        for number, value in fields(content):
            self._count += 1
            if self._count > MAX_FIELDS:
                raise ValueError(f"it has more than {MAX_FIELDS:,} fields")
            yield number, value


def _tensors(content: memoryview, reader: _Reader) -> Iterator[tuple[int, Value]]:
    """The fields of all tensors, those inside of loops and branches included.

    Raises ValueError for a file with absurdly many fields or levels.
    """
    waiting = [("model", content, 0)]
    while waiting:
        kind, inside, depth = waiting.pop()
        if depth > MAX_DEPTH:
            raise ValueError(f"it has more than {MAX_DEPTH} levels")
        for number, value in reader.fields(inside):
            if kind == "tensor":
                yield number, value
            elif number in INSIDE[kind]:
                waiting.append((INSIDE[kind][number], message(value), depth + 1))
