from __future__ import annotations

import torch

from boxmask.training.random_numbers import step_random_numbers


def numbers(seed: int, step: int) -> torch.Tensor:
    with step_random_numbers(seed, step):
        return torch.rand(5)


def test_the_numbers_follow_from_seed_and_step() -> None:
    assert torch.equal(numbers(3, 7), numbers(3, 7))
    different = [numbers(3, 7), numbers(3, 8), numbers(4, 7), numbers(7, 3)]
    assert len({tuple(values.tolist()) for values in different}) == 4


def test_the_default_generator_is_untouched() -> None:
    before = torch.get_rng_state()
    numbers(0, 0)
    assert torch.equal(torch.get_rng_state(), before)
