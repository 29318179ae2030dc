"""The machine: its CPU, and how busy other processes keep it."""

from __future__ import annotations

import platform
from collections.abc import Iterable
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil

from boxmask.runtime.session import usable_cores

CPU_INFO = Path("/proc/cpuinfo")
PACKAGES = ("boxmask", "torch", "onnxruntime")


def describe_machine() -> dict[str, str | int]:
    """The CPU, the number of cores that this process may use, the system, and versions of packages."""
    versions = {}
    for name in PACKAGES:
        with suppress(PackageNotFoundError):
            versions[name] = version(name)
    system = f"{platform.system()} {platform.machine()}"
    return {"cpu": cpu_name(), "cores": usable_cores(), "system": system, **versions}


def cpu_name() -> str:
    """The name of the CPU, or its architecture."""
    if CPU_INFO.is_file():
        for line in CPU_INFO.read_text(errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


class OtherProcesses:
    """How much of the CPU other processes take, from its creation on.

    numbers: the ids of the processes that are not others
    """

    def __init__(self, numbers: Iterable[int]) -> None:
        self._processes = [psutil.Process(number) for number in numbers]
        self._before = self._seconds()

    def share(self) -> float | None:
        """The share of the CPU in 0..1, or None if the system does not tell."""
        busy, total, measured = (
            now - before for now, before in zip(self._seconds(), self._before, strict=True)
        )
        return min(1.0, max(0.0, busy - measured) / total) if total > 0 else None

    def _seconds(self) -> tuple[float, float, float]:
        """CPU time of all processes, of all processes and idle cores, and of the measured processes."""
        times = psutil.cpu_times()
        guests = getattr(times, "guest", 0.0) + getattr(times, "guest_nice", 0.0)  # counted in user, too
        total = sum(times) - guests
        measured = 0.0
        for process in self._processes:
            with suppress(psutil.Error):
                own = process.cpu_times()
                measured += own.user + own.system
        return total - times.idle - getattr(times, "iowait", 0.0), total, measured
