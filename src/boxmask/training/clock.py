"""How far a training has come, and the learning rate that belongs there."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass


def learning_rate(progress: float, warmup: float) -> float:
    """The part of the highest rate at `progress` in 0..1: a linear rise, then a cosine down to zero.

    SGDR, Loshchilov and Hutter 2017 (arXiv:1608.03983), equation 5, without restarts.
    """
    if progress < warmup:
        return min(1.0, max(progress, 1e-3) / warmup)
    return 0.5 * (1 + math.cos(math.pi * min(1.0, (progress - warmup) / (1 - warmup))))


@dataclass
class Clock:
    """Counts steps and seconds towards the end; goes on where it was when a training is resumed.

    total_steps: where the end is, if steps decide
    minutes:     where it is, if time decides
    """

    total_steps: int | None
    minutes: float
    step: int = 0
    seconds_before: float = 0.0

    def __post_init__(self) -> None:
        self.started = time.monotonic()

    @property
    def seconds(self) -> float:
        """Seconds of training, earlier runs of a resumed training included."""
        return self.seconds_before + time.monotonic() - self.started

    @property
    def progress(self) -> float:
        """0 at the beginning, 1 at the end."""
        if self.total_steps is not None:
            return min(1.0, self.step / self.total_steps)
        return min(1.0, self.seconds / (60 * self.minutes)) if self.minutes else 1.0

    @property
    def seconds_left(self) -> float | None:
        """An estimate; None before there is anything to go by."""
        if self.total_steps is None:
            return (1 - self.progress) * 60 * self.minutes
        return self.seconds / self.step * (self.total_steps - self.step) if self.step else None
