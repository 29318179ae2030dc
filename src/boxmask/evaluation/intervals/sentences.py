"""What a comparison says in plain sentences: which model is better, and what the photos cannot tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from boxmask.evaluation.intervals.difference import Difference
from boxmask.evaluation.seen_photos import ENOUGH
from boxmask.messages import format_count

POWER = 1.43
"""A difference of this many times half the interval is found four times in five: the normal distribution has
97.5 % below 1.96 and 80 % below 0.84, and (1.96 + 0.84) / 1.96 = 1.43."""


def describe_comparison(
    metric: str,
    values: Mapping[str, float | None],
    differences: Sequence[Difference],
    photos: int,
    methods: Mapping[str, str | None] | None = None,
    *,
    grouped: bool = False,
) -> tuple[str, ...]:
    """Sentences on a comparison of models on the same photos.

    values:      the metric of each model, by name
    differences: of all pairs, from `compare_all_results`
    photos:      number of photos; of their groups if they are grouped
    methods:     the method of each model, by name; models with the same one are trainings with several seeds
    grouped:     whether the split kept photos together that belong together
    """
    return (
        *_against_the_best(values, differences),
        *_size_of_the_test_set(metric, differences, photos, grouped),
        *_one_training_each(values, methods or {}),
    )


def describe_folds(folds: int) -> str:
    """What folds are, for whoever reads metrics over all of them."""
    return (
        f"The photos are in {folds} parts, called folds. Each method was trained once per fold, without the "
        "photos of that fold, and tested on them. So every photo is a test photo once. Metrics are over all "
        "photos; minutes are those of one training."
    )


def smallest_visible_difference(differences: Sequence[Difference]) -> float | None:
    """The difference that a paired test on these photos would find four times in five.

    Half the length of an interval is found every second time. None without intervals.
    """
    halves = [(pair.interval.high - pair.interval.low) / 2 for pair in differences if pair.interval]
    return POWER * float(np.median(halves)) if halves else None


def _against_the_best(
    values: Mapping[str, float | None], differences: Sequence[Difference]
) -> tuple[str, ...]:
    """The model with the highest metric against each of the others."""
    measured = {name: value for name, value in values.items() if value is not None}
    if not measured:
        return ()
    best = max(measured, key=measured.__getitem__)
    pairs = [pair for pair in differences if best in (pair.first, pair.second)]
    return tuple((pair if pair.first == best else pair.reversed()).describe() for pair in pairs)


def _size_of_the_test_set(
    metric: str, differences: Sequence[Difference], photos: int, grouped: bool
) -> tuple[str, ...]:
    """What the test set is too small for."""
    smallest = smallest_visible_difference(differences)
    if smallest is None:
        return ()
    counted, wanted, more = format_count(photos, "photo"), f"{ENOUGH} test photos", "more test photos"
    if grouped:
        counted = f"{format_count(photos, 'group')} of photos that belong together"
        wanted, more = f"{ENOUGH} groups", "test photos of more groups"
    if photos < ENOUGH:
        label = "Label test photos of" if grouped else "Label"
        return (f"With {counted}, intervals are rough. {label} at least {wanted}, or better, 100.",)
    if all(pair.is_real for pair in differences):
        return ()
    return (
        f"With {counted}, a difference of {smallest:.3f} {metric} is found four times in five. "
        f"Smaller differences often go unnoticed: label {more} to see them.",
    )


def _one_training_each(
    values: Mapping[str, float | None], methods: Mapping[str, str | None]
) -> tuple[str, ...]:
    """What intervals over photos do not say, unless a method was trained several times and shows it."""
    known = [method for name in values if (method := methods.get(name)) is not None]
    if len(values) < 2 or len(set(known)) < len(known):
        return ()
    return (
        "The intervals are for the choice of photos: they do not say how much another training of the same "
        "method would differ. Train with several seeds to see that.",
    )
