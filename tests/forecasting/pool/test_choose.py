from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from boxmask.forecasting.pool.choose import choose, farthest_first


def at(*degrees: float) -> np.ndarray:
    angles = np.radians(degrees)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


def test_farthest_first_avoids_labeled_and_chosen_photos() -> None:
    chosen = farthest_first(at(5, 90, 92, 180, 45), labeled=at(0), count=3)
    assert [index for index, _ in chosen] == [3, 1, 4]
    assert chosen[0][1] == pytest.approx(2)
    assert [distance for _, distance in chosen] == sorted((d for _, d in chosen), reverse=True)


def test_fewer_photos_than_asked_for_are_all_chosen_once() -> None:
    assert sorted(index for index, _ in farthest_first(at(10, 10, 20), at(0), 9)) == [0, 1, 2]


def test_only_photos_with_disagreement_are_candidates() -> None:
    photos = [Path(f"{number}.jpg") for number in range(20)]
    disagreements = np.linspace(1, 0, 20)
    chosen = choose(photos, disagreements, at(*range(0, 180, 9)), at(0), count=2, models=3)
    assert chosen.photos[0].photo.name == "7.jpg"
    assert chosen.photos[1].photo.name in ("3.jpg", "4.jpg")
    assert chosen.sentence() == (
        "Label next: 2 photos of 20. Of the 8 on which 3 models disagree most, they are the least like the "
        "labeled photos and one another."
    )
