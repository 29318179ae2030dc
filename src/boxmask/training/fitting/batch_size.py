"""--batch-size auto: the most photos per step that fit the memory, as long as more are faster.

The default learning rate holds for DEFAULT_BATCH_SIZE photos. For others it is scaled: for AdamW by the
square root of their ratio, as in Malladi et al. 2022 (arXiv:2205.10287), without their changes to the betas;
for SGD by the ratio itself, as in Goyal et al. 2017 (arXiv:1706.02677), section 2.1.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from accelerate import Accelerator

from boxmask.errors import UsageError
from boxmask.messages import format_count
from boxmask.options import option
from boxmask.runs.recipe import Recipe
from boxmask.runs.recipe_values import AUTO
from boxmask.training.fitting import limits
from boxmask.training.fitting.limits import DEFAULT_BATCH_SIZE
from boxmask.training.fitting.memory import memory_limit
from boxmask.training.fitting.probe import Measurement, Probe
from boxmask.training.progress import Report
from boxmask.training.setup import network_config


def fit_batch_size(dataset: Any, recipe: Recipe, accelerator: Accelerator, report: Report) -> Recipe:
    """Return the recipe with a number in place of "auto", and the default learning rate scaled with it.

    dataset: the labeled photos, as the task reads them

    Raises UsageError for R-CNN and Fast R-CNN, whose steps need proposals that do not exist yet.
    """
    if recipe.batch_size != AUTO:
        return recipe
    if hasattr(network_config(dataset, recipe), "search"):
        raise UsageError(
            f"{option('batch_size', AUTO)} does not work for {recipe.model}: its steps need proposals, which "
            f"come later. Give a number, for example --batch-size {DEFAULT_BATCH_SIZE}."
        )
    seconds = limits.PROBE_SECONDS
    if recipe.minutes is not None:
        seconds = min(seconds, limits.PROBE_SHARE * 60 * recipe.minutes)
    report.message(f"measuring for {seconds:.0f} seconds how many photos per step are fastest")
    search = BatchSizeSearch(
        lambda count: Probe(dataset, replace(recipe, batch_size=count), accelerator).measure_recipe(0.0),
        memory_limit(accelerator.device),
        _max_batch_size(recipe, len(dataset.split("train"))),
        seconds,
    )
    count = search.run()
    settled = replace(recipe, batch_size=count)
    rate = ""
    if recipe.learning_rate is None:
        settled = replace(settled, learning_rate=scaled_rate(recipe, count))
        rate = f"; learning rate {settled.learning_rate:.3g}"
    report.message(f"batch size: {format_count(count, 'photo')} per step{search.reason}{rate}")
    return settled


def scaled_rate(recipe: Recipe, batch_size: int) -> float:
    """Return the method's learning rate for a batch size."""
    ratio = batch_size / DEFAULT_BATCH_SIZE
    return recipe.method.learning_rate * (ratio if recipe.optimizer == "sgd" else ratio**0.5)


def _max_batch_size(recipe: Recipe, num_photos: int) -> Callable[[float], int]:
    """The largest batch size that leaves enough steps, by the seconds per photo."""

    def largest(seconds_per_photo: float) -> int:
        if recipe.epochs is not None:
            photos: float = recipe.epochs * num_photos
        else:
            photos = 60 * (recipe.minutes or 0.0) * limits.TRAINING_SHARE / seconds_per_photo
        return min(limits.MAX_BATCH_SIZE, num_photos, int(photos / limits.MIN_TRAINING_STEPS))

    return largest


@dataclass
class BatchSizeSearch:
    """Doubles the batch size while that pays; halves it first if the default does not fit the memory.

    measure: what a step of so many photos takes; None if it does not fit the memory
    limit:   bytes that the process may take
    largest: the largest batch size that leaves enough steps, by the seconds per photo
    seconds: how long to search
    reason:  why the search ended, to be put after the batch size
    """

    measure: Callable[[int], Measurement | None]
    limit: int
    largest: Callable[[float], int]
    seconds: float
    reason: str = ""
    measured: dict[int, Measurement] = field(default_factory=dict)

    def run(self) -> int:
        """Return the batch size."""
        deadline = time.monotonic() + self.seconds
        count = DEFAULT_BATCH_SIZE
        while not self._fits(count):
            if count == 1:
                self.reason = ": even one does not fit the memory"
                return 1
            self.reason = f": {count} do not fit the memory"
            count //= 2
        if count < DEFAULT_BATCH_SIZE:
            return count
        while not self._is_last(count, deadline):
            count *= 2
        return count

    def _fits(self, count: int) -> bool:
        measurement = self.measure(count)
        if measurement is None or measurement.memory > self.limit:
            return False
        self.measured[count] = measurement
        return True

    def _is_last(self, count: int, deadline: float) -> bool:
        """Whether twice as many photos per step are out of question, or no faster; says why."""
        now, twice = self.measured[count], 2 * count
        speed = f" at {1 / now.seconds:.1f} images/s"
        if twice > self.largest(now.seconds):
            self.reason = f"{speed}; more would leave too few steps"
        elif 2 * now.memory > self.limit:  # memory grows at most in proportion
            self.reason = f"{speed}; {twice} may not fit the memory"
        elif time.monotonic() + 2 * twice * now.seconds > deadline:  # two steps, of which one is timed
            self.reason = f"{speed}; trying {twice} would take too long"
        elif not self._fits(twice):
            self.reason = f"{speed}; {twice} do not fit the memory"
        elif now.seconds < limits.MIN_SPEEDUP * self.measured[twice].seconds:
            self.reason = f"{speed}; {twice} are no faster ({1 / self.measured[twice].seconds:.1f})"
        else:
            return False
        return True
