"""The largest amount of memory that this process has had."""

from __future__ import annotations

from pathlib import Path

import psutil

STATUS = Path("/proc/self/status")


def peak_memory() -> int:
    """Bytes of RAM at the peak.

    On Linux, `getrusage` would count the peak of the process that started this one.
    """
    if STATUS.is_file():
        for line in STATUS.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    memory = psutil.Process().memory_info()
    if hasattr(memory, "peak_wset"):  # Windows
        return int(memory.peak_wset)
    try:
        import resource
    except ModuleNotFoundError:
        return int(memory.rss)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # bytes on macOS
