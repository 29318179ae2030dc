"""The random state of a training: seeded for each step, and restored afterwards.

Networks and their losses draw random numbers from torch's default generators. Training seeds them, and the
program that called it must not notice. NumPy's and Python's global generators are not used.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


def seed_generators(seed: int, device: torch.device) -> None:
    """Seed torch's default generators of the CPU and of `device`, and no others."""
    torch.default_generator.manual_seed(seed)
    if device.type != "cpu":
        torch.get_device_module(device).manual_seed(seed)


@contextmanager
def preserve_random_state(device: torch.device) -> Iterator[None]:
    """Restore torch's default generators of the CPU and of `device` after the block, even if it raises."""
    cpu_state = torch.get_rng_state()
    device_state = None if device.type == "cpu" else torch.get_device_module(device).get_rng_state()
    try:
        yield
    finally:
        torch.set_rng_state(cpu_state)
        if device_state is not None:
            torch.get_device_module(device).set_rng_state(device_state)
