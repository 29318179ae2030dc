"""The order of photos: which of them share a step, and how often each is used in an epoch.

It depends on the seed and the epoch alone. A resumed training therefore continues with the same batches.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from boxmask.data.augmentation.repeat_factors import draw_repeats
from boxmask.pipeline.images import Size
from boxmask.tasks.contract import Task
from boxmask.training.clock import Clock


class SampleKey(NamedTuple):
    """What a sample is made from, besides the seed of the training.

    photo:    the index of the photo
    repeat:   how often the photo was used before in this epoch
    progress: the fraction of the training that is done, in 0..1
    """

    epoch: int
    photo: int
    repeat: int = 0
    progress: float = 0.0

    def generator(self, seed: int) -> np.random.Generator:
        """The source of all randomness of the sample, which does not depend on `progress`."""
        position = (self.epoch, self.photo, self.repeat) if self.repeat else (self.epoch, self.photo)
        return np.random.default_rng((seed, *position))


class BatchSampler:
    """Yields the photos of each step, from step `first_step` on, without end.

    Each epoch has a new order. Photos of the same padded size share a batch, which keeps padding small.

    sizes:          the padded size of each photo
    repeat_factors: how often each photo is used in an epoch, on average; None: once each
    progress:       the fraction of the training that is done at a step; it is called when the photos of the
                    step are about to be loaded
    """

    def __init__(
        self,
        sizes: list[Size],
        batch_size: int,
        seed: int,
        first_step: int,
        repeat_factors: Float[np.ndarray, " P"] | None = None,
        progress: Callable[[int], float] = lambda step: 0.0,
    ) -> None:
        self.sizes, self.batch_size, self.seed, self.first_step = sizes, batch_size, seed, first_step
        self.repeat_factors, self.progress = repeat_factors, progress

    @property
    def per_epoch(self) -> int:
        """The number of batches per epoch, the same for all epochs."""
        return len(self.batches(0))

    def batches(self, epoch: int) -> list[list[SampleKey]]:
        """Return the batches of one epoch. The last ones may be smaller or mixed."""
        generator = np.random.default_rng((self.seed, epoch))
        open_batches: dict[Size, list[SampleKey]] = {}
        batches: list[list[SampleKey]] = []
        repeats = np.zeros(len(self.sizes), dtype=np.int64)
        for photo in self._order(generator).tolist():
            batch = open_batches.setdefault(self.sizes[photo], [])
            batch.append(SampleKey(epoch, photo, int(repeats[photo])))
            repeats[photo] += 1
            if len(batch) == self.batch_size:
                batches.append(open_batches.pop(self.sizes[photo]))
        rest = [key for size in sorted(open_batches) for key in open_batches[size]]
        batches += [rest[i : i + self.batch_size] for i in range(0, len(rest), self.batch_size)]
        return [batches[i] for i in generator.permutation(len(batches))]

    def _order(self, generator: np.random.Generator) -> NDArray[np.int64]:
        """The photos of one epoch in a random order: each once, or as often as its repeat factor says."""
        if self.repeat_factors is None:
            return generator.permutation(len(self.sizes))
        repeats = draw_repeats(self.repeat_factors, generator)
        return generator.permutation(np.repeat(np.arange(len(self.sizes)), repeats))

    def __iter__(self) -> Iterator[list[SampleKey]]:
        """Yield one list of sample keys per step."""
        step = self.first_step
        first_epoch, skipped = divmod(self.first_step, self.per_epoch)
        for epoch in count(first_epoch):
            for batch in self.batches(epoch)[skipped:]:
                progress = self.progress(step)
                yield [key._replace(progress=progress) for key in batch]
                step += 1
            skipped = 0


def progress_at(clock: Clock) -> Callable[[int], float]:
    """Return a function from a step to the fraction of the stage that is done then.

    If minutes limit the stage, it is the fraction of them that has passed when the function is called.
    """

    def progress(step: int) -> float:
        return step / clock.total_steps if clock.total_steps else clock.progress

    return progress


def padded_sizes(dataset: Any, task: Task[Any, Any], config: Any) -> list[Size]:
    """Return the (height, width) of each photo in the network, padding included."""
    multiple = config.multiple_of
    sizes = [task.input_size((int(height), int(width)), config) for height, width in dataset.sizes]
    return [(-(-height // multiple) * multiple, -(-width // multiple) * multiple) for height, width in sizes]
