"""The memory of a page."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import psutil

PEAK = "VmHWM:"  # in the file of Linux on the memory of a process


def page_memory(browser: int) -> float | None:
    """The peak memory in MiB of the largest process that shows a page; None if the system does not tell.

    browser: the id of the browser's first process
    """
    sizes = []
    with suppress(psutil.Error):
        for process in psutil.Process(browser).children(recursive=True):
            with suppress(psutil.Error, OSError):
                if "--type=renderer" in process.cmdline():
                    sizes.append(_peak(process.pid))
    known = [size for size in sizes if size is not None]
    return max(known, default=None)


def _peak(process: int) -> float | None:
    """The peak memory of a process in MiB; raises OSError where Linux does not tell."""
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith(PEAK):
            return int(line.split()[1]) / 1024
    return None
