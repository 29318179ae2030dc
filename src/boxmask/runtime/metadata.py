"""What an exported file says about itself, under the key "boxmask"."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from boxmask.errors import CheckpointError
from boxmask.names import class_name
from boxmask.runtime.onnx_file import REMEDY

KEY, FORMAT = "boxmask", 1
MAX_TEXT = 2**24  # characters of the metadata
MAX_CLASSES, MAX_NAME = 65_535, 1_000  # names, and characters of one
UNSAFE = ("Cc", "Cs")  # in names: control characters, which a terminal obeys, and halves of characters

Task = Literal["detection", "segmentation", "classification"]


@dataclass(frozen=True)
class ExportMetadata:
    """The metadata of an exported file.

    model:       the name of the method, for example "faster-rcnn"
    task:        "detection", "segmentation" or "classification"
    class_names: in the order of the labels
    config:      the config of the model
    version:     version of boxmask that wrote the file
    training:    fingerprints of the data set and of the training photos, and the number of photos
    weights:     what the training started from, with licenses
    evaluation:  metrics, if there are any
    int8:        how it was quantized; empty if it was not
    """

    model: str
    task: Task
    class_names: tuple[str, ...]
    config: dict[str, Any] = field(default_factory=dict, repr=False)
    version: str = ""
    training: dict[str, Any] = field(default_factory=dict, repr=False)
    weights: list[Any] = field(default_factory=list, repr=False)
    evaluation: dict[str, Any] = field(default_factory=dict, repr=False)
    int8: dict[str, Any] = field(default_factory=dict, repr=False)


def read_metadata(path: Path, properties: Mapping[str, str]) -> ExportMetadata:
    """The metadata in the properties of the file at `path`.

    Raises CheckpointError, naming the file, if there is none, or if it is damaged or of a newer format.
    """
    if KEY not in properties:
        raise CheckpointError.in_file(
            path, "this ONNX file was not written by boxmask. Give a file that boxmask export wrote."
        )
    try:
        return _parse(properties[KEY])
    except (ValueError, RecursionError) as error:
        raise CheckpointError.in_file(path, f"the metadata is damaged ({error}). {REMEDY}") from error
    except _NewerFormatError as error:
        raise CheckpointError.in_file(
            path, f"a newer version of boxmask wrote this file ({error}). Update boxmask, or export it again."
        ) from error


class _NewerFormatError(Exception):
    """The metadata has a format that this version does not know."""


def _parse(text: str) -> ExportMetadata:
    """Metadata from JSON. Raises ValueError if it is not such JSON."""
    if len(text) > MAX_TEXT:
        raise ValueError(f"{len(text):,} characters, at most {MAX_TEXT:,} are read")
    values = json.loads(text)
    if not isinstance(values, dict):
        raise ValueError(f"expected a JSON object, found {type(values).__name__}")
    written = _field(values, "format", int)
    if written < 1:
        raise ValueError(f"format: expected 1 or more, found {written}")
    if written > FORMAT:
        raise _NewerFormatError(f"format {written}")
    task = _field(values, "task", str)
    if task not in get_args(Task):
        raise ValueError(f"task: expected one of {', '.join(get_args(Task))}, found {task[:40]!r}")
    config = _field(values, "config", dict)
    return ExportMetadata(
        _field(values, "model", str),
        task,
        check_class_names(_field(values, "class_names", list), task),
        config,
        _field(values, "version", str, ""),
        _field(values, "training", dict, {}),
        _field(values, "weights", list, []),
        _field(values, "evaluation", dict, {}),
        _field(values, "int8", dict, {}),
    )


def _field(values: dict[str, Any], name: str, kind: type[Any], default: Any = None) -> Any:
    """A field of this type. A field with a default may be missing or null."""
    value = values.get(name)
    if value is None and default is not None:
        return default
    if name not in values:
        raise ValueError(f"missing field {name!r}")
    if not isinstance(value, kind) or isinstance(value, bool):
        raise ValueError(f"{name}: expected {kind.__name__}, found {type(value).__name__}")
    return value


def check_class_names(names: Sequence[Any], task: str) -> tuple[str, ...]:
    """Names of classes as a tuple. Raises ValueError unless they differ and can be shown everywhere."""
    limit = 255 if task == "segmentation" else MAX_CLASSES  # label maps hold labels of 8 bits
    if not 1 <= len(names) <= limit:
        raise ValueError(f"class_names: expected 1 to {limit}, found {len(names)}")
    for name in names:
        if not isinstance(name, str) or not name.strip() or len(name) > MAX_NAME:
            raise ValueError(f"class_names: expected names of 1 to {MAX_NAME} characters, found {name!r:.60}")
        if any(unicodedata.category(character) in UNSAFE for character in name):
            raise ValueError(f"class_names: expected names without control characters, found {name!r:.60}")
    if len({class_name(name) for name in names}) < len(names):
        raise ValueError("class_names: the same name occurs twice")
    return tuple(names)
