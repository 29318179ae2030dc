"""Random numbers that follow from a seed, without torch's default generators.

All threads of a process share the default generators. A training that seeded them would change the random
state of the program that called it, and two trainings in two threads would disturb each other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

RANDOM_FUNCTIONS: frozenset[Callable[..., Any]] = frozenset(  # those that take a generator
    {
        torch.bernoulli,
        torch.multinomial,
        torch.normal,
        torch.rand,
        torch.randint,
        torch.randn,
        torch.randperm,
        Tensor.bernoulli,
        Tensor.bernoulli_,
        Tensor.exponential_,
        Tensor.log_normal_,
        Tensor.multinomial,
        Tensor.normal_,
        Tensor.random_,
        Tensor.uniform_,
    }
)


class SeededRandomNumbers(TorchFunctionMode):
    """Within the block, and in this thread only, torch's random functions draw from their own generators.

    The numbers are those of the default generators after `torch.manual_seed(seed)`, which stay as they are.
    It covers initialization, dropout and the functions named above; a `generator` that is passed is kept.
    """

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.seed = seed
        self.generators: dict[torch.device, torch.Generator] = {}

    @staticmethod
    def of_step(seed: int, step: int) -> SeededRandomNumbers:
        """The numbers of one training step. They depend on (seed, step) alone, so that it can be resumed."""
        return SeededRandomNumbers(int(np.random.SeedSequence((seed, step)).generate_state(1)[0]))

    def generator(self, device: torch.device) -> torch.Generator:
        """The generator of a device, seeded when it is first used."""
        if device not in self.generators:
            self.generators[device] = torch.Generator(device).manual_seed(self.seed)
        return self.generators[device]

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Call `func`, with a generator if it is a random function."""
        options = kwargs or {}
        if func is F.dropout:
            return self._dropout(*args, **options)
        if func in RANDOM_FUNCTIONS or "generator" in options:
            generator = options.get("generator") or self.generator(_device(args, options))
            options = {**options, "generator": generator}
        return func(*args, **options)

    def _dropout(self, input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
        """`F.dropout`, which takes no generator."""
        if not training or p == 0:
            return input
        noise = torch.empty_like(input).bernoulli_(1 - p, generator=self.generator(input.device))
        noise.div_(1 - p or 1)
        return input.mul_(noise) if inplace else input * noise


def _device(args: tuple[Any, ...], options: Mapping[str, Any]) -> torch.device:
    """The device of the tensor that a random function fills, reads or makes."""
    tensors = [value for value in (*args, *options.values()) if isinstance(value, Tensor)]
    if tensors:
        return tensors[0].device
    return torch.empty(0, device=options.get("device")).device
