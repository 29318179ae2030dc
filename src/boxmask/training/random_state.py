"""The random numbers of a training step."""

from __future__ import annotations

import numpy as np

from boxmask.pipeline.random_numbers import SeededRandomNumbers


def random_numbers_of_step(seed: int, step: int) -> SeededRandomNumbers:
    """The random numbers of one step: sampling and dropout follow from (seed, step), not from earlier steps.

    A resumed training therefore continues with the same numbers.
    """
    return SeededRandomNumbers(int(np.random.SeedSequence((seed, step)).generate_state(1)[0]))
