"""How far training has come, and the learning rate at that point."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from boxmask.kernels.compile_time import compile_seconds

MAX_IDLE_SECONDS = 60.0  # longer than a step waits for photos or a GPU without using the CPU


def learning_rate(progress: float, warmup: float) -> float:
    """Return the fraction of the peak learning rate at `progress` in 0..1.

    The rate rises linearly during warm-up and then falls to zero along a cosine: SGDR, Loshchilov and Hutter
    2017 (arXiv:1608.03983), equation 5, without restarts.
    """
    if progress < warmup:
        return min(1.0, max(progress, 1e-3) / warmup)
    return 0.5 * (1 + math.cos(math.pi * min(1.0, (progress - warmup) / (1 - warmup))))


def work_time() -> float:
    """Return the seconds of `time.monotonic` without those in which kernels were compiled."""
    return time.monotonic() - compile_seconds()


@dataclass
class Clock:
    """Counts the steps and seconds of one stage. A resumed training continues the count.

    total_steps:    the number of steps of the stage; None if time decides when it ends
    minutes:        the length of the stage if time decides
    step:           the number of steps done
    seconds_before: seconds of this stage before the training was resumed
    steps_per_pass: the number of steps in which each photo is used once; 0 in stages without steps
    """

    total_steps: int | None
    minutes: float
    step: int = 0
    seconds_before: float = 0.0
    steps_per_pass: int = 0

    def __post_init__(self) -> None:
        self.started = self.checked_at = work_time()
        self.cpu_seconds = time.process_time()

    def skip_pause(self) -> None:
        """Leave out a pause since the last call: the machine slept, or Ctrl-Z stopped the process.

        `time.monotonic` includes time stopped by Ctrl-Z and, on some systems, sleep. The CPU time of the
        process includes neither. Of the time since the last call, the CPU time and up to MAX_IDLE_SECONDS
        more count as work.
        """
        now, cpu_seconds = work_time(), time.process_time()
        pause = now - self.checked_at - (cpu_seconds - self.cpu_seconds) - MAX_IDLE_SECONDS
        self.started += max(0.0, pause)
        self.checked_at, self.cpu_seconds = now, cpu_seconds

    @contextmanager
    def stopped(self) -> Iterator[Clock]:
        """Stand still within the block. Yields a clock that counts the seconds of the block."""
        began, inner = work_time(), Clock(None, 0.0)
        try:
            yield inner
        finally:
            self.checked_at, self.cpu_seconds = work_time(), time.process_time()
            self.started += self.checked_at - began

    @property
    def seconds(self) -> float:
        """Seconds spent in this stage, including those before it was resumed."""
        return self.seconds_before + work_time() - self.started

    @property
    def progress(self) -> float:
        """The fraction of the stage that is done, in 0..1."""
        if self.total_steps is not None:
            return min(1.0, self.step / self.total_steps)
        return min(1.0, self.seconds / (60 * self.minutes)) if self.minutes else 1.0

    @property
    def passes(self) -> float:
        """How many times the photos have been used so far; 0 in stages without steps."""
        return self.step / self.steps_per_pass if self.steps_per_pass else 0.0

    @property
    def seconds_left(self) -> float | None:
        """The estimated seconds left; None before the first step if steps decide."""
        if self.total_steps is None:
            return (1 - self.progress) * 60 * self.minutes
        return self.seconds / self.step * (self.total_steps - self.step) if self.step else None
