"""Checkpoints: a model's weights in a safetensors file, with its config and classes as JSON metadata."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, cast

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from boxmask.atomic_write import atomic_write
from boxmask.detectors.contract import Detector
from boxmask.errors import BoxmaskError, CheckpointError, UsageError
from boxmask.file_kinds import is_file, is_folder
from boxmask.messages import one_line
from boxmask.models.table import AnyModel, config_from_json, model_entry
from boxmask.pipeline.device import resolve_device
from boxmask.pipeline.random_numbers import SeededRandomNumbers
from boxmask.weights.file_description import describe_file
from boxmask.weights.published.manifest import is_published_name

BEST, LAST = "best.safetensors", "last.safetensors"
KEY = "boxmask"  # the key of our JSON in the header of the file
REMEDY = "Use another checkpoint of the run, or train again."


@dataclass(frozen=True)
class CheckpointMetadata:
    """The metadata of a checkpoint.

    model:       name in the table of models
    config:      the model's config as a dict, including the class names
    fingerprint: of the training data
    versions:    of the libraries used in training
    metrics:     on the validation split at the time of writing
    training:    the recipe and the progress
    """

    model: str
    config: dict[str, Any]
    fingerprint: str = ""
    versions: dict[str, str] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)
    training: dict[str, Any] = field(default_factory=dict)


def save_checkpoint(path: Path, tensors: dict[str, Tensor], metadata: CheckpointMetadata) -> None:
    """Write a checkpoint atomically: an existing file stays until the new one is complete.

    Raises DiskFullError and OutputError as `atomic_write` does.
    """
    state = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    with atomic_write(path) as partial:
        try:
            save_file(state, partial, metadata={KEY: json.dumps(asdict(metadata))})
        except SafetensorError as error:
            raise _os_error(error) from error


def _os_error(error: SafetensorError) -> OSError:
    """The system error behind a SafetensorError, which holds its number in the text only."""
    number = re.search(r"os error (\d+)", str(error))
    return OSError(int(number[1]), os.strerror(int(number[1]))) if number else OSError(str(error))


def read_checkpoint(path: Path) -> tuple[dict[str, Tensor], CheckpointMetadata]:
    """The tensors and the metadata of a file.

    Raises CheckpointError if it is missing, damaged or not a boxmask checkpoint.
    """
    with _open_checkpoint(path) as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    return tensors, read_metadata(path)


def read_metadata(path: Path) -> CheckpointMetadata:
    """The metadata of a file alone, without its tensors. Raises CheckpointError as `read_checkpoint` does."""
    with _open_checkpoint(path) as file:
        header = file.metadata() or {}
    if KEY not in header:
        raise CheckpointError(f"{path}: these are not weights of a boxmask model. {REMEDY}")
    try:
        return _parse_metadata(header[KEY])
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"{path}: the checkpoint's metadata is damaged ({error}). {REMEDY}") from error


def _parse_metadata(text: str) -> CheckpointMetadata:
    """Metadata from JSON. Raises ValueError if it is no JSON, or its fields are not those of the metadata."""
    values = json.loads(text)
    if not isinstance(values, dict):
        raise ValueError(f"expected a JSON object, found {type(values).__name__}")
    types = {
        "model": str,
        "config": dict,
        "fingerprint": str,
        "versions": dict,
        "metrics": dict,
        "training": dict,
    }
    if unknown := sorted(set(values) - set(types)):
        raise ValueError(f"unknown field {unknown[0]!r}")
    for name in ("model", "config"):
        if name not in values:
            raise ValueError(f"missing field {name!r}")
    for name, value in values.items():
        if not isinstance(value, types[name]):
            raise ValueError(f"{name}: expected {types[name].__name__}, found {type(value).__name__}")
    return CheckpointMetadata(**values)


@contextmanager
def _open_checkpoint(path: Path) -> Iterator[Any]:
    """Open a safetensors file; CheckpointError if it is missing or damaged."""
    if not is_file(path):
        raise CheckpointError(f"{path}: there is no such checkpoint. Check the path.")
    try:
        with safe_open(path, framework="pt") as file:
            yield file
    except (SafetensorError, OSError, ValueError) as error:
        if kind := describe_file(path):
            expected = "Give a run: the folder that training wrote, or a checkpoint in it (.safetensors)."
            raise CheckpointError(f"{path}: this is {kind}, not a checkpoint. {expected}") from error
        raise CheckpointError(
            f"{path}: this checkpoint is damaged or incomplete ({error}). {REMEDY}"
        ) from error


def is_checkpoint(path: Path) -> bool:
    """Whether the header of a file says that it is a boxmask checkpoint."""
    try:
        with safe_open(path, framework="pt") as file:
            return KEY in (file.metadata() or {})
    except (SafetensorError, OSError, ValueError):
        return False


def checkpoint_path(run: Path) -> Path:
    """The checkpoint of a run: a file itself; of a run folder the best checkpoint, or else the last."""
    if not is_folder(run):
        return run
    for name in (BEST, LAST):
        if (run / name).is_file():
            return run / name
    raise CheckpointError(f"{run}: no checkpoint in this folder (looked for {BEST} and {LAST}). Train first.")


def load_model(run: str | Path, device: str | torch.device = "auto") -> AnyModel:
    """Load the model of a run folder or checkpoint, or published weights by name, in evaluation mode.

    device: see `pipeline.device.resolve_device`
    Raises CheckpointError, with the file's name, if it is missing, damaged or of an incompatible version,
    WeightsError for published weights that are unknown or cannot be downloaded, and UsageError for a device
    that this machine does not have.
    """
    if is_published_name(Path(run)):
        from boxmask.weights.published.load import load_published  # imports all models

        return load_published(Path(run).as_posix(), device)
    target = resolve_device(device)
    path = checkpoint_path(Path(run))
    tensors, metadata = read_checkpoint(path)
    try:
        with SeededRandomNumbers(0):  # initial weights, which the checkpoint's replace
            built = model_entry(metadata.model).build(config_from_json(metadata.model, metadata.config), None)
        model = cast(AnyModel, built)
        _check_finite(tensors)
        model.load_state_dict(tensors)
    except (BoxmaskError, ValueError, RuntimeError) as error:  # name, config, tensors
        raise CheckpointError(
            f"{path}: this checkpoint does not fit this version of boxmask ({one_line(error)}). {REMEDY}"
        ) from error
    return model.to(target).eval()


def _check_finite(tensors: dict[str, Tensor]) -> None:
    """Raise ValueError for weights that are NaN or infinite, which give no results."""
    for name, tensor in tensors.items():
        if not tensor.isfinite().all():
            raise ValueError(f"{name} holds values that are not finite")


def load_detector(run: str | Path, device: str | torch.device = "auto") -> Detector:
    """Load a detector. Raises UsageError for a model of another kind, and as `load_model` does."""
    model = load_model(run, device)
    if not isinstance(model, Detector):
        raise UsageError(f"{run}: this is not a detector. Give the run of a detector.")
    return model
