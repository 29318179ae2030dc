"""The device that a network runs on."""

from __future__ import annotations

import torch

from boxmask.errors import UsageError

GPUS = ("cuda", "mps", "xpu")  # torch's names: NVIDIA or AMD, Apple, Intel


def resolve_device(device: str | torch.device = "auto") -> torch.device:
    """The device called "auto" (a GPU if there is one, else the CPU), "cpu", "cuda", "cuda:1" and so on.

    Raises UsageError for a device that this machine does not have.
    """
    kind, colon, number = str(device).lower().partition(":")
    if kind == "auto" and not colon:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if kind not in ("cpu", *GPUS) or (colon and not number.isdecimal()):
        raise _device_error(device, f"expected auto, cpu, cuda, cuda:N, mps or xpu, found {device!r}")
    if kind == "cpu":
        return torch.device("cpu")
    module = torch.get_device_module(kind)
    count = module.device_count() if module.is_available() else 0
    if int(number or 0) >= count:
        found = f"has {count}, numbered from 0" if count else "has none"
        raise _device_error(device, f"{kind} devices: this machine {found}")
    resolved = torch.device(kind, int(number)) if colon else torch.device(kind)
    try:
        torch.empty(0, device=resolved)
    except (RuntimeError, AssertionError) as error:  # the device is listed but does not work
        raise _device_error(device, str(error).split("\n")[0]) from error
    return resolved


def _device_error(device: object, reason: str) -> UsageError:
    return UsageError(f"--device {device}: cannot be used here ({reason}). Use auto or cpu.")
