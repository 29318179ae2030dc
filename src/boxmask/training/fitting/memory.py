"""The memory that training takes, and the memory that it may take."""

from __future__ import annotations

import psutil
import torch

from boxmask.training.fitting.control_groups import memory_left_in_groups
from boxmask.training.fitting.limits import MEMORY_SHARE


def memory_in_use(device: torch.device) -> int:
    """Bytes in use: on a GPU the most since `forget_peak`, elsewhere those of this process now."""
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    return int(psutil.Process().memory_info().rss)


def forget_peak(device: torch.device) -> None:
    """Begin a new measurement: a GPU's peak is that of the measurements before otherwise."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)


def memory_limit(device: torch.device) -> int:
    """Bytes that this process may take, what it has already included."""
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        return int(MEMORY_SHARE * (free + torch.cuda.memory_reserved(device)))
    available = min([psutil.virtual_memory().available, *memory_left_in_groups()])
    return int(MEMORY_SHARE * (available + psutil.Process().memory_info().rss))
