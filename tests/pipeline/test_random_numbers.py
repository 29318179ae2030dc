"""Seeded random numbers equal torch's after `manual_seed`, and leave its generators alone."""

from __future__ import annotations

from collections.abc import Callable
from threading import Barrier, Thread

import pytest
import timm
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from boxmask.pipeline.random_numbers import SeededRandomNumbers

USES: dict[str, Callable[[], Tensor]] = {
    "randperm": lambda: torch.randperm(50),
    "rand": lambda: torch.rand(4, 5),
    "randn": lambda: torch.randn(3),
    "randint": lambda: torch.randint(0, 9, (7,)),
    "normal": lambda: torch.normal(torch.zeros(4), 1.0),
    "bernoulli": lambda: torch.bernoulli(torch.full((9,), 0.5)),
    "multinomial": lambda: torch.multinomial(torch.ones(6), 3),
    "normal_": lambda: torch.zeros(3).normal_(),
    "uniform_": lambda: torch.zeros(3).uniform_(-1, 1),
    "bernoulli_": lambda: torch.zeros(9).bernoulli_(0.3),
    "random_": lambda: torch.zeros(3).random_(),
    "kaiming": lambda: nn.init.kaiming_normal_(torch.zeros(4, 3, 3, 3), nonlinearity="relu"),
    "xavier": lambda: nn.init.xavier_uniform_(torch.zeros(4, 3)),
    "truncated": lambda: nn.init.trunc_normal_(torch.zeros(40), std=0.02),
    "linear": lambda: nn.Linear(5, 4).weight.detach(),
    "convolution": lambda: nn.Conv2d(3, 4, 3).weight.detach(),
    "backbone": lambda: torch.cat(
        [p.detach().flatten() for p in timm.create_model("test_resnet").parameters()]
    ),
    "dropout": lambda: F.dropout(torch.ones(40), 0.3),
    "dropout in place": lambda: F.dropout(torch.ones(40), 0.3, inplace=True),
    "dropout layer": lambda: nn.Dropout(0.6).train()(torch.ones(5, 8)),
    "dropout of all": lambda: F.dropout(torch.ones(5), 1.0),
    "no dropout": lambda: nn.Dropout(0.6).eval()(torch.ones(5)),
}


@pytest.mark.parametrize("name", USES)
def test_the_numbers_are_torchs_and_its_generator_is_untouched(name: str) -> None:
    before = torch.get_rng_state()
    with SeededRandomNumbers(5):
        found = [USES[name](), USES[name]()]
    assert torch.equal(torch.get_rng_state(), before)
    with torch.random.fork_rng():
        torch.manual_seed(5)
        expected = [USES[name](), USES[name]()]
    assert all(map(torch.equal, found, expected))


def test_a_given_generator_is_kept() -> None:
    with SeededRandomNumbers(5):
        found = torch.rand(3, generator=torch.Generator().manual_seed(1))
    assert torch.equal(found, torch.rand(3, generator=torch.Generator().manual_seed(1)))


def test_dropout_has_its_gradient() -> None:
    values = torch.ones(1000, requires_grad=True)
    with SeededRandomNumbers(5):
        dropped = F.dropout(values, 0.25)
    dropped.sum().backward()
    assert values.grad is not None
    assert torch.equal(values.grad, dropped.detach())  # 0, or 1 / (1 - 0.25)
    assert set(values.grad.tolist()) == {0.0, torch.tensor(1 / 0.75).item()}


def test_threads_do_not_share_numbers() -> None:
    barrier, found = Barrier(2), {}

    def work(seed: int) -> None:
        with SeededRandomNumbers(seed):
            barrier.wait()
            found[seed] = torch.stack([torch.rand(2) for _ in range(500)])

    threads = [Thread(target=work, args=(seed,)) for seed in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for seed, numbers in found.items():
        generator = torch.Generator().manual_seed(seed)
        assert torch.equal(numbers, torch.stack([torch.rand(2, generator=generator) for _ in range(500)]))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_has_a_generator_of_its_own() -> None:
    before = torch.cuda.get_rng_state()
    with SeededRandomNumbers(5):
        found = torch.rand(3, device="cuda"), torch.zeros(3, device="cuda").normal_()
    assert torch.equal(torch.cuda.get_rng_state(), before)
    generator = torch.Generator("cuda").manual_seed(5)
    assert torch.equal(found[0], torch.rand(3, device="cuda", generator=generator))
    assert torch.equal(found[1], torch.zeros(3, device="cuda").normal_(generator=generator))


def test_the_numbers_of_a_step_follow_from_seed_and_step() -> None:
    def numbers(seed: int, step: int) -> tuple[float, ...]:
        with SeededRandomNumbers.of_step(seed, step):
            return tuple(torch.rand(5).tolist())

    before = torch.get_rng_state()
    assert numbers(3, 7) == numbers(3, 7)
    assert len({numbers(3, 7), numbers(3, 8), numbers(4, 7), numbers(7, 3)}) == 4
    assert torch.equal(torch.get_rng_state(), before)
