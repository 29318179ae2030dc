"""How often to validate, and on how many photos, so that it takes a tenth of the minutes at most."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from jaxtyping import Int

MAX_SHARE = 0.1  # of the minutes, for all validations
PLANNED_SHARE = 0.08  # of the minutes: validations may turn out to be slower than the first photos
SAMPLE = 100  # photos: with fewer, several validations say less than one on all of their photos together
PREFIX = "validation_"  # of the counters in resume.safetensors


@dataclass
class Validations:
    """The plan of a training's validations, and what is known of those that are done.

    planned:           the number of validations, the one at the end included; 0 until they are planned
    photos:            the number of photos that each is on
    seconds_per_photo: the latest measurement; 0 if there is none
    reserved:          the seconds to set aside where there is no measurement
    seconds:           the time that all have taken, the measurements included
    highest:           the highest deciding metric of all that are done
    stale:             the number of validations since that metric rose
    """

    planned: int = 0
    photos: int = 0
    seconds_per_photo: float = 0.0
    reserved: float = 0.0
    seconds: float = 0.0
    highest: float = -1.0
    stale: int = 0

    def count(self, metric: float) -> None:
        """Count a validation with this deciding metric."""
        self.stale = 0 if metric > self.highest else self.stale + 1
        self.highest = max(self.highest, metric)

    def seconds_ahead(self, done: int) -> float:
        """Return the expected seconds of the validations after the first `done`."""
        if not self.seconds_per_photo:
            return self.reserved
        return max(1, self.planned - done) * self.photos * self.seconds_per_photo

    def fit_into(self, seconds: float, done: int) -> None:
        """Leave out validations after the first `done` so that those ahead take `seconds`; one remains."""
        each = self.photos * self.seconds_per_photo
        if each:
            self.planned = min(self.planned, done + max(1, int(seconds / each)))

    def counters(self) -> dict[str, float]:
        """Return the values to save."""
        return {PREFIX + field.name: getattr(self, field.name) for field in fields(self)}

    @staticmethod
    def from_counters(counters: Mapping[str, Any]) -> Validations:
        """Return the saved values; those that an earlier version did not save have their defaults."""
        saved = {
            field.name: counters.get(PREFIX + field.name, field.default) for field in fields(Validations)
        }
        whole = {name: int(saved[name]) for name in ("planned", "photos", "stale")}
        return Validations(**{**saved, **whole})


COUNTERS = tuple(Validations().counters())


def plan_validations(
    wanted: int, num_photos: int, seconds_per_photo: float, seconds: float, at_least: int = 1
) -> tuple[int, int]:
    """Return how many validations fit into `seconds`, and the number of photos that each is on.

    All photos come first: where they do not fit `wanted` times, there are fewer validations. Where they do
    not fit `at_least` times, validations are on a sample, and again as many as wanted if it is large enough.
    """
    affordable = int(seconds / seconds_per_photo) if seconds_per_photo else wanted * num_photos
    if affordable >= at_least * num_photos:
        return min(wanted, affordable // num_photos), num_photos
    count = min(wanted, max(at_least, affordable // SAMPLE))
    return count, max(1, affordable // count)


def sample_photos(num_photos: int, count: int, seed: int) -> Int[np.ndarray, " count"]:
    """Return the photos of a sample in order; the same seed gives the same, and a smaller part of them."""
    order = np.random.default_rng((seed, num_photos)).permutation(num_photos)
    return np.sort(order[:count])


def describe_plan(planned: int, photos: int, wanted: int, num_photos: int) -> str:
    """Return a sentence on a plan with fewer validations or photos than wanted; empty for all of them."""
    if (planned, photos) == (wanted, num_photos):
        return ""
    times = f"{planned} times" if planned > 1 else "once, at the end,"
    sample = f"all {num_photos}" if photos == num_photos else f"the same {photos} of {num_photos}"
    asked = "" if planned == wanted else f" instead of {wanted} times"
    return (
        f"note: the model is validated {times} on {sample} photos{asked}, so that this takes a tenth of the "
        "time at most"
    )
