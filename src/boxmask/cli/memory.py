"""Freed memory kept for the next tensor, instead of going back to the system.

glibc gives every block above 32 MB back at once and gets the next one anew, page by page and zeroed; PyTorch
on a CPU allocates through it. A training step frees and takes the same few hundred megabytes again and again:
for forward and backward of RoIAlign alone (2,048 RoIs, 256 channels, one photo of 800×1088) that was 60 to
110 ms of system time a call, next to 115 ms of work; with memory kept it is 0.
"""

from __future__ import annotations

import ctypes
import sys

_TRIM_THRESHOLD, _MMAP_MAX = -1, -4  # M_TRIM_THRESHOLD and M_MMAP_MAX of glibc's malloc.h


def keep_memory() -> bool:
    """Make this process keep what it frees; whether the system knows how to (Linux with glibc).

    For programs, at their start: a library should not decide it for its user. Resident memory then stays at
    its highest until the process ends.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is None:
        return False
    return bool(mallopt(_MMAP_MAX, 0)) and bool(mallopt(_TRIM_THRESHOLD, -1))
