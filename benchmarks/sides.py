"""Programs side by side: each in a process of its own, run in turns, so that neither disturbs the other.

A process has its own memory allocator and its own threads; so each side can be what its user would run, and
each has a peak of memory of its own.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median
from types import TracebackType

import torch

from boxmask.cli.memory import keep_memory

Work = Callable[[], object]


@dataclass(frozen=True)
class Plan:
    """One side: `make()` gives the work that is timed; with `keep`, freed memory is kept as boxmask does."""

    make: Callable[[], Work]
    keep: bool = False


@dataclass(frozen=True)
class Figures:
    """Seconds of the rounds (median), and the peak of resident memory in GB."""

    seconds: float
    peak: float


class Side:
    """A process that waits, and does its work once whenever it is told to."""

    def __init__(self, plan: Plan, threads: int) -> None:
        context = get_context("spawn")
        self.pipe, other = context.Pipe()
        self.process = context.Process(target=_serve, args=(other, plan, threads), daemon=True)
        self.process.start()

    def __enter__(self) -> Side:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.process.terminate()
        self.process.join()

    def run(self) -> tuple[float, float]:
        """Do the work; gives seconds, and the peak of memory so far."""
        self.pipe.send("run")
        seconds, peak = self.pipe.recv()
        return seconds, peak


def _serve(pipe: Connection, plan: Plan, threads: int) -> None:
    if plan.keep:
        keep_memory()
    torch.set_num_threads(threads)
    work = plan.make()
    while True:
        pipe.recv()
        begin = time.perf_counter()
        work()
        seconds = time.perf_counter() - begin
        pipe.send((seconds, peak_memory()))


def peak_memory() -> float:
    """GB that this process had in memory at its highest (Linux); `ru_maxrss` would count its parent's too."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return float(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1e6


def in_turns(plans: dict[str, Plan], rounds: int, threads: int) -> dict[str, Figures]:
    """Every side `rounds` times, in turns (a, b, a, b, ...), after one round that does not count."""
    with ExitStack() as stack:
        sides = {name: stack.enter_context(Side(plan, threads)) for name, plan in plans.items()}
        runs = [{name: side.run() for name, side in sides.items()} for _ in range(rounds + 1)][1:]
    return {
        name: Figures(median(run[name][0] for run in runs), max(run[name][1] for run in runs))
        for name in plans
    }


def product_peak() -> float:
    """Floating-point operations a second of a float32 matrix product: what PyTorch makes of this machine."""
    a = torch.randn(2048, 2048)
    fastest = float("inf")
    for _ in range(8):
        begin = time.perf_counter()
        a @ a
        fastest = min(fastest, time.perf_counter() - begin)
    return 2 * 2048**3 / fastest
