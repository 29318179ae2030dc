"""A few training steps on this machine, to measure their time and memory at two sizes.

The steps are those of a network of their own, with random numbers of their own: the training that follows is
the same with and without them.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
import torch
from accelerate import Accelerator
from torch import nn

from boxmask.pipeline.model import Model
from boxmask.pipeline.random_numbers import SeededRandomNumbers
from boxmask.runs.recipe import Recipe
from boxmask.tasks.table import task_of
from boxmask.training.failure import is_out_of_memory
from boxmask.training.fitting.limits import DEFAULT_BATCH_SIZE
from boxmask.training.fitting.memory import forget_peak, memory_in_use
from boxmask.training.loader import TrainingBatch, TrainingDataset, load_batches
from boxmask.training.optimizer import make_average, make_optimizer
from boxmask.training.sampler import BatchSampler, padded_sizes
from boxmask.training.setup import network_config, new_network
from boxmask.weights.imagenet import backbone_weights, is_random

NUM_BATCHES = 2  # of photos, which the steps use in turn
MIN_STEPS = 1  # that are timed, after a first one that compiles and allocates


class Measurement(NamedTuple):
    """What training takes at one size.

    seconds: per photo
    memory:  bytes in use during a step
    """

    seconds: float
    memory: int


@dataclass
class Probe:
    """Measures training steps of a recipe on the training photos.

    dataset: the labeled photos, as the task reads them
    """

    dataset: Any
    recipe: Recipe
    accelerator: Accelerator

    @property
    def _batch_size(self) -> int:
        """Photos per step; with "auto", the number is found after the photo size, which it depends on."""
        return DEFAULT_BATCH_SIZE if self.recipe.batch_size == "auto" else self.recipe.batch_size

    def measure(self, sizes: list[int], seconds: float) -> dict[int, Measurement]:
        """Measure at each size for its share of the seconds, at least one step.

        A size that does not fit the memory is left out, and so is one none of whose photos can be read.
        """
        measured = {}
        for size in sizes:
            measurement = self._measure_if_fitting(size, seconds / len(sizes))
            if measurement is not None:
                measured[size] = measurement
        return measured

    def measure_recipe(self, seconds: float) -> Measurement | None:
        """Measure at the recipe's own size, at least one step; None if it does not fit the memory."""
        size = None if self.recipe.size == "auto" else self.recipe.size
        return self._measure_if_fitting(size, seconds)

    def _measure_if_fitting(self, size: int | None, seconds: float) -> Measurement | None:
        """Measure at a size; None if it does not fit the memory, and if no photo can be read."""
        try:
            return self._measure(size, seconds)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
        return None

    def _measure(self, size: int | None, seconds: float) -> Measurement | None:
        deadline = time.monotonic() + seconds
        config = network_config(self.dataset, replace(self.recipe, size=size))
        network = self._network(config)
        forget_peak(self.accelerator.device)
        batches, seconds_to_load = self._load(config)
        if not batches:
            return None
        steps = self._steps(network, batches)
        next(steps)
        times: list[float] = []
        memory = 0
        while len(times) < MIN_STEPS or time.monotonic() < deadline:
            before = time.monotonic()
            memory = max(memory, next(steps))
            times.append((time.monotonic() - before) / self._batch_size)
        # other programs only ever slow a step down; batches differ in size
        quickest = [min(times[first :: len(batches)]) for first in range(min(len(batches), len(times)))]
        return Measurement(self._seconds_per_photo(float(np.mean(quickest)), seconds_to_load), memory)

    def _network(self, config: Any) -> Model:
        """A network that is frozen as in training; its weights are those of the backbone, or random."""
        recipe, backbone = self.recipe, config.backbone
        pretrained = not recipe.has_init and not is_random(backbone, recipe.weights)
        weights = backbone_weights(backbone, recipe.weights) if pretrained else None
        network = new_network(recipe, config, weights, self.accelerator.device)
        network.freeze(recipe.method.frozen_stages if pretrained or recipe.has_init else 0)
        return network

    def _load(self, config: Any) -> tuple[list[TrainingBatch], float]:
        """Some batches, and the seconds per photo that a process takes to load them again from the cache."""
        recipe, train = self.recipe, self.dataset.split("train")
        task = task_of(recipe.model)
        augmentation = task.combination(recipe, config, train.counts())
        cache_bytes = recipe.cache_megabytes * 10**6
        photos = TrainingDataset(train, task, config, augmentation, recipe.seed, cache_bytes)
        sampler = BatchSampler(padded_sizes(train, task, config), self._batch_size, recipe.seed, 0)
        seconds = 0.0
        for _ in range(2):  # the photos of the second round come from the cache, as in training
            began = time.monotonic()
            with closing(load_batches(photos, sampler, 0, "skip")) as batches:
                loaded = list(islice(batches, NUM_BATCHES))
            seconds = time.monotonic() - began
        count = sum(len(batch.images) for batch in loaded)
        return [batch for batch in loaded if batch.images], seconds / max(1, count)

    def _steps(self, network: Model, batches: list[TrainingBatch]) -> Iterator[int]:
        """Do one step after the other; yields the memory in use during each."""
        recipe, accelerator = self.recipe, self.accelerator
        optimizer = make_optimizer(network, recipe)
        average = make_average(network, recipe.ema_decay) if recipe.ema_decay else None
        network.train()
        step = 0
        while True:
            batch = batches[step % len(batches)]
            with SeededRandomNumbers.of_step(recipe.seed, step), accelerator.autocast():
                losses = network.loss(batch.images, batch.targets)
            memory = memory_in_use(accelerator.device)
            optimizer.zero_grad()
            torch.stack(list(losses.values())).sum().backward()
            norm = nn.utils.clip_grad_norm_(network.parameters(), recipe.clip_norm)
            if float(norm) < float("inf"):
                optimizer.step()
            if average is not None:
                average.update_parameters(network)
            yield memory
            step += 1

    def _seconds_per_photo(self, step: float, loading: float) -> float:
        """Seconds per photo when loading and steps overlap; both are in seconds per photo.

        Without workers, one follows the other. On a CPU, the workers take their time from the steps, which
        use all cores. The slower of the two decides in any case.
        """
        workers = self.recipe.workers
        if not workers:
            return step + loading
        on_cpu = self.accelerator.device.type == "cpu"
        shared = loading / torch.get_num_threads() if on_cpu else 0.0
        return max(step + shared, loading / workers)
