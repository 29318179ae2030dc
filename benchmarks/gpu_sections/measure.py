"""Times, launches and waits of both sides."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

import torch
from torch.autograd import DeviceType
from torch.profiler import ProfilerActivity, profile

from torchvision_pairs import LOSSES

Work = Callable[[], object]


@dataclass(frozen=True)
class Settings:
    """What is run. `rounds` per row; sides in pixels; `seconds` per training from files."""

    device: torch.device
    rounds: int = 11
    side: int = 600
    batch: int = 4
    photos: int = 120
    seconds: float = 7.0
    networks: tuple[str, ...] = tuple(LOSSES)
    compiler: str = "inductor"
    precisions: tuple[str, ...] = ("fp32", "bf16")


@dataclass
class Measurement:
    """Medians of one side in milliseconds, and counts of one run (-1: not known)."""

    total: float
    host: float
    device: float = -1.0
    launches: int = -1
    waits: int = -1


@dataclass
class Row:
    """One line of a table: both sides."""

    section: str
    name: str
    torchvision: Measurement
    boxmask: Measurement
    note: str = ""

    def cells(self) -> list[str]:
        """The text of each column."""
        ours, theirs = self.boxmask, self.torchvision
        counts = [
            f"{a:.0f} / {b:.0f}" if min(a, b) >= 0 else ""
            for a, b in (
                (ours.host, theirs.host),
                (ours.device, theirs.device),
                (ours.launches, theirs.launches),
                (ours.waits, theirs.waits),
            )
        ]
        ratio = f"{theirs.total / ours.total:.2f}x"
        return [self.name, f"{theirs.total:.2f}", f"{ours.total:.2f}", ratio, *counts, self.note]


def measure(works: tuple[Work, Work], settings: Settings) -> list[Measurement]:
    """Time both sides in turns, after a warm-up, and profile one run of each."""
    for _ in range(3):
        for work in works:
            work()
    times: list[list[tuple[float, float]]] = [[], []]
    for _ in range(settings.rounds):
        for side, work in zip(times, works, strict=True):
            side.append(_time(work, settings.device))
    medians = [[median(column) * 1e3 for column in zip(*side, strict=True)] for side in times]
    return [
        Measurement(*values, *_profile(work, settings.device))
        for values, work in zip(medians, works, strict=True)
    ]


def _time(work: Work, device: torch.device) -> tuple[float, float]:
    """Seconds until the device is done, and until the host may go on."""
    _synchronize(device)
    begin = time.perf_counter()
    work()
    host = time.perf_counter() - begin
    _synchronize(device)
    return time.perf_counter() - begin, host


def _profile(work: Work, device: torch.device) -> tuple[float, int, int]:
    """Milliseconds of kernels, launches and waits of one run; -1 on a CPU."""
    if device.type != "cuda":
        return -1.0, -1, -1
    work()  # what the last timing left in the allocator and in caches
    _synchronize(device)
    with profile(activities=[ProfilerActivity.CPU, ProfilerActivity.CUDA], acc_events=True) as profiler:
        work()
        _synchronize(device)
    rows = profiler.key_averages()
    on_device = sum(row.self_device_time_total for row in rows if row.device_type != DeviceType.CPU)
    launches = sum(row.count for row in rows if "Launch" in row.key or "MemcpyAsync" in row.key)
    waits = sum(row.count for row in rows if row.key.startswith("cudaStreamSynchronize"))
    return on_device / 1e3, launches, waits


def _synchronize(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
