"""Sampling of matched candidates (anchors or proposals) for training."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import NamedTuple

import torch
from jaxtyping import Int
from torch import Tensor
from torch.nn import functional as F

from boxmask.geometry.boxes import constant
from boxmask.geometry.matching import BACKGROUND

ROWS_PER_DRAW = 16  # up to this many candidates per sampled one, a full shuffle is faster


class Samples(NamedTuple):
    """Candidates sampled from each photo of a batch: photo by photo, positive ones first.

    photos:   (S,) the photo of each
    rows:     (S,) its row among the candidates of its photo
    places:   (S,) its row among the candidates of all photos, one photo after another
    positive: (P,) which of the S are positive
    counts:   number of samples of each photo
    """

    photos: Int[Tensor, " S"]
    rows: Int[Tensor, " S"]
    places: Int[Tensor, " S"]
    positive: Int[Tensor, " P"]
    counts: list[int]


def sample(
    matched: Sequence[Int[Tensor, " N"]],
    count: int,
    positive_fraction: float,
    generator: torch.Generator | None = None,
) -> Samples:
    """Sample at most `count` candidates of each photo at random, given what each matched: B x (N,).

    At most `positive_fraction` of `count` are positive; the rest are negative. Random numbers are generated
    on the CPU, so that every device gives the same sample. A GPU is waited for once, to count the candidates.
    """
    flat, starts = torch.cat(list(matched)), list(accumulate(map(len, matched), initial=0))
    # how many candidates of the same kind precede each one, in all photos: positive ones, then negative ones
    before = F.pad(torch.cat([flat >= 0, flat == BACKGROUND]).cumsum(0), (1, 0))
    ends = before[constant([*starts, *(start + len(flat) for start in starts)], before)].tolist()
    kinds = zip(pairwise(ends[: len(starts)]), pairwise(ends[len(starts) :]), strict=True)
    numbers, counts = [], []
    for (first, last), (first_negative, last_negative) in kinds:
        positive = min(last - first, int(count * positive_fraction))
        negative = min(last_negative - first_negative, count - positive)
        numbers.append(first + draw(last - first, positive, generator))
        numbers.append(first_negative + draw(last_negative - first_negative, negative, generator))
        counts.append((positive, negative))
    kinds_of = [(photo, starts[photo], shift) for photo in range(len(counts)) for shift in (1, len(flat) + 1)]
    columns = torch.tensor(kinds_of).repeat_interleave(torch.tensor(counts).flatten(), dim=0)
    table = torch.cat([torch.cat(numbers)[None] + 1, columns.T])
    number, photos, start, shift = table.to(flat.device, non_blocking=True)
    places = torch.searchsorted(before, number) - shift
    return Samples(photos, places - start, places, _positive(counts, flat), [sum(pair) for pair in counts])


def _positive(counts: list[tuple[int, int]], like: Tensor) -> Int[Tensor, " P"]:
    """Which samples are positive, from the numbers of positive and negative ones of each photo."""
    rows = torch.arange(sum(map(sum, counts)))
    parts = rows.split([number for pair in counts for number in pair])
    return torch.cat(parts[::2]).to(like.device, non_blocking=True)


def sample_rows(rows: Int[Tensor, " N"], count: int) -> Int[Tensor, " C"]:
    """Sample at most `count` of the rows without replacement."""
    return rows[draw(len(rows), count).to(rows.device, non_blocking=True)]


def draw(length: int, count: int, generator: torch.Generator | None = None) -> Int[Tensor, " C"]:
    """Draw at most `count` of the numbers 0 to `length` - 1 without replacement."""
    if length > ROWS_PER_DRAW * count:
        return first_of_shuffle(length, count, generator)
    return torch.randperm(length, generator=generator)[:count]


def first_of_shuffle(length: int, count: int, generator: torch.Generator | None = None) -> Int[Tensor, " C"]:
    """The first `count` of the numbers 0 to `length` - 1 in random order.

    Shuffling 150,000 anchors to sample 256 takes as long as a hundred launches of a kernel. This takes the
    first `count` steps of Fisher and Yates' shuffle: step n swaps the number at n with one at or after n.
    """
    draws = torch.randint(2**62, (count,), generator=generator)
    places = (torch.arange(count) + draws % torch.arange(length, length - count, -1)).tolist()
    moved: dict[int, int] = {}
    order = []
    for step, place in enumerate(places):
        order.append(moved.get(place, place))
        moved[place] = moved.get(step, step)
    return torch.tensor(order, dtype=torch.int64)
