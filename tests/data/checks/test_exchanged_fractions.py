"""Exchanged fractions fit their photos, but change the shapes of boxes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from boxmask.data.checks.examination import Examination
from boxmask.data.checks.exchanged_fractions import check_exchanged_fractions
from boxmask.data.findings import Finding

Make = Callable[..., Examination]
Find = Callable[..., list[Finding]]
SIZES = [(160, 208), (160, 208), (208, 160)] * 10
SHAPES = {"ring": 1.0, "stick": 0.3, "plank": 3.0}


def scene(
    examination_of: Make,
    sizes: list[tuple[int, int]],
    is_exchanged: bool,
    seed: int = 0,
    follows_photo: float = 0.0,
) -> Examination:
    """Three objects per photo, each with the shape of its class, more or less.

    follows_photo: how much the shapes of objects follow that of their photo: the slope
    """
    rng = np.random.default_rng(seed)
    objects = []
    for photo, size in enumerate(sizes):
        edges = np.array(size[::-1], dtype=np.float64)
        for name in rng.choice(list(SHAPES), 3):
            shape = SHAPES[name] * np.exp(rng.normal(0, 0.25)) * (edges[0] / edges[1]) ** follows_photo
            sides = np.minimum(np.array([np.sqrt(shape), 1 / np.sqrt(shape)]) * 45, 0.9 * edges)
            corner = rng.uniform(0, edges - sides)
            fractions = np.concatenate([corner, corner + sides]) / np.tile(edges, 2)
            order = [1, 0, 3, 2] if is_exchanged else [0, 1, 2, 3]
            objects.append((photo, str(name), fractions[order] * np.tile(edges, 2)))
    return examination_of(objects, files=len(sizes), sizes=sizes)


def test_exchanged_fractions_are_found(examination_of: Make, found_by: Find) -> None:
    found = found_by(check_exchanged_fractions, scene(examination_of, SIZES, is_exchanged=True))
    assert [finding.kind.id for finding in found] == ["coordinates-exchanged"]
    assert "in 30 photos" in found[0].detail


@settings(deadline=None, max_examples=100)
@given(seed=st.integers(0, 10_000), follows_photo=st.floats(0, 1))
def test_sound_labels_have_no_finding(
    examination_of: Make, found_by: Find, seed: int, follows_photo: float
) -> None:
    sound = scene(examination_of, SIZES, False, seed, follows_photo)
    assert found_by(check_exchanged_fractions, sound) == []


@pytest.mark.parametrize(
    "sizes",
    [
        [(160, 208)] * 30,  # photos of one shape show no slope
        [(200, 200)] * 30,
        SIZES[:9],  # few photos
        [*[(160, 208)] * 29, (208, 160)],  # one photo decides
    ],
)
def test_photos_that_show_no_slope(
    examination_of: Make, found_by: Find, sizes: list[tuple[int, int]]
) -> None:
    assert found_by(check_exchanged_fractions, scene(examination_of, sizes, is_exchanged=True)) == []


def test_close_ups_have_a_slope_of_one(examination_of: Make, found_by: Find) -> None:
    objects = [(photo, "cat", [2, 3, size[1] - 3, size[0] - 2]) for photo, size in enumerate(SIZES)]
    assert found_by(check_exchanged_fractions, examination_of(objects, files=30, sizes=SIZES)) == []


def test_no_objects(examination_of: Make, found_by: Find) -> None:
    assert found_by(check_exchanged_fractions, examination_of(files=2)) == []
