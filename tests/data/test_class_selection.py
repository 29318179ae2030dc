from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.data.conftest import save_photo, voc_xml

from boxmask.data.class_selection import LEFT_OUT, ClassSelection
from boxmask.data.detection.read import read_detection
from boxmask.data.detection.read_labels import read_labels
from boxmask.data.detection.selected_classes import select_classes
from boxmask.data.findings import Findings
from boxmask.errors import UsageError

NAMES = ("bus", "cat", "dog", "red, green")


def choose(*classes: str, renames: tuple[str, ...] = (), strict: bool = True) -> tuple[str, ...]:
    return ClassSelection(classes or None, renames, strict).choose(NAMES).names


def test_classes_are_kept_in_the_order_of_the_data_set() -> None:
    assert choose() == NAMES
    assert choose("dog", "bus") == ("bus", "dog")
    assert choose("dog,bus") == ("bus", "dog")
    assert choose("red, green") == ("red, green",)


def test_classes_are_renamed_and_merged() -> None:
    choice = ClassSelection(None, ("cat=animal", "dog=animal")).choose(NAMES)
    assert choice.names == ("bus", "animal", "red, green")
    assert choice.label_of.tolist() == [0, 1, 1, 2]
    assert choose("animal", renames=("cat=animal", "dog=animal")) == ("animal",)
    assert choose(renames=("cat=dog",)) == ("bus", "dog", "red, green")


def test_a_name_may_hold_an_equals_sign() -> None:
    choice = ClassSelection(None, ("a=b=c",)).choose(("a=b", "d"))
    assert choice.names == ("c", "d")
    choice = ClassSelection(None, ("a=b=c",)).choose(("a", "d"))
    assert choice.names == ("b=c", "d")


def test_unknown_names_are_errors_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match=r'--classes: the labels have no class "dgo"\. Did you mean "dog"\?'):
        choose("dgo")
    with pytest.raises(UsageError, match=r'--map: the labels have no class "Cat"\. Did you mean "cat"\?'):
        choose(renames=("Cat=x",))
    with pytest.raises(UsageError, match="--map cat: expected OLD=NEW, for example Banan=Banana"):
        choose(renames=("cat",))
    assert choose("dog", "horse", renames=("cow=ox",), strict=False) == ("dog",)
    with pytest.raises(UsageError, match='no class "horse"'):
        choose("horse", strict=False)
    with pytest.raises(UsageError, match=r"--classes: give at least one class\. The labels have "):
        ClassSelection(()).choose(("cat", "dog"))
    with pytest.raises(UsageError, match="give at least one class"):
        choose(" ")


@given(st.lists(st.sampled_from("abcdef"), min_size=1, unique=True), st.data())
def test_each_chosen_class_keeps_its_name(names: list[str], data: st.DataObject) -> None:
    kept = data.draw(st.lists(st.sampled_from(names), min_size=1, unique=True))
    choice = ClassSelection(tuple(kept)).choose(names)
    assert set(choice.names) == set(kept)
    for name, label in zip(names, choice.label_of.tolist(), strict=True):
        assert choice.names[label] == name if name in kept else label == LEFT_OUT


@pytest.fixture
def pets(tmp_path: Path) -> Path:
    objects = {
        "a": [("cat", 1, 1, 10, 10), ("dog", 5, 5, 20, 20)],
        "b": [("dog", 2, 2, 12, 12)],
        "c": [("cow", 3, 3, 13, 13)],
    }
    for name, boxes in objects.items():
        save_photo(tmp_path / f"{name}.png")
        (tmp_path / f"{name}.xml").write_text(voc_xml(f"{name}.png", boxes))
    return tmp_path


def test_photos_without_a_chosen_object_stay_as_background(pets: Path) -> None:
    dataset = read_detection(pets, selection=ClassSelection(("dog", "ox"), ("cow=ox",)))
    assert dataset.class_names == ("dog", "ox")
    assert np.diff(dataset.offsets).tolist() == [1, 1, 1]
    assert dataset.boxes[0].tolist() == [4, 4, 20, 20]
    assert [dataset.class_names[label] for label in dataset.labels] == ["dog", "dog", "ox"]
    only_cats = read_detection(pets, selection=ClassSelection(("cat",)))
    assert np.diff(only_cats.offsets).tolist() == [1, 0, 0]
    notes = [note for note in only_cats.notes if note.startswith("Classes that --classes leaves out")]
    assert notes == [
        f'Classes that --classes leaves out (2):\n  {pets}: "cow": 1 object\n  {pets}: "dog": 2 objects'
    ]


def test_bad_boxes_of_other_classes_do_not_matter(pets: Path) -> None:
    path = pets / "c.xml"
    path.write_text(voc_xml("c.png", [("cow", 9, 9, 9, 9)]))
    dataset = read_detection(pets, selection=ClassSelection(("cat",)), on_bad_boxes="error")
    assert len(dataset) == 3


def test_attributes_follow_their_classes(pets: Path) -> None:
    labels = read_labels(pets, Findings())
    colors = {"cat": {"color": "red"}, "dog": {"color": "blue"}, "cow": {"color": "green"}}
    labels = replace(labels, attributes=replace(labels.attributes, classes=colors))

    def select(*renames: str, classes: tuple[str, ...] | None = None) -> object:
        return select_classes(labels, ClassSelection(classes, renames), Findings()).attributes.classes

    assert select("cat=Cat") == {"Cat": colors["cat"], "dog": colors["dog"], "cow": colors["cow"]}
    assert select("cat=dog", classes=("dog",)) == {"dog": colors["dog"]}
    assert select("cat=pet", "dog=pet", classes=("pet",)) in ({"pet": colors["cat"]}, {"pet": colors["dog"]})
