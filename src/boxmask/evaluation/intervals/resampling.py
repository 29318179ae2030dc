"""Photos drawn again, with replacement: the resamples of the bootstrap.

Efron and Tibshirani, "An Introduction to the Bootstrap", 1993. Photos are drawn, not objects, because objects
of the same photo are similar. Photos that belong together, such as the frames of one video, are drawn
together.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

MAX_RESAMPLES = 1000
MIN_RESAMPLES = 200
MAX_WORK = 500_000_000  # resamples times detections: ten seconds on one core
BLOCK = 4_000_000  # weights held at once: 16 MB


@dataclass(frozen=True)
class Resampling:
    """How often to draw photos, and which ones together.

    groups:    (P,) a number for each photo, 0..G-1; photos with the same number are drawn together
    resamples: number of draws
    seed:      the same seed gives the same draws, so that two models are compared on the same photos
    """

    groups: Int[np.ndarray, " P"]
    resamples: int = MAX_RESAMPLES
    seed: int = 0

    @staticmethod
    def of(
        num_photos: int,
        groups: Int[np.ndarray, " P"] | None = None,
        resamples: int = MAX_RESAMPLES,
        seed: int = 0,
    ) -> Resampling:
        """Draw single photos, or those with the same number in `groups` together."""
        numbers = np.arange(num_photos) if groups is None else np.unique(groups, return_inverse=True)[1]
        return Resampling(numbers.astype(np.int64), resamples, seed)

    @property
    def num_groups(self) -> int:
        """G, the number of groups; of photos, if none belong together."""
        return int(self.groups.max(initial=-1)) + 1

    def weights(self) -> Iterator[Int[np.ndarray, "b P"]]:
        """How often each photo occurs in each resample, a block of resamples at a time."""
        random, count = np.random.default_rng(self.seed), self.num_groups
        step = max(1, BLOCK // max(1, len(self.groups)))
        for start in range(0, self.resamples, step):
            drawn = min(step, self.resamples - start)
            by_group = random.multinomial(count, np.full(count, 1 / count), size=drawn)
            yield by_group.astype(np.int32)[:, self.groups]


def affordable_resamples(num_detections: int) -> int:
    """1,000 resamples, or fewer, down to 200, for more than 500,000 detections."""
    return max(MIN_RESAMPLES, min(MAX_RESAMPLES, MAX_WORK // max(1, num_detections)))
