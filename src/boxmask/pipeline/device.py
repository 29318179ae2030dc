"""The device that a network runs on."""

from __future__ import annotations

import torch

from boxmask.errors import UsageError


def resolve_device(device: str | torch.device = "auto") -> torch.device:
    """The device called "auto" (a GPU if there is one, else the CPU), "cpu", "cuda", "cuda:1" and so on.

    Raises UsageError for a device that this machine does not have.
    """
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        resolved = torch.device(device)
        torch.empty(0, device=resolved)
    except (RuntimeError, AssertionError) as error:  # what torch raises for unknown and for missing devices
        reason = str(error).split("\n")[0]
        raise UsageError(f"--device {device}: cannot be used here ({reason}). Use auto or cpu.") from error
    return resolved
