"""Folders of photos, one per class: layouts, splits, and what is refused or noted."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from boxmask.data.class_checks import check_training_classes
from boxmask.data.class_selection import ClassSelection
from boxmask.data.classification.read import (
    read_class_folders,
    read_classification,
    read_unsplit_classification,
)
from boxmask.data.split_file import write_split_file
from boxmask.errors import LabelError, PhotoError

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Photos of these names, each with pixels of its own; gives the root."""

    def make(files: Sequence[str], size: tuple[int, int] = (12, 16)) -> Path:
        root = tmp_path / "things"
        for number, file in enumerate(files):
            path = root / file
            path.parent.mkdir(parents=True, exist_ok=True)
            pixels = np.random.default_rng(number).integers(0, 256, (*size, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(path.with_suffix(".png"))
            path.with_suffix(".png").rename(path)
        return root

    return make


def many(*classes: str, count: int = 10, above: str = "") -> list[str]:
    return [f"{above}{name}/{number:02}.png" for name in classes for number in range(count)]


# ---------------------------------------------------------------- layouts


def test_each_folder_is_a_class(write: Write) -> None:
    dataset = read_classification(write([*many("cat"), "dög/deeper/still/a.JPG", "dög/b.png", "dög/c.png"]))
    assert dataset.class_names == ("cat", "dög")
    assert len(dataset) == 13
    named = dict(zip(dataset.files.tolist(), dataset.labels.tolist(), strict=True))
    assert named["dög/deeper/still/a.JPG"] == 1
    assert named["cat/00.png"] == 0
    for item in range(len(dataset)):
        assert dataset.path(item).is_file()
        assert dataset.target(item).label == dataset.labels[item]
        assert dataset.photo(item).shape == (3, 12, 16)
    assert dataset.sizes.tolist() == [[12, 16]] * 13


def test_folders_in_two_unicode_forms_are_one_class(write: Write) -> None:
    forms = [unicodedata.normalize(form, "dög") for form in ("NFC", "NFD")]
    dataset = read_classification(write([*many("cat", "Cat", count=3), *many(*forms, count=2)]))
    assert dataset.class_names == ("Cat", "cat", forms[0])
    notes = "\n".join(dataset.notes)
    assert f'count as one class (1):\n  {dataset.root / forms[1]}: "{forms[0]}" (2 spellings)' in notes
    assert f'Classes with similar names (1):\n  {dataset.root}: "Cat" and "cat"' in notes


def test_splits_are_drawn_photo_by_photo_with_every_class_in_train(write: Write) -> None:
    root = write([*many("cat", count=20), *many("dog", count=1), *many("owl", count=9)])
    dataset = read_classification(root, split_seed=3)
    assert [len(dataset.split(name)) for name in ("train", "val", "test")] == [21, 3, 6]
    assert set(dataset.split("train").labels) == {0, 1, 2}
    assert "drew 20% for test and 10% for val from 30 photos with seed 3" in dataset.notes[-1]
    again, other = read_classification(root, split_seed=3), read_classification(root, split_seed=4)
    assert again.fingerprint() == dataset.fingerprint() != other.fingerprint()
    assert check_training_classes(dataset.photos) == ()


def test_split_folders(write: Write) -> None:
    files = [
        file
        for above, count in (("Train/", 6), ("valid/", 2), ("test/", 3))
        for file in many("a", "b", count=count, above=above)
    ]
    dataset = read_classification(write(files))
    assert dataset.class_names == ("a", "b")
    assert [len(dataset.split(name)) for name in ("train", "val", "test")] == [12, 4, 6]
    assert set(dataset.split("val").files) == {f"valid/{c}/{n:02}.png" for c in "ab" for n in range(2)}
    assert dataset.notes == ()


def test_only_a_train_folder(write: Write) -> None:
    dataset = read_classification(write(many("a", "b", count=10, above="train/")))
    assert [len(dataset.split(name)) for name in ("train", "val", "test")] == [14, 2, 4]


def test_a_class_may_be_called_train(write: Write) -> None:
    assert read_classification(write(many("bus", "train"))).class_names == ("bus", "train")


def test_a_class_name_may_begin_like_a_split(write: Write) -> None:
    assert read_classification(write(many("test_tubes", "train-wheels"))).class_names == (
        "test_tubes",
        "train-wheels",
    )


def test_folders_beside_split_folders_are_refused(write: Write) -> None:
    root = write([*many("a", "b", above="train/"), "extra/c/1.png"])
    with pytest.raises(
        LabelError,
        match=r"Class folders beside split folders(.|\n)*/extra: beside train\n(.|\n)*out of this folder",
    ):
        read_classification(root)


def test_a_split_file(write: Write, tmp_path: Path) -> None:
    root = write(many("a", "b"))
    dataset = read_classification(root, split_seed=5)
    write_split_file(dataset.photos, tmp_path / "split.json")
    again = read_classification(root, split_file=tmp_path / "split.json")
    assert again.splits.tolist() == dataset.splits.tolist()
    assert again.fingerprint() == dataset.fingerprint()


def test_reading_without_splits(write: Write) -> None:
    """One class is enough for an evaluation, and no split is drawn."""
    dataset = read_unsplit_classification(write(many("cat", count=2)))
    assert dataset.splits.tolist() == ["", ""]
    assert dataset.notes == ()


# ---------------------------------------------------------------- what is odd


def test_a_single_class_is_refused(write: Write) -> None:
    with pytest.raises(LabelError, match="found one class, cat"):
        read_classification(write(many("cat")))


def test_photos_beside_the_class_folders_and_other_files_are_noted(write: Write) -> None:
    root = write([*many("a", "b"), "loose.png"])
    (root / "a" / "about.txt").write_text("a")
    (root / "b" / "notes.TXT").write_text("b")
    (root / "a" / "clip.mp4").write_bytes(b"x")
    (root / ".hidden").mkdir()
    notes = read_classification(root).notes
    assert notes[0] == "not used: 2 .txt, 1 .mp4 (video)"
    assert notes[1] == f"Photos without labels (1):\n  {root / 'loose.png'}: left out: in no class folder"
    assert len(notes) == 3  # and the draw


@pytest.mark.parametrize("above", ["", "train/"])
def test_an_empty_class_folder_is_noted(write: Write, above: str) -> None:
    root = write(many("a", "b", above=above))
    (root / above / "owl" / "deeper").mkdir(parents=True)
    dataset = read_classification(root)
    assert dataset.class_names == ("a", "b")
    assert dataset.notes[0].startswith("Class folders without photos (1):\n")
    assert dataset.notes[0].endswith("/owl")


@pytest.mark.parametrize("files", [["1.png", "2.png"], ["train/1.png", "test/2.png"], []])
def test_photos_outside_class_folders_only_are_refused(
    write: Write, tmp_path: Path, files: list[str]
) -> None:
    (tmp_path / "things").mkdir()
    write(files)
    with pytest.raises(LabelError, match=r"no class folders found: .*\. Give a folder with one"):
        read_classification(tmp_path / "things")


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LabelError, match="gone: no such folder"):
        read_classification(tmp_path / "gone")
    (tmp_path / "file.txt").write_text("x")
    with pytest.raises(LabelError, match=r"file\.txt: this is a file"):
        read_classification(tmp_path / "file.txt")


def test_copies_in_two_classes_are_refused(write: Write) -> None:
    root = write(many("a", "b"))
    (root / "b" / "copy.png").write_bytes((root / "a" / "03.png").read_bytes())
    with pytest.raises(
        LabelError,
        match=r"more than once \(1\):\n.*a/03.png: in another class: the same file as b/copy.png\nKeep one",
    ):
        read_classification(root)


def test_copies_within_a_class_are_noted(write: Write) -> None:
    root = write(many("a", "b"))
    (root / "a" / "copy.png").write_bytes((root / "a" / "03.png").read_bytes())
    (root / "a" / "link.png").symlink_to(root / "a" / "03.png")
    notes = read_classification(root).notes
    assert notes[0].startswith("Copies of photos (1):")
    assert notes[0].endswith("a/03.png: the same file as a/copy.png, a/link.png")


def test_an_unreadable_photo_is_refused(write: Write) -> None:
    root = write(many("a", "b"))
    (root / "b" / "torn.png").write_bytes(b"\x89PNG")
    (root / "b" / "lost.png").symlink_to(root / "nowhere.png")
    with pytest.raises(PhotoError, match=r"torn\.png") as caught:
        read_classification(root)
    assert "lost.png" in str(caught.value)


def test_a_photo_of_any_form_is_an_item(write: Write) -> None:
    root = write(many("a", "b", count=3))
    Image.new("L", (1, 1), 7).save(root / "a" / "gray.png")
    photos = read_class_folders(root)
    dataset = read_unsplit_classification(root)
    item = dataset.files.tolist().index("a/gray.png")
    assert dataset.photo(item).tolist() == [[[7]], [[7]], [[7]]]
    assert photos.counted.all()
    assert photos.target(item).boxes.tolist() == [[0, 0, 1, 1]]


def test_classes_of_folders_are_kept_and_merged(write: Write) -> None:
    root = write([f"{name}/{index}.png" for name in ("cat", "cow", "dog", "ox") for index in range(3)])
    selection = ClassSelection(("dog", "cattle"), ("cow=cattle", "ox=cattle"))
    dataset = read_classification(root, selection=selection)
    assert dataset.class_names == ("cattle", "dog")
    folders = [file.split("/")[0] for file in dataset.files.tolist()]
    names = [dataset.class_names[label] for label in dataset.labels.tolist()]
    assert set(zip(folders, names, strict=True)) == {("cow", "cattle"), ("ox", "cattle"), ("dog", "dog")}
    assert "left out: 3 photos of classes that --classes does not name" in dataset.notes


def test_a_run_inside_the_data_set_is_no_class(write: Write) -> None:
    root = write([*many("cat", "dog"), "runs/classifier-1/curve.png"])
    run = root / "runs" / "classifier-1"
    for name in ("recipe.json", "split.json"):
        (run / name).write_text("{}")
    dataset = read_classification(root)
    assert dataset.class_names == ("cat", "dog")
    assert f"left out: folders of trainings:\n  {run}" in dataset.notes
    assert not any("runs" in note for note in dataset.notes if not note.startswith("left out"))
