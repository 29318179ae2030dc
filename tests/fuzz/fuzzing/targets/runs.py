"""Readers of what trainings leave behind, and of other people's weights."""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import torch
from cyclopts import CycloptsError

from boxmask.cli.app import app
from boxmask.models.table import model_entry
from boxmask.runs.run import Run, read_fingerprint, read_recipe
from boxmask.training import curve
from boxmask.training.progress import drop_log_after
from boxmask.training.state import SavedState
from boxmask.weights.checkpoint import is_checkpoint, load_model, read_checkpoint
from boxmask.weights.efficientnet_lite import to_timm
from boxmask.weights.pretrained import Pretrained
from boxmask.weights.state_dict import read_state_dict
from boxmask.weights.torchvision.convert import from_torchvision
from boxmask.weights.transfer import transfer_weights

MAX_TENSOR_BYTES = 2**23


def recipe(folder: Path) -> None:
    recipe, _ = read_recipe(Run(folder))
    json.dumps(asdict(recipe), default=str)
    read_fingerprint(Run(folder))


def safetensors(folder: Path) -> None:
    path = folder / "a.safetensors"
    is_checkpoint(path)
    read_checkpoint(path)
    saved = SavedState.read(Run(folder))
    _ = saved.stage, saved.minutes


def checkpoint(folder: Path) -> None:
    """A checkpoint whose tensors are zeros, with the metadata and the tensors' shapes of the input."""
    path = _build_checkpoint(folder)
    if path is not None:
        load_model(path, "cpu")


def transfer(folder: Path) -> None:
    """Initialize a network from a checkpoint."""
    path = _build_checkpoint(folder)
    if path is not None:
        entry = model_entry("classifier")
        config = entry.config(
            class_names=("cat", "dog"), **{**entry.presets["default"], "backbone": "test_resnet"}
        )
        transfer_weights(entry.build(config, None), backbone_source=Pretrained.from_run(path))


def _build_checkpoint(folder: Path) -> Path | None:
    """Put a safetensors file together; None if the input has no header or is too large for a test."""
    try:
        tensors: Any = json.loads((folder / "tensors.json").read_bytes())
        metadata = (folder / "metadata.json").read_text(encoding="utf-8", errors="replace")
        ends = [int(entry["data_offsets"][1]) for entry in tensors.values()]
    except (OSError, ValueError, RecursionError, LookupError, TypeError, AttributeError, OverflowError):
        return None
    size = max(ends, default=0)
    if not 0 <= size <= MAX_TENSOR_BYTES:
        return None
    header = json.dumps({**tensors, "__metadata__": {"boxmask": metadata}}).encode("utf-8", "replace")
    header += b" " * (-len(header) % 8)
    path = folder / "a.safetensors"
    path.write_bytes(len(header).to_bytes(8, "little") + header + bytes(size))
    return path


def state_dict(folder: Path) -> None:
    """A file of weights, and what is made of it."""
    for path in sorted(folder.iterdir()):
        if path.is_file():
            state = read_state_dict(path)
            if "_conv_stem.weight" in state:
                to_timm(state)


def torchvision(folder: Path) -> None:
    """The names and shapes of a state dict, converted as the network of a name."""
    try:
        content = json.loads((folder / "state.json").read_bytes())
        name, shapes = str(content["name"]), dict(content["shapes"])
        sizes = {str(key): [int(n) for n in shape] for key, shape in shapes.items()}
        if any(math.prod(size) > MAX_TENSOR_BYTES for size in sizes.values()):
            return
        state = {key: torch.zeros(size) for key, size in sizes.items()}
    except (
        OSError,
        ValueError,
        RecursionError,
        LookupError,
        TypeError,
        OverflowError,
        RuntimeError,
        MemoryError,
    ):
        return
    from_torchvision(name, state)


def training_log(folder: Path) -> None:
    """The curve is drawn, and a resumed training goes on, whatever happened to the log.

    One chart of ten is rendered, which takes most of the time; the others are only put together.
    """
    log = folder / "log.jsonl"
    rendered = not log.is_file() or zlib.crc32(log.read_bytes()) % 10 == 0
    with pytest.MonkeyPatch.context() as patch:
        if not rendered:
            patch.setattr(curve, "FigureCanvasAgg", _Canvas)
        curve.draw_curve(log, folder / "curve.png")
    assert (folder / "curve.png").is_file()
    drop_log_after(log, "training", 10)


class _Canvas:
    """A canvas that renders nothing."""

    def __init__(self, figure: object) -> None:
        self.figure = figure

    def print_png(self, path: Path, **_: object) -> None:
        path.touch()


def command_line(folder: Path) -> None:
    """Arguments are parsed, or refused by the parser of the command line."""
    try:
        arguments = json.loads((folder / "arguments.json").read_bytes())
        tokens = [str(argument) for argument in arguments]
    except (OSError, ValueError, RecursionError, TypeError):
        return
    try:
        app.parse_args(tokens, exit_on_error=False, print_error=False)
    except CycloptsError:
        return


RUN_TARGETS: dict[str, Callable[[Path], None]] = {
    "recipe": recipe,
    "safetensors": safetensors,
    "checkpoint": checkpoint,
    "transfer": transfer,
    "state-dict": state_dict,
    "torchvision": torchvision,
    "training-log": training_log,
    "command-line": command_line,
}
