from __future__ import annotations

import pytest
import torch

from boxmask.training.random_state import preserve_random_state, seed_generators

CPU = torch.device("cpu")
needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")


def test_seeding_is_the_same_as_torchs() -> None:
    with preserve_random_state(CPU):
        torch.manual_seed(5)
        expected = torch.rand(3)
        seed_generators(5, CPU)
        assert torch.equal(torch.rand(3), expected)


def test_the_state_is_restored_also_after_an_error() -> None:
    before = torch.get_rng_state()
    with preserve_random_state(CPU):
        seed_generators(5, CPU)
    assert torch.equal(torch.get_rng_state(), before)
    with pytest.raises(RuntimeError), preserve_random_state(CPU):
        torch.rand(1).view(2)
    assert torch.equal(torch.get_rng_state(), before)


@needs_gpu
def test_the_state_of_the_gpu_is_seeded_and_restored() -> None:
    gpu = torch.device("cuda")
    before = torch.cuda.get_rng_state()
    with preserve_random_state(gpu):
        torch.manual_seed(5)
        expected = torch.rand(3, device=gpu)
        seed_generators(5, gpu)
        assert torch.equal(torch.rand(3, device=gpu), expected)
    assert torch.equal(torch.cuda.get_rng_state(), before)
