"""Class names that may mean the same class."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from boxmask.data.checks.examination import Examination
from boxmask.data.checks.similar_class_names import (
    CLASS_NAMES_SIMILAR,
    check_similar_class_names,
    similar_names,
)
from boxmask.data.classification.read import read_classification
from boxmask.data.findings import Finding
from boxmask.doctor.check import check_data


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("Banan", "Banana"),
        ("banana", "Banana"),
        ("bananna", "banana"),
        ("banaan", "banana"),
        ("traffic light", "Traffic-Light"),
        ("traffic light", "trafficlight"),
        ("trafficLight", "traffic_light"),
        ("cat", "cats"),
        ("box", "boxes"),
        ("bus", "buses"),
        ("berry", "berries"),
        ("tomato", "Tomatoes"),
        ("café", "cafe"),
        ("Straße", "STRASSE"),
        ("strawberry", "strawbery"),
        ("strawberry", "strawbarry"),
        ("strawberries", "strawbery"),
        ("red helmet", "red helmt"),
        ("class 1", "class1"),
        ("A", "a"),
    ],
)
def test_similar(name: str, other: str) -> None:
    assert similar_names([name, "something else", other]) == [(0, 2)]
    assert similar_names([other, name]) == [(0, 1)]


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("class1", "class2"),
        ("class1", "class11"),
        ("type a", "type b"),
        ("typeA", "typeB"),
        ("A1", "B1"),
        ("left", "right"),
        ("left hand", "right hand"),
        ("cat", "car"),
        ("car", "cart"),
        ("truck", "track"),
        ("lock", "clock"),
        ("male", "female"),
        ("helmet", "no helmet"),
        ("with_mask", "without_mask"),
        ("ripe", "unripe"),
        ("glass", "glas s e"),
        ("banana", "ananas"),
        ("1", "2"),
        ("10", "100"),
        ("дом", "том"),
        ("犬", "猫"),
    ],
)
def test_not_similar(name: str, other: str) -> None:
    assert similar_names([name, other]) == []


def test_the_rarer_class_is_reported_with_both_counts(
    examination_of: Callable[..., Examination], found_by: Callable[..., list[Finding]]
) -> None:
    box = (5.0, 5, 50, 50)
    objects = [(0, "Banan", box), (0, "Banana", box), (1, "Banana", box)]
    found = found_by(check_similar_class_names, examination_of(objects, files=2))
    assert [str(finding) for finding in found] == [
        'labels.csv:1: "Banana" (2 objects) and "Banan" (1 object)'
    ]
    unused = found_by(check_similar_class_names, examination_of([], classes=["cat", "Cat"]))
    assert unused[0].detail == '"cat" (0 objects) and "Cat" (0 objects)'


def test_a_pair_is_reported_once(tmp_path: Path) -> None:
    for red, folder in enumerate(("Banan", "Banana", "pear")):
        (tmp_path / folder).mkdir()
        for green in range(5):
            Image.new("RGB", (8, 8), (50 * red, 50 * green, 0)).save(tmp_path / folder / f"{green}.png")
    found = [finding for finding in check_data(tmp_path) if finding.kind == CLASS_NAMES_SIMILAR]
    assert [finding.detail for finding in found] == ['"Banan" (5 objects) and "Banana" (5 objects)']
    notes = [note for note in read_classification(tmp_path).notes if CLASS_NAMES_SIMILAR.heading in note]
    assert len(notes) == 1


def test_thousands_of_names_take_seconds() -> None:
    start = time.perf_counter()
    similar_names([f"thing {number} of sort {number % 7}" for number in range(3000)])
    assert time.perf_counter() - start < 10


@given(st.lists(st.text(max_size=12), max_size=8, unique=True))
def test_any_names_can_be_compared(names: list[str]) -> None:
    pairs = similar_names(names)
    assert len(set(pairs)) == len(pairs)
    assert all(first < second for first, second in pairs)
