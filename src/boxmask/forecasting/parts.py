"""Growing parts of the training photos, drawn so that groups of photos stay together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int

from boxmask.errors import UsageError

SHARES = (1 / 8, 1 / 4, 1 / 2)
"""Shares of the training photos, besides all of them."""

MIN_PART = 4  # photos
MIN_PHOTOS = 12  # for three parts of different sizes
MAX_LARGE_DRAWS = 2  # trainings on half of the photos and on all: these take part in every comparison


@dataclass(frozen=True)
class Part:
    """A part of the training photos.

    draw:   1, 2, ... of the parts of this size
    photos: indices of training photos, ascending
    """

    draw: int
    photos: tuple[int, ...]

    @property
    def name(self) -> str:
        """The name of its files."""
        return f"{len(self.photos):04d}-photos-{self.draw}"


def part_sizes(num_photos: int, shares: Sequence[float] = SHARES) -> tuple[int, ...]:
    """The numbers of photos of the parts, ascending; the last is all photos.

    Raises UsageError if there are too few photos for three parts.
    """
    if num_photos < MIN_PHOTOS:
        raise UsageError(
            f"{num_photos} training photos are too few for a forecast: expected {MIN_PHOTOS} or more. Label "
            "more photos first."
        )
    return tuple(sorted({*(max(MIN_PART, round(num_photos * share)) for share in shares), num_photos}))


def draw_parts(
    groups: Int[np.ndarray, " P"],
    has_objects: Bool[np.ndarray, " P"],
    draws: int,
    seed: int = 0,
    shares: Sequence[float] = SHARES,
) -> tuple[Part, ...]:
    """Draw the parts of P training photos, in the order of training: all photos first, then in rounds.

    The draws of one size have no photo in common as far as the photos are enough. A part is larger than asked
    if its last group is, or until it has an object.

    groups:      a number for each photo; photos with the same number are in the same parts
    has_objects: whether a photo shows an object
    draws:       the number of parts of each size; at most two of the largest sizes
    """
    *small, total = part_sizes(len(groups), shares)
    numbers = np.random.default_rng(seed).permutation(np.unique(groups))
    members = [np.flatnonzero(groups == number) for number in numbers]
    everything = tuple(range(total))
    by_size = [_draw_size(members, has_objects, size, _draws(size, total, draws)) for size in small]
    by_size.append([Part(draw, everything) for draw in range(1, _draws(total, total, draws) + 1)])
    rounds = [part for draw in range(draws) for of_size in by_size for part in of_size[draw : draw + 1]]
    first = by_size[-1][0]
    return (first, *(part for part in rounds if part is not first))


def _draws(size: int, total: int, draws: int) -> int:
    return min(draws, MAX_LARGE_DRAWS) if 2 * size >= total - 1 else draws


def _draw_size(
    members: Sequence[Int[np.ndarray, " G"]], has_objects: Bool[np.ndarray, " P"], size: int, draws: int
) -> list[Part]:
    """Parts of one size: whole groups in order, each part where the one before ended."""
    position, parts = 0, []
    for draw in range(1, draws + 1):
        chosen: list[int] = []
        for _ in range(len(members)):
            if len(chosen) >= size and has_objects[chosen].any():
                break
            chosen += members[position % len(members)].tolist()
            position += 1
        parts.append(Part(draw, tuple(sorted(chosen))))
    return parts
