from __future__ import annotations

import numpy as np
import pytest

from boxmask.errors import UsageError
from boxmask.forecasting.parts import draw_parts, part_sizes


def sizes(parts: tuple[object, ...]) -> list[int]:
    return sorted(len(part.photos) for part in parts)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("photos", "expected"), [(200, (25, 50, 100, 200)), (18, (4, 9, 18)), (12, (4, 6, 12))]
)
def test_sizes(photos: int, expected: tuple[int, ...]) -> None:
    assert part_sizes(photos) == expected


def test_too_few_photos_are_refused() -> None:
    with pytest.raises(
        UsageError, match="11 training photos are too few for a forecast: expected 12 or more"
    ):
        part_sizes(11)


def test_all_photos_come_first_and_small_parts_share_no_photo() -> None:
    parts = draw_parts(np.arange(200), np.ones(200, dtype=bool), draws=3)
    assert sizes(parts) == [25, 25, 25, 50, 50, 50, 100, 100, 200, 200]
    assert parts[0].photos == tuple(range(200))
    for size in (25, 50, 100):
        photos = [photo for part in parts if len(part.photos) == size for photo in part.photos]
        assert len(set(photos)) == len(photos)
    assert len({part.name for part in parts}) == len(parts)


def test_groups_stay_together() -> None:
    groups = np.arange(60) // 4
    for part in draw_parts(groups, np.ones(60, dtype=bool), draws=3):
        chosen = np.bincount(groups[list(part.photos)], minlength=15)
        assert set(chosen.tolist()) <= {0, 4}


def test_a_part_grows_until_it_has_an_object() -> None:
    has_objects = np.zeros(40, dtype=bool)
    has_objects[7] = True
    assert all(7 in part.photos for part in draw_parts(np.arange(40), has_objects, draws=2))


def test_the_seed_decides() -> None:
    draw = [draw_parts(np.arange(40), np.ones(40, dtype=bool), 2, seed) for seed in (0, 0, 1)]
    assert draw[0] == draw[1] != draw[2]
