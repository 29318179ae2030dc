"""Samplers whose photos are repeated, and what a sample key says about the progress."""

from __future__ import annotations

from collections import Counter
from itertools import islice

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from boxmask.training.clock import Clock
from boxmask.training.sampler import BatchSampler, SampleKey, progress_at

TALL, WIDE = (96, 64), (64, 96)
SIZES = [TALL, WIDE, WIDE] * 7
FACTORS = np.where(np.arange(21) % 5 == 0, 2.6, 1.0)


def repeated(first_step: int = 0, seed: int = 0) -> BatchSampler:
    return BatchSampler(SIZES, 4, seed, first_step, FACTORS)


def test_repeated_photos_have_keys_of_their_own() -> None:
    for epoch in range(20):
        keys = [key for batch in repeated().batches(epoch) for key in batch]
        assert len(set(keys)) == len(keys)
        for photo, times in Counter(key.photo for key in keys).items():
            assert {key.repeat for key in keys if key.photo == photo} == set(range(times))
            assert times in ((2, 3) if photo % 5 == 0 else (1, 2))


@settings(max_examples=50, deadline=None)
@given(
    wide=st.lists(st.booleans(), min_size=1, max_size=30),
    batch_size=st.integers(1, 5),
    seed=st.integers(0, 2**32),
)
def test_every_epoch_has_as_many_steps(wide: list[bool], batch_size: int, seed: int) -> None:
    sizes = [WIDE if is_wide else TALL for is_wide in wide]
    factors = np.random.default_rng(seed).choice([1.0, 1.0, 1.4, 3.2], len(sizes))
    sampler = BatchSampler(sizes, batch_size, seed, 0, factors)
    assert {len(sampler.batches(epoch)) for epoch in range(8)} == {sampler.per_epoch}


@pytest.mark.parametrize("first", [0, 1, 8, 9, 23])
def test_a_resumed_training_continues_with_the_same_photos(first: int) -> None:
    whole = list(islice(repeated(), 30))
    assert list(islice(repeated(first), 30 - first)) == whole[first:]


def test_photos_of_one_size_share_a_batch() -> None:
    mixed = [b for b in repeated().batches(0) if len({SIZES[key.photo] for key in b}) > 1]
    assert len(mixed) <= 1


def test_only_repeated_samples_have_other_random_numbers() -> None:
    first = np.random.default_rng((7, 2, 5)).random()
    assert SampleKey(2, 5).generator(7).random() == first
    assert SampleKey(2, 5, progress=0.5).generator(7).random() == first
    assert len({SampleKey(2, 5, repeat).generator(7).random() for repeat in range(4)}) == 4


# ---------------------------------------------------------------- progress


def test_with_steps_the_progress_is_that_of_the_step() -> None:
    sampler = BatchSampler(SIZES, 4, 0, 3, progress=progress_at(Clock(total_steps=12, minutes=0.0)))
    steps = [{key.progress for key in batch} for batch in islice(sampler, 4)]
    assert steps == [{3 / 12}, {4 / 12}, {5 / 12}, {6 / 12}]


def test_with_minutes_the_progress_is_that_of_the_clock() -> None:
    clock = Clock(total_steps=None, minutes=1.0)
    batches = iter(BatchSampler(SIZES, 4, 0, 0, progress=progress_at(clock)))
    assert next(batches)[0].progress < 0.1
    clock.started -= 54
    assert 0.9 <= next(batches)[0].progress < 1
