"""The random numbers of a training step."""

from __future__ import annotations

import numpy as np

from boxmask.pipeline.random_numbers import SeededRandomNumbers


def step_random_numbers(seed: int, step: int) -> SeededRandomNumbers:
    """The random numbers of one step, for sampling and dropout. They depend on (seed, step) alone.

    A resumed training therefore continues with the same numbers.
    """
    return SeededRandomNumbers(int(np.random.SeedSequence((seed, step)).generate_state(1)[0]))
