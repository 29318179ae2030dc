"""Only the photos that are chosen, for example by their split, must be intact."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from boxmask.data.classification.read import read_unsplit_classification
from boxmask.data.detection.read import read_unsplit_detection
from boxmask.data.photo_list import PhotoList, SelectPhotos
from boxmask.data.segmentation.read import read_unsplit_segmentation
from boxmask.errors import LabelError, PhotoError

Write = Callable[..., Path]
Damage = Callable[[Path], object]

DAMAGES: dict[str, Damage] = {
    "deleted content": lambda path: path.write_bytes(b""),
    "truncated": lambda path: path.write_bytes(path.read_bytes()[:-40]),
    "no image": lambda path: path.write_text("text"),
}


def only(*stems: str) -> SelectPhotos:
    def select(photos: PhotoList) -> PhotoList:
        chosen = [number for number, file in enumerate(photos.files.tolist()) if Path(file).stem in stems]
        return photos.subset(np.array(chosen, dtype=np.int64))

    return select


def noise(path: Path, size: tuple[int, int] = (40, 60)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(len(str(path.name))).integers(0, 255, (*size, 3), dtype=np.uint8)
    Image.fromarray(pixels + np.uint8(sum(path.name.encode()) % 7)).save(path)


def stems(dataset: Any) -> list[str]:
    return [Path(file).stem for file in dataset.files]


# ---------------------------------------------------------------- the list


def test_files_are_sorted_with_their_splits() -> None:
    photos = PhotoList.of(Path("r"), ["b", "c", "a"], ["val", "", "train"])
    assert photos.files.tolist() == ["a", "b", "c"]
    assert photos.splits.tolist() == ["train", "val", ""]
    assert photos.counts().shape == (3, 0)


def test_photos_are_left_out_with_a_note() -> None:
    photos = PhotoList.of(Path("r"), ["a", "b", "c"], [""] * 3).without(["b"], ("left out: b",))
    assert photos.files.tolist() == ["a", "c"]
    assert photos.notes == ("left out: b",)


def test_an_empty_list() -> None:
    photos = PhotoList.of(Path("r"), [], [])
    assert len(photos) == 0
    assert len(photos.without([], ())) == 0


def test_splits_and_notes_of_the_list_reach_the_data_set(write_voc: Write) -> None:
    root = write_voc({name: [("cat", 3, 3, 20, 20)] for name in "abc"})

    def select(photos: PhotoList) -> PhotoList:
        chosen = photos.subset(np.array([2, 0]))
        return PhotoList(photos.root, chosen.files, np.array(["val", "test"]), ("chosen",))

    dataset = read_unsplit_detection(root, select=select)
    assert stems(dataset) == ["c", "a"]
    assert dataset.splits.tolist() == ["val", "test"]
    assert dataset.notes[-1] == "chosen"


# ---------------------------------------------------------------- every task


@pytest.mark.parametrize("damage", DAMAGES)
def test_detection(write_voc: Write, damage: str) -> None:
    root = write_voc({name: [("cat", 3, 3, 20, 20)] for name in "abc"})
    for name in "abc":
        noise(root / f"JPEGImages/{name}.jpg")
    DAMAGES[damage](root / "JPEGImages/b.jpg")
    with pytest.raises(PhotoError, match=r"b\.jpg"):
        read_unsplit_detection(root)
    with pytest.raises(PhotoError, match=r"b\.jpg"):
        read_unsplit_detection(root, select=only("b", "c"))
    dataset = read_unsplit_detection(root, select=only("a", "c"))
    assert stems(dataset) == ["a", "c"]
    assert not [note for note in dataset.notes if "b.jpg" in note]


def test_a_missing_photo_of_another_split(write_voc: Write) -> None:
    root = write_voc({name: [("cat", 3, 3, 20, 20)] for name in "abc"})
    (root / "JPEGImages/b.jpg").unlink()
    with pytest.raises(LabelError, match="do not exist"):
        read_unsplit_detection(root, select=only("a", "b"))
    assert stems(read_unsplit_detection(root, select=only("a", "c"))) == ["a", "c"]


@pytest.mark.parametrize("damage", DAMAGES)
def test_label_maps(tmp_path: Path, damage: str) -> None:
    for name in "abcd":
        noise(tmp_path / f"images/{name}.jpg")
        labels = np.zeros((40, 60), np.uint8)
        labels[5:20, 5:20] = 1
        (tmp_path / "masks").mkdir(exist_ok=True)
        Image.fromarray(labels).save(tmp_path / f"masks/{name}.png")
    (tmp_path / "classes.txt").write_text("ground\ncat\n")
    DAMAGES[damage](tmp_path / "images/b.jpg")
    DAMAGES[damage](tmp_path / "masks/d.png")
    with pytest.raises(PhotoError, match=r"b\.jpg"):
        read_unsplit_segmentation(tmp_path, select=only("a", "b"))
    with pytest.raises(LabelError, match=r"d\.png"):
        read_unsplit_segmentation(tmp_path, select=only("a", "d"))
    dataset = read_unsplit_segmentation(tmp_path, select=only("a", "c"))
    assert stems(dataset) == ["a", "c"]
    assert dataset.pixel_counts.tolist() == [[40 * 60 - 225, 225]] * 2


@pytest.mark.parametrize("damage", DAMAGES)
def test_class_folders(tmp_path: Path, damage: str) -> None:
    for file in ("cat/a.png", "cat/bb.png", "dog/ccc.png", "dog/dddd.png"):
        noise(tmp_path / file)
    DAMAGES[damage](tmp_path / "cat/bb.png")
    with pytest.raises(PhotoError, match=r"bb\.png"):
        read_unsplit_classification(tmp_path, select=only("a", "bb"))
    dataset = read_unsplit_classification(tmp_path, select=only("a", "ccc"))
    assert stems(dataset) == ["a", "ccc"]
    assert dataset.class_names == ("cat", "dog")
    assert dataset.sizes.tolist() == [[40, 60]] * 2
