"""The device and precision of a training, by Hugging Face accelerate."""

from __future__ import annotations

from contextlib import suppress
from threading import Lock

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState

from boxmask.errors import UsageError
from boxmask.pipeline.device import resolve_device
from boxmask.runs.recipe import Recipe

_LOCK = Lock()  # accelerate's state belongs to the process


def make_accelerator(recipe: Recipe) -> Accelerator:
    """Return the accelerator for the recipe's device and precision.

    Raises UsageError for a device that does not exist or does not support the precision.
    """
    device = resolve_device(recipe.device)
    if device.index is not None:
        torch.cuda.set_device(device)  # accelerate takes the current GPU
    with _LOCK:
        accelerator = _accelerator_for(device, recipe.precision)
    if accelerator.device.type != device.type:
        raise UsageError(
            f"--device {recipe.device}: accelerate chose {accelerator.device.type} instead. "
            "Unset the environment variables ACCELERATE_USE_CPU and ACCELERATE_TORCH_DEVICE."
        )
    if recipe.precision == "fp16" and accelerator.device.type == "cpu":  # accelerate would ignore it
        raise UsageError(
            f"--precision {recipe.precision} is not supported on this device. Use --precision no."
        )
    if accelerator.num_processes > 1:
        raise UsageError("training on several devices at once is not supported yet: start one process")
    return accelerator


def _accelerator_for(device: torch.device, precision: str) -> Accelerator:
    """Make an accelerator, and reset accelerate only if an earlier training used other settings.

    A training in another thread, with the same settings, would miss what a reset removes.
    """
    on_cpu = device.type == "cpu"
    with suppress(ValueError):  # raised for another precision than before
        accelerator = Accelerator(mixed_precision=precision, cpu=on_cpu)
        if accelerator.device.type == device.type:
            return accelerator
    if reset_accelerate():
        refusal = f"--precision {precision} is not supported on this device. Use --precision no."
    else:
        refusal = f"--precision {precision}: accelerate cannot change it. Start a new process."
    try:
        return Accelerator(mixed_precision=precision, cpu=on_cpu)
    except ValueError as error:
        raise UsageError(f"{refusal} ({error})") from error


def reset_accelerate() -> bool:
    """Make accelerate forget the device and precision of an earlier training; returns whether it could.

    accelerate keeps both for the life of the process. Neither 1.2.0 nor 1.15.0 has a public way to change
    them, and its own tests call the private `_reset_state`. Without it, a training with another precision
    than an earlier one in the same process raises UsageError.
    """
    reset = getattr(AcceleratorState, "_reset_state", None)
    if reset is None:
        return False
    reset(reset_partial_state=True)
    return True
