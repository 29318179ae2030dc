"""Read state dicts from files: safetensors, or torch's format without executing any code in it."""

from __future__ import annotations

import pickle
import struct
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from boxmask.errors import WeightsError
from boxmask.file_kinds import is_file
from boxmask.messages import one_line
from boxmask.weights.file_description import describe_file

# What torch.load and safetensors raise for damaged files.
READER_ERRORS = (
    SafetensorError,
    pickle.UnpicklingError,
    struct.error,
    EOFError,
    OSError,
    RuntimeError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    AssertionError,
    OverflowError,
    MemoryError,  # a size in the file that no machine has
)


def read_state_dict(path: Path) -> dict[str, Tensor]:
    """Read the tensors of a .safetensors, .pth, .pt or .bin file by name.

    Raises WeightsError if the file is missing, damaged or holds anything but tensors by name.
    """
    if not is_file(path):
        raise WeightsError(f"{path}: no such file of weights. Check the path.")
    try:
        if path.suffix == ".safetensors":
            state: object = load_file(path)
        else:
            state = torch.load(path, map_location="cpu", weights_only=True)
    except READER_ERRORS as error:
        kind = describe_file(path)
        if kind and "torch.save" not in kind:
            advice = "Give a file of weights (.pth or .safetensors)."
            raise WeightsError(f"{path}: this is {kind}, not a file of weights. {advice}") from error
        # torch's long text advises to run code from the file, which boxmask never does
        damaged = "it is damaged, or holds more than tensors"
        reason = damaged if isinstance(error, pickle.UnpicklingError) else one_line(error)
        raise WeightsError(
            f"{path}: this file of weights cannot be read ({reason}). Download it again."
        ) from error
    if isinstance(state, dict) and isinstance(state.get("state_dict"), dict):
        state = state["state_dict"]  # the layout of timm's and many other training scripts
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        raise WeightsError(
            f"{path}: expected tensors by name, found {type(state).__name__}. Give a file with a state dict."
        )
    return state
