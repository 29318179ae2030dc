"""How many validations fit into the time, and on how many photos."""

from __future__ import annotations

import numpy as np
import pytest

from boxmask.training.validation_plan import (
    COUNTERS,
    Validations,
    describe_plan,
    plan_validations,
    sample_photos,
)


@pytest.mark.parametrize(
    ("wanted", "num_photos", "seconds", "at_least", "expected"),
    [
        (3, 40, 12.0, 1, (3, 40)),  # 0.1 seconds per photo: all fits
        (3, 40, 11.0, 1, (2, 40)),  # fewer validations come before fewer photos
        (3, 300, 30.0, 1, (1, 300)),
        (3, 300, 29.0, 1, (2, 145)),  # a sample that is large enough for two
        (3, 300, 15.0, 1, (1, 150)),
        (3, 5000, 60.0, 1, (3, 200)),
        (3, 50, 4.0, 1, (1, 40)),
        (12, 50, 30.0, 4, (6, 50)),  # patience needs several
        (12, 50, 4.0, 4, (4, 10)),
        (3, 50, 0.0, 1, (1, 1)),
    ],
)
def test_validations_fit_into_the_time(
    wanted: int, num_photos: int, seconds: float, at_least: int, expected: tuple[int, int]
) -> None:
    assert plan_validations(wanted, num_photos, 0.1, seconds, at_least) == expected


def test_without_a_speed_all_is_planned() -> None:
    assert plan_validations(3, 40, 0.0, 1.0) == (3, 40)


def test_a_sample_depends_on_the_seed_alone() -> None:
    sample = sample_photos(300, 100, seed=1)
    assert np.array_equal(sample, sample_photos(300, 100, seed=1))
    assert not np.array_equal(sample, sample_photos(300, 100, seed=2))
    assert set(sample_photos(300, 20, seed=1)) < set(sample)
    assert (np.diff(sample) > 0).all()


def test_a_plan_with_less_than_wanted_is_described() -> None:
    end = ", so that this takes a tenth of the time at most"
    assert describe_plan(3, 40, 3, 40) == ""
    assert describe_plan(1, 300, 3, 300) == (
        f"note: the model is validated once, at the end, on all 300 photos instead of 3 times{end}"
    )
    assert describe_plan(2, 145, 3, 300) == (
        f"note: the model is validated 2 times on the same 145 of 300 photos instead of 3 times{end}"
    )
    assert describe_plan(1, 20, 1, 300) == (
        f"note: the model is validated once, at the end, on the same 20 of 300 photos{end}"
    )


def test_slower_validations_than_planned_become_fewer() -> None:
    validations = Validations(planned=5, photos=10, seconds_per_photo=1.0)
    assert validations.seconds_ahead(done=1) == 40
    assert Validations(planned=5, photos=10, reserved=7.0).seconds_ahead(done=1) == 7
    validations.fit_into(25.0, done=1)
    assert validations.planned == 3
    validations.fit_into(0.0, done=1)
    assert validations.planned == 2  # the last one remains


def test_patience_counts_the_validations_since_the_metric_rose() -> None:
    validations = Validations()
    stale = []
    for metric in (0.1, 0.3, 0.3, 0.2, 0.31, 0.0):
        validations.count(metric)
        stale.append(validations.stale)
    assert stale == [0, 0, 1, 2, 0, 1]


def test_saved_counters_give_the_same_plan() -> None:
    validations = Validations(3, 10, 0.5, 6.0, 7.5, 0.25, 1)
    counters = validations.counters()
    assert tuple(counters) == COUNTERS
    assert Validations.from_counters({"best": 1.0, **counters}) == validations
    assert Validations.from_counters({"best": 1.0}) == Validations()
