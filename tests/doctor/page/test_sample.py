"""The sample of photos: every class and split, whatever their numbers."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np

from boxmask.data.findings import Location
from boxmask.data.formats.labels import Labels, PhotoEntry
from boxmask.doctor.page.sample import sample_photos


def labels_of(
    classes: list[list[int]], splits: list[str] | None = None, missing: tuple[int, ...] = ()
) -> Labels:
    """A photo per list of the classes in it."""
    photo_of = np.repeat(np.arange(len(classes)), [len(each) for each in classes])
    count = len(photo_of)
    photos = [
        PhotoEntry(
            f"{n}.jpg",
            Location("labels.csv"),
            split=splits[n] if splits else None,
            missing_name=f"{n}.jpg" if n in missing else "",
        )
        for n in range(len(classes))
    ]
    return Labels(
        root=Path(),
        class_names=tuple(map(str, range(1 + max((max(each) for each in classes if each), default=0)))),
        photos=photos,
        photo_of=photo_of,
        boxes=np.tile([1.0, 1.0, 5.0, 5.0], (count, 1)),
        extents=np.full((count, 2), 4.0),
        labels=np.array([label for each in classes for label in each], dtype=np.int64),
        areas=np.full(count, np.nan),
        crowd=np.zeros(count, bool),
        difficult=np.zeros(count, bool),
        location=lambda row: Location("labels.csv", row + 1),
        box_form="corners",
    )


def test_few_photos_are_all_chosen() -> None:
    assert sorted(sample_photos(labels_of([[0], [], [1, 1]]), 60)) == [0, 1, 2]
    assert sample_photos(labels_of([]), 60) == []


def test_missing_photos_are_not_chosen() -> None:
    assert sorted(sample_photos(labels_of([[0], [0], [0]], missing=(1,)), 60)) == [0, 2]


def test_rare_classes_and_small_splits_are_shown() -> None:
    classes = [[0]] * 1000 + [[1]] * 20 + [[2]]
    splits = ["train"] * 980 + ["test"] * 41
    chosen = sample_photos(labels_of(classes, splits), 30)
    assert len(chosen) == len(set(chosen)) == 30
    numbers = Counter((splits[photo], classes[photo][0]) for photo in chosen)
    assert numbers.pop(("test", 2)) == 1
    assert set(numbers) == {("train", 0), ("test", 0), ("test", 1)}
    assert set(numbers.values()) <= {9, 10}


def test_photos_without_objects_are_few() -> None:
    chosen = sample_photos(labels_of([[]] * 500 + [[0, 1]] * 500), 40)
    assert 4 <= sum(photo < 500 for photo in chosen) <= 12


def test_photos_come_from_the_whole_data_set() -> None:
    chosen = sample_photos(labels_of([[0]] * 900), 60)
    assert all(10 <= number <= 30 for number in Counter(photo // 300 for photo in chosen).values())


def test_each_photo_shows_another_one_of_many_classes() -> None:
    classes = np.random.default_rng(0).integers(0, 2000, (20_000, 1)).tolist()
    chosen = sample_photos(labels_of(classes), 60)
    assert len({classes[photo][0] for photo in chosen}) == 60
