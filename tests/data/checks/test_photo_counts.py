"""Photos without objects, small splits, and paths that collide."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

import pytest

from boxmask.data.checks.examination import Examination
from boxmask.data.checks.photo_counts import check_background_share, check_photo_paths, check_split_sizes
from boxmask.data.findings import Finding

Make = Callable[..., Examination]
Find = Callable[..., list[Finding]]


@pytest.mark.parametrize(("num_labeled", "is_found"), [(7, False), (6, True), (0, True)])
def test_many_photos_without_objects(
    examination_of: Make, found_by: Find, num_labeled: int, is_found: bool
) -> None:
    objects = [(photo, "cat", (1.0, 1, 9, 9)) for photo in range(num_labeled)]
    found = found_by(check_background_share, examination_of(objects, files=10, classes=["cat"]))
    assert len(found) == is_found
    if num_labeled == 6:
        assert str(found[0]) == "data: 4 of 10 photos (40 %); the first: 006.jpg"


def test_no_photos_have_no_share(examination_of: Make, found_by: Find) -> None:
    assert found_by(check_background_share, examination_of(files=0)) == []


def test_small_splits(examination_of: Make, found_by: Find) -> None:
    splits = ["train"] * 30 + ["val"] * 9 + ["test"] * 10
    found = found_by(check_split_sizes, examination_of(files=49, splits=splits))
    assert [finding.detail for finding in found] == ["val: 9 photos"]
    assert found_by(check_split_sizes, examination_of(files=3)) == []


@pytest.mark.parametrize(
    ("file", "other"),
    [
        ("a/photo.jpg", "a/Photo.JPG"),
        ("A/photo.jpg", "a/photo.jpg"),
        ("caf\u00e9.jpg", unicodedata.normalize("NFD", "caf\u00e9.jpg")),
        ("Stra\u00dfe.jpg", "STRASSE.jpg"),
    ],
)
def test_paths_that_collide(examination_of: Make, found_by: Find, file: str, other: str) -> None:
    found = found_by(check_photo_paths, examination_of(files=[file, "b.jpg", other]))
    assert len(found) == 1
    assert {found[0].photo, *found[0].related} == {file, other}


def test_other_paths_do_not_collide(examination_of: Make, found_by: Find) -> None:
    assert (
        found_by(check_photo_paths, examination_of(files=["a/x.jpg", "b/x.jpg", "a/x.png", "a/x.jpg"])) == []
    )
