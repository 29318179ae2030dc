"""Times two or more programs side by side: each in its own process, in turns.

A process has its own memory allocator and threads. So each side runs as its user would run it, and has its
own peak of memory.
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
    """One side: `make()` returns the work to time. With `keep`, its process keeps freed memory."""

    make: Callable[[], Work]
    keep: bool = False


@dataclass(frozen=True)
class Timing:
    """Median seconds of the rounds, and the peak of resident memory in GB."""

    seconds: float
    peak: float


class Side:
    """A process that does its work once per call of `run`."""

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
        """Do the work once; return its seconds and the peak of memory so far."""
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
    """Peak of resident memory of this process, in GB (Linux). `ru_maxrss` would include its parent's."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return float(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1e6


def in_turns(plans: dict[str, Plan], rounds: int, threads: int) -> dict[str, Timing]:
    """Run every side `rounds` times, in turns (a, b, a, b, ...), after one round of warm-up."""
    with ExitStack() as stack:
        sides = {name: stack.enter_context(Side(plan, threads)) for name, plan in plans.items()}
        runs = [{name: side.run() for name, side in sides.items()} for _ in range(rounds + 1)][1:]
    return {
        name: Timing(median(run[name][0] for run in runs), max(run[name][1] for run in runs))
        for name in plans
    }


def product_peak() -> float:
    """Floating-point operations per second of PyTorch's float32 matrix product on this machine."""
    a = torch.randn(2048, 2048)
    fastest = float("inf")
    for _ in range(8):
        begin = time.perf_counter()
        a @ a
        fastest = min(fastest, time.perf_counter() - begin)
    return 2 * 2048**3 / fastest
