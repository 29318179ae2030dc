"""The photo size: a pure function of the labels, the passes and the preset's size."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from boxmask.training.fitting.limits import FEW_PASSES, MAX_SMALL_SHARE, MIN_PASSES, SIZES
from boxmask.training.fitting.size import SizeChoice, Wording, candidate_sizes, choose_size

PRESET = 320


@st.composite
def choices(draw: Any, timed: bool | None = None) -> dict[int, SizeChoice]:
    """Small objects become fewer with the size, and so do the passes."""
    preset = draw(st.sampled_from((240, PRESET, 400)))
    sizes = candidate_sizes(preset, draw(st.floats(50, 2000)))
    shares = sorted(draw(st.lists(st.floats(0, 1), min_size=len(sizes), max_size=len(sizes))), reverse=True)
    timed = draw(st.booleans()) if timed is None else timed
    at_preset = draw(st.floats(0.01, 1000))
    passes = [at_preset * (preset / size) ** 2 if timed else None for size in sizes]
    rows = zip(sizes, shares, passes, strict=True)
    return {size: SizeChoice(size, share, count) for size, share, count in rows}


def test_candidates_are_no_larger_than_twice_the_photos_or_the_preset() -> None:
    assert candidate_sizes(320, 1000) == list(SIZES)
    assert candidate_sizes(320, 200) == [256, 320, 384]
    assert candidate_sizes(320, 20) == [256, 320]
    assert candidate_sizes(300, 150) == [256, 300]


@settings(deadline=None)
@given(choices())
def test_the_choice_is_one_of_the_candidates_and_does_not_depend_on_their_order(
    given_choices: dict[int, SizeChoice],
) -> None:
    for preset in given_choices:
        size = choose_size(given_choices, preset)
        assert size in given_choices
        assert size == choose_size(dict(reversed(given_choices.items())), preset)


@settings(deadline=None)
@given(choices(timed=True))
def test_a_larger_size_is_chosen_only_for_small_objects_and_with_enough_passes(
    given_choices: dict[int, SizeChoice],
) -> None:
    for preset in given_choices:
        size = choose_size(given_choices, preset)
        if size > preset:
            assert given_choices[size].passes >= MIN_PASSES  # type: ignore[operator]
            assert given_choices[preset].small_share > MAX_SMALL_SHARE


@settings(deadline=None)
@given(choices(timed=True))
def test_a_smaller_size_is_chosen_only_for_want_of_passes_and_without_small_objects(
    given_choices: dict[int, SizeChoice],
) -> None:
    for preset in given_choices:
        size = choose_size(given_choices, preset)
        if size < preset:
            assert given_choices[preset].passes < FEW_PASSES  # type: ignore[operator]
            assert given_choices[size].small_share <= MAX_SMALL_SHARE


@settings(deadline=None)
@given(choices(timed=True), st.floats(1, 10))
def test_more_time_never_gives_a_smaller_size(given_choices: dict[int, SizeChoice], factor: float) -> None:
    longer = {
        size: SizeChoice(size, choice.small_share, factor * (choice.passes or 0))
        for size, choice in given_choices.items()
    }
    for preset in given_choices:
        assert choose_size(longer, preset) >= choose_size(given_choices, preset)


@settings(deadline=None)
@given(choices(timed=False))
def test_without_measurements_only_the_labels_decide(given_choices: dict[int, SizeChoice]) -> None:
    for preset in given_choices:
        large = [s for s, c in given_choices.items() if s >= preset and c.small_share <= MAX_SMALL_SHARE]
        assert choose_size(given_choices, preset) == min(large, default=max(given_choices))


@pytest.mark.parametrize(
    ("shares", "passes", "chosen", "sentence"),
    [
        (
            (0.5, 0.33, 0.2, 0.05),
            (97, 62, 43, 31),
            480,
            "size: 480 px: 31 passes over 448 photos in your 15 minutes (384 px: 43 passes, but 20 % of the "
            "objects smaller than 32 px)",
        ),
        (
            (0.0, 0.0, 0.0, 0.0),
            (97, 62, 43, 31),
            320,
            "size: 320 px: 62 passes over 448 photos in your 15 minutes (384 px: 43 passes)",
        ),
        (
            (0.5, 0.33, 0.2, 0.05),
            (60, 40, 27, 18),
            320,
            "size: 320 px: 40 passes over 448 photos in your 15 minutes, but 33 % of the objects smaller "
            "than 32 px (384 px: 27 passes)",
        ),
        (
            (0.9, 0.8, 0.7, 0.6),
            (200, 150, 120, 80),
            480,
            "size: 480 px: 80 passes over 448 photos in your 15 minutes (384 px: 120 passes, but 70 % of the "
            "objects smaller than 32 px)",
        ),
        (
            (0.05, 0.0, 0.0, 0.0),
            (1.6, 1.0, 0.7, 0.4),
            256,
            "size: 256 px: 1.6 passes over 448 photos in your 15 minutes (320 px: 1 pass)",
        ),
        (
            (0.5, 0.33, 0.2, 0.05),
            (None, None, None, None),
            480,
            "size: 480 px, with 5 % of the objects smaller than 32 px (384 px: 20 % of the objects smaller "
            "than 32 px)",
        ),
    ],
)
def test_the_choice_in_words(
    shares: tuple[float, ...], passes: tuple[float | None, ...], chosen: int, sentence: str
) -> None:
    rows = zip((256, 320, 384, 480), shares, passes, strict=True)
    given_choices = {size: SizeChoice(size, share, count) for size, share, count in rows}
    assert choose_size(given_choices, PRESET) == chosen
    minutes = None if passes[0] is None else 15.0
    assert Wording(448, minutes, 32, 1).describe(given_choices, chosen) == sentence


def test_shares_of_several_classes_are_means_over_classes() -> None:
    given_choices = {256: SizeChoice(256, 0.2, 50.0), 320: SizeChoice(320, 0.05, 30.0)}
    sentence = Wording(1, 6.0, 32, 3).describe(given_choices, 320)
    assert "(256 px: 50 passes, but 20 % of the objects of an average class smaller than 32 px)" in sentence
