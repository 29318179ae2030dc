"""Labels in percent, for resized copies, or with x and y exchanged; and sound labels that look similar."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from boxmask.data.checks.examination import Examination
from boxmask.data.checks.exchanged_coordinates import check_exchanged_coordinates
from boxmask.data.checks.scaled_coordinates import check_scaled_coordinates
from boxmask.data.findings import Finding, Findings

Make = Callable[..., Examination]
Change = Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.float64]]
ONE_SIZE = [(160, 208)] * 30
ORIENTED = [(160, 208), (160, 208), (208, 160)] * 10
MIXED = [(200 + 20 * n, 300 + 13 * n) for n in range(30)]


def scene(examination_of: Make, sizes: list[tuple[int, int]], change: Change, seed: int = 0) -> Examination:
    """Five objects per photo at random places; `change` gets corners (5, 2, 2) and (width, height)."""
    rng = np.random.default_rng(seed)
    objects = []
    for photo, size in enumerate(sizes):
        edges = np.array(size[::-1], dtype=np.float64)
        first = rng.uniform(0, edges * 0.85, (5, 2))
        last = np.minimum(first + rng.uniform(15, 60, (5, 2)), edges)
        for box in change(np.stack([first, last], axis=1), edges).reshape(-1, 4):
            objects.append((photo, "cat", box))
    return examination_of(objects, files=len(sizes), sizes=sizes)


def found_in(examination: Examination) -> list[Finding]:
    findings = Findings()
    check_exchanged_coordinates(examination, findings)
    check_scaled_coordinates(examination, findings)
    return list(findings)


@pytest.mark.parametrize("sizes", [ONE_SIZE, ORIENTED, MIXED])
@pytest.mark.parametrize(
    ("change", "kind", "words"),
    [
        (lambda box, edges: box / edges * 100, "coordinates-percent", "values from 0 to 100"),
        (lambda box, edges: box * 2, "coordinates-scaled", "divide all coordinates by 2"),
        (lambda box, edges: box * 1.5, "coordinates-scaled", "divide all coordinates by 1.5"),
        (lambda box, edges: box / 2, "coordinates-scaled", "multiply all coordinates by 2"),
        (lambda box, edges: box / 4, "coordinates-scaled", "multiply all coordinates by 4"),
        (lambda box, edges: box / edges * 640, "coordinates-scaled", "640 × 640 pixels"),
        (lambda box, edges: box[:, :, ::-1], "coordinates-exchanged", "fit with x and y exchanged"),
    ],
)
def test_wrong_coordinates_are_found(
    examination_of: Make, sizes: list[tuple[int, int]], change: Change, kind: str, words: str
) -> None:
    found = found_in(scene(examination_of, sizes, change))
    assert [finding.kind.id for finding in found] == [kind]
    assert words in found[0].detail
    assert found[0].photo
    assert found[0].location.file == "labels.csv"


def test_copies_with_one_longer_side(examination_of: Make) -> None:
    found = found_in(scene(examination_of, MIXED, lambda box, edges: box / edges.max() * 800))
    assert "multiply all coordinates by the longer side of the photo and divide by 800" in found[0].detail


@pytest.mark.parametrize(
    "change",
    [
        lambda box, edges: box,
        lambda box, edges: edges * 0.15 + box * 0.7,  # objects avoid all edges
        lambda box, edges: edges * 0.5 + box * 0.5,  # in the lower right
        lambda box, edges: box * 0.9,  # hardly smaller
        lambda box, edges: np.concatenate([box[:2], box[2:] * 1.02]),  # drawn carelessly
        lambda box, edges: np.concatenate([box[:4], box[4:] + edges]),  # some boxes are outside
        lambda box, edges: box * np.array([0.55, 1]),  # objects stand at the left
        lambda box, edges: box * np.array([0.5, 0.7]),  # objects in a part of the scene of another shape
        lambda box, edges: np.stack([box.mean(axis=1), box.mean(axis=1) + box[:, 1] - box[:, 0]], axis=1),
        lambda box, edges: np.stack(
            [box[:, 0], box[:, 0] + box[:, 1]], axis=1
        ),  # corners: a check of its own
    ],
)
@pytest.mark.parametrize("sizes", [ONE_SIZE, ORIENTED, MIXED])
def test_labels_that_are_right_or_wrong_otherwise(
    examination_of: Make, sizes: list[tuple[int, int]], change: Change
) -> None:
    assert found_in(scene(examination_of, sizes, change)) == []


def test_few_photos_show_nothing(examination_of: Make) -> None:
    for change in (lambda box, edges: box / 2, lambda box, edges: box * 2):
        assert found_in(scene(examination_of, ONE_SIZE[:9], change)) == []


def test_square_photos_do_not_show_an_exchange(examination_of: Make) -> None:
    assert found_in(scene(examination_of, [(200, 200)] * 30, lambda box, edges: box[:, :, ::-1])) == []


def test_percent_of_small_square_photos(examination_of: Make) -> None:
    found = found_in(scene(examination_of, [(160, 160)] * 30, lambda box, edges: box / edges * 100))
    assert [finding.kind.id for finding in found] == ["coordinates-percent"]


def test_photos_of_about_100_pixels_are_not_in_percent(examination_of: Make) -> None:
    assert found_in(scene(examination_of, [(110, 110)] * 60, lambda box, edges: box / edges * 100)) == []


def test_rotated_photos_are_left_to_the_check_of_sizes(examination_of: Make) -> None:
    examination = scene(examination_of, ONE_SIZE, lambda box, edges: box[:, :, ::-1])
    photos = [replace(photo, declared_size=(208, 160)) for photo in examination.labels.photos]
    rotated = replace(examination, labels=replace(examination.labels, photos=photos))
    assert found_in(rotated) == []


def test_fractions_have_a_check_of_their_own(examination_of: Make) -> None:
    assert found_in(scene(examination_of, MIXED, lambda box, edges: box / edges)) == []


def test_unknown_sizes_show_nothing(examination_of: Make) -> None:
    examination = scene(examination_of, ONE_SIZE, lambda box, edges: box)
    unknown = replace(examination, sizes=np.zeros_like(examination.sizes))
    assert found_in(unknown) == []


def test_no_objects(examination_of: Make) -> None:
    assert found_in(examination_of()) == []


@settings(deadline=None, max_examples=50)
@given(seed=st.integers(0, 10_000), sizes=st.sampled_from([ONE_SIZE, ORIENTED, MIXED]))
def test_random_scenes_are_sound(examination_of: Make, seed: int, sizes: list[tuple[int, int]]) -> None:
    assert found_in(scene(examination_of, sizes, lambda box, edges: box, seed)) == []


@settings(deadline=None, max_examples=50)
@given(seed=st.integers(0, 10_000), factor=st.floats(1.3, 8), is_smaller=st.booleans())
def test_the_factor_is_estimated_to_a_few_percent(
    examination_of: Make, seed: int, factor: float, is_smaller: bool
) -> None:
    scale = 1 / factor if is_smaller else factor
    found = found_in(scene(examination_of, ONE_SIZE, lambda box, edges: box * scale, seed))
    is_percent = [finding.kind.id for finding in found] == ["coordinates-percent"]
    assert len(found) == 1
    assert is_percent or float(found[0].detail.split()[-1]) == pytest.approx(factor, rel=0.04)
