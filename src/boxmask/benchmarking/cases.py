"""What is measured: each model with each number of threads and each batch size."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from boxmask.errors import CheckpointError, UsageError
from boxmask.options import option
from boxmask.runtime.load import is_onnx_name
from boxmask.runtime.metadata import read_metadata
from boxmask.runtime.onnx_file import read_onnx_file
from boxmask.runtime.session import usable_cores
from boxmask.weights.published.manifest import find_weights, is_published_name

Format = Literal["PyTorch", "ONNX", "ONNX int8"]


@dataclass(frozen=True)
class Case:
    """A model, and how it is run.

    source:  a run, a checkpoint, the name of published weights, or an ONNX file
    format:  what runs it
    threads: of one call
    batch:   photos per call
    """

    source: str
    format: Format
    threads: int
    batch: int


def find_cases(sources: Sequence[Path], threads: Sequence[int] | None, batches: Sequence[int]) -> list[Case]:
    """All cases: the models in the order given, each with all numbers of threads and all batch sizes.

    threads: None: 1, and one per core

    Raises UsageError for no model and for numbers below 1; CheckpointError for a model that does not exist.
    """
    if not sources:
        raise UsageError("expected at least one run or ONNX file, found none")
    numbers = sorted({1, usable_cores()}) if threads is None else threads
    for name, given in (("threads", numbers), ("batch", batches)):
        if not given or min(given) < 1:
            found = ", ".join(map(str, given)) or "none"
            raise UsageError(f"{option(name)}: expected whole numbers of 1 or more, found {found}")
    formats = {source: format_of(source) for source in sources}
    return [
        Case(os.fspath(source), form, count, batch)
        for source, form in formats.items()
        for count in dict.fromkeys(numbers)
        for batch in dict.fromkeys(batches)
    ]


def format_of(source: Path) -> Format:
    """What runs a model.

    Raises CheckpointError if it does not exist, or if it is an ONNX file of another program.
    """
    if is_onnx_name(source):
        metadata = read_metadata(source, read_onnx_file(source).properties)
        return "ONNX int8" if metadata.int8 else "ONNX"
    if is_published_name(source):
        find_weights(source.as_posix())
    elif not os.path.lexists(source):
        raise CheckpointError.in_file(source, "there is no such run or file. Check the path.")
    return "PyTorch"
