"""Photos without objects, small splits, and paths that collide."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

import pytest

from boxmask.data.checks.examination import Examination
from boxmask.data.checks.photo_counts import (
    check_background_share,
    check_photo_paths,
    check_photos_without_objects,
    check_split_sizes,
)
from boxmask.data.findings import Finding, Findings, Kind, Location
from boxmask.data.formats.kinds import ENTRY_UNREADABLE, FILE_UNREADABLE, PHOTO_WITHOUT_LABEL

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


@pytest.mark.parametrize(("num_labeled", "is_found"), [(24, False), (23, True), (22, False)])
def test_single_photos_without_objects(
    examination_of: Make, found_by: Find, num_labeled: int, is_found: bool
) -> None:
    objects = [(photo, "cat", (1.0, 1, 9, 9)) for photo in range(num_labeled)]
    found = found_by(check_photos_without_objects, examination_of(objects, files=24, classes=["cat"]))
    assert [finding.photo for finding in found] == ["023.jpg"] * is_found
    if is_found:
        assert found[0].detail == "023.jpg has no object; 23 of 24 photos have some"


@pytest.mark.parametrize(
    ("kind", "photo", "num_left_out"),
    [(PHOTO_WITHOUT_LABEL, "023.jpg", 0), (FILE_UNREADABLE, "", 0), (ENTRY_UNREADABLE, "", 2)],
)
def test_photos_whose_labels_are_unknown(
    examination_of: Make, kind: Kind, photo: str, num_left_out: int
) -> None:
    objects = [(photo, "cat", (1.0, 1, 9, 9)) for photo in range(23)]
    examination = examination_of(objects, files=24, classes=["cat"])
    file = examination.labels.photos[23].location.file
    findings = Findings()
    findings.add(Finding(kind, Location(file), "", photo, num_left_out=num_left_out))
    check_photos_without_objects(examination, findings)
    assert len(findings) == 1


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
