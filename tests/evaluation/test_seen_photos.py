"""Metrics on photos that the model has seen in training are marked as tainted."""

from __future__ import annotations

from pathlib import Path

import pytest

from boxmask.data.photo_list import PhotoList
from boxmask.data.seen import Seen
from boxmask.evaluation.mark import mark_lines
from boxmask.evaluation.seen_photos import SeenPhotos, find_seen, seen_to_dict


def seen_photos(num_seen: int, num_photos: int) -> SeenPhotos:
    return SeenPhotos({f"{n}.jpg": Seen("runs/a", "train", f"{n}.jpg") for n in range(num_seen)}, num_photos)


@pytest.mark.parametrize(
    ("seen", "count", "remedy"),
    [
        (
            seen_photos(12, 40),
            "12 of 40 photos were seen in training (12 training photos of runs/a)",
            "--unseen evaluates the other 28.",
        ),
        (
            seen_photos(1, 10),
            "1 of 10 photos was seen in training (1 training photo of runs/a)",
            "Only 9 photos would be left without them.",
        ),
        (
            seen_photos(2, 2),
            "2 of 2 photos were seen in training (2 training photos of runs/a)",
            "None is new.",
        ),
    ],
)
def test_the_mark_says_what_was_seen_and_what_to_do(seen: SeenPhotos, count: str, remedy: str) -> None:
    text = f"tainted: {count}. Expect lower metrics on new photos. {remedy}"
    assert seen.describe() == text
    assert [line.plain for line in mark_lines(seen)] == [text]


def test_without_seen_photos_there_is_no_mark() -> None:
    assert mark_lines(seen_photos(0, 3)) == mark_lines(None) == ()
    assert seen_photos(0, 3).count_text == ""


def test_what_is_not_known_is_null() -> None:
    assert seen_to_dict(None) == {"tainted": None, "seen_photos": None}
    assert seen_to_dict(seen_photos(0, 3)) == {"tainted": False, "seen_photos": []}
    assert seen_to_dict(seen_photos(1, 3)) == {
        "tainted": True,
        "seen_photos": [{"photo": "0.jpg", "run": "runs/a", "split": "train", "name": "0.jpg"}],
    }


def test_only_photos_of_the_data_set_count() -> None:
    photos = PhotoList.of(Path("x"), ["a.jpg", "b.jpg"], ["test", "test"])
    assert find_seen(photos) is None
    known = {name: Seen("runs/a", "val", name) for name in ("b.jpg", "c.jpg")}
    object.__setattr__(photos, "seen", known)
    assert find_seen(photos) == SeenPhotos({"b.jpg": known["b.jpg"]}, 2)
