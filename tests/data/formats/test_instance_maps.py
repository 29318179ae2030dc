"""Instance maps: numbers become objects, and label maps of classes are not taken for them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from boxmask.data.detection.read import read_detection
from boxmask.data.detection.read_labels import has_detection_labels
from boxmask.errors import LabelError

Save = Callable[..., None]

NUMBERS = np.zeros((40, 60), dtype=np.uint16)
NUMBERS[5:15, 10:30] = 7  # with a part of its own at the other end
NUMBERS[35:, 50:] = 7
NUMBERS[8:12, 15:20] = 300  # within the other one


def save_numbers(path: Path, numbers: NDArray[Any] = NUMBERS) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(numbers).save(path)


@pytest.fixture
def root(tmp_path: Path, save_photo: Save) -> Path:
    """Two photos, one without objects."""
    for stem, numbers in (("a", NUMBERS), ("b", NUMBERS * 0)):
        save_photo(tmp_path / f"images/{stem}.jpg")
        save_numbers(tmp_path / f"labels/{stem}.png", numbers)
    return tmp_path


def test_each_number_is_an_object(root: Path) -> None:
    dataset = read_detection(root)
    assert dataset.class_names == ("object",)
    assert dataset.files.tolist() == ["images/a.jpg", "images/b.jpg"]
    assert dataset.offsets.tolist() == [0, 2, 2]
    assert dataset.boxes.tolist() == [[10, 5, 60, 40], [15, 8, 20, 12]]
    assert dataset.areas.tolist() == [230, 20]
    masks = dataset.masks(0)
    assert masks is not None
    assert np.array_equal(masks.dense(), [NUMBERS == 7, NUMBERS == 300])
    assert has_detection_labels(root)


@pytest.mark.parametrize(
    ("photo", "label"),
    [
        ("images/a.png", "masks/a.png"),
        ("Images/a.jpeg", "Masks/a.TIF"),
        ("photos/deep/a.jpg", "mask/deep/a.tiff"),
        ("train/images/a.jpg", "train/labels/a.png"),
        ("images/train/a.jpg", "labels/train/a.png"),
        ("images/a.jpg", "label-maps/a.png"),
    ],
)
def test_photos_are_found_beside_the_maps(tmp_path: Path, save_photo: Save, photo: str, label: str) -> None:
    save_photo(tmp_path / photo)
    save_numbers(tmp_path / label)
    dataset = read_detection(tmp_path)
    assert dataset.files.tolist() == [photo]
    assert len(dataset.boxes) == 2


def test_folders_may_name_the_splits(tmp_path: Path, save_photo: Save) -> None:
    for split in ("train", "valid", "test"):
        save_photo(tmp_path / split / "images/a.jpg")  # the same name in each
        save_numbers(tmp_path / split / "labels/a.png")
    dataset = read_detection(tmp_path)
    assert dict(zip(dataset.files.tolist(), dataset.splits.tolist(), strict=True)) == {
        "test/images/a.jpg": "test",
        "train/images/a.jpg": "train",
        "valid/images/a.jpg": "val",
    }


@pytest.mark.parametrize("kind", [np.uint16, np.int32])
def test_numbers_of_16_and_32_bits(root: Path, kind: type) -> None:
    save_numbers(root / "labels/c.tif", NUMBERS.astype(kind))
    Image.new("RGB", (60, 40)).save(root / "images/c.png")
    dataset = read_detection(root)
    assert dataset.boxes[dataset.rows(2)].tolist() == [[10, 5, 60, 40], [15, 8, 20, 12]]


def test_very_large_numbers(root: Path) -> None:
    numbers = NUMBERS.astype(np.int32) * 5_000_000
    save_numbers(root / "labels/a.tif", numbers)
    (root / "labels/a.png").unlink()
    dataset = read_detection(root)
    assert dataset.boxes.tolist() == [[10, 5, 60, 40], [15, 8, 20, 12]]
    numbers[:] = 2_000_000_000  # no background at all
    save_numbers(root / "labels/a.tif", numbers)
    assert read_detection(root).boxes.tolist() == [[0, 0, 60, 40]]


def test_a_photo_of_one_pixel(root: Path) -> None:
    Image.new("L", (1, 1)).save(root / "images/a.jpg")
    save_numbers(root / "labels/a.png", np.ones((1, 1), dtype=np.uint16))
    dataset = read_detection(root)
    assert dataset.boxes.tolist() == [[0, 0, 1, 1]]


def test_no_photo_has_an_object(root: Path) -> None:
    save_numbers(root / "labels/a.png", NUMBERS * 0)
    dataset = read_detection(root)
    assert (len(dataset), len(dataset.boxes), dataset.masks(0)) == (2, 0, None)


# ---------------------------------------------------------------- the name of the class


def test_the_classes_file_names_the_class(root: Path) -> None:
    (root / "classes.txt").write_text("\ncell nucleus \n")
    assert read_detection(root).class_names == ("cell nucleus",)


@pytest.mark.parametrize(("text", "found"), [("cat\ndog\n", "found 2: cat, dog"), ("\n", "found none")])
def test_a_classes_file_without_exactly_one_class_is_refused(root: Path, text: str, found: str) -> None:
    (root / "classes.txt").write_text(text)
    with pytest.raises(LabelError, match=rf"classes\.txt: expected the name of one class, {found}"):
        read_detection(root)


# ---------------------------------------------------------------- what is something else


@pytest.mark.parametrize("mode", ["L", "P", "RGB", "1"])
def test_images_of_8_bits_or_colors_are_not_instance_maps(
    tmp_path: Path, save_photo: Save, mode: str
) -> None:
    save_photo(tmp_path / "images/a.jpg")
    (tmp_path / "masks").mkdir()
    Image.new(mode, (60, 40), 1).save(tmp_path / "masks/a.png")
    with pytest.raises(LabelError, match=r"(?s)no labels found.*\n  instance maps"):
        read_detection(tmp_path)
    assert not has_detection_labels(tmp_path)


def test_other_label_formats_come_first(root: Path, coco: Callable[..., dict[str, Any]]) -> None:
    (root / "instances.json").write_text(json.dumps(coco([(1, "a.jpg")])))
    dataset = read_detection(root)
    assert dataset.class_names == ("cat", "dog")
    assert len(dataset.boxes) == 0


def test_photos_of_16_bits_are_not_taken_for_instance_maps(tmp_path: Path) -> None:
    save_numbers(tmp_path / "images/a.png")
    save_numbers(tmp_path / "more/a.png")
    with pytest.raises(LabelError, match="no labels found"):
        read_detection(tmp_path)


def test_instance_maps_without_photos_are_not_recognized(tmp_path: Path) -> None:
    save_numbers(tmp_path / "labels/a.png")
    with pytest.raises(LabelError, match="no labels found"):
        read_detection(tmp_path)


# ---------------------------------------------------------------- errors


def refused(root: Path, message: str) -> None:
    with pytest.raises(LabelError, match=message):
        read_detection(root)


def test_images_of_another_kind_among_instance_maps_are_refused(root: Path) -> None:
    Image.new("L", (60, 40)).save(root / "labels/b.png")
    refused(
        root,
        r"cannot be read \(1\):\n  .*labels/b\.png: gray of 8 bits, unlike the other instance maps. Instance",
    )
    (root / "labels/b.png").write_text("no image")
    refused(root, r"labels/b\.png: this file is not an image")


def test_an_instance_map_without_a_photo_is_refused(root: Path) -> None:
    (root / "images/b.jpg").unlink()
    refused(root, r"that do not exist \(1\):\n  .*labels/b\.png: images/b\nAdd the photos")


def test_photos_without_an_instance_map_are_left_out_and_noted(root: Path, save_photo: Save) -> None:
    save_photo(root / "images/c.jpg")
    dataset = read_detection(root)
    assert len(dataset) == 2
    photo = root / "images/c.jpg"
    assert dataset.notes[0] == f"Photos without labels (1):\n  {photo}: left out: no label names it"


def test_two_maps_for_one_photo_are_refused(root: Path) -> None:
    save_numbers(root / "masks/a.png")
    refused(root, r"labels/a\.png: may belong to the same photo: masks/a\.png and images/a\.jpg\n")


def test_two_photos_for_one_map_are_refused(root: Path, save_photo: Save) -> None:
    save_photo(root / "images/b.png")
    refused(root, r"images/b\.jpg and images/b\.png")


def test_a_map_of_another_size_than_its_photo_is_refused(root: Path) -> None:
    save_numbers(root / "labels/a.png", NUMBERS[:30])
    refused(
        root,
        r"(?s)differ in size from their photo \(1\):.*labels/a\.png: images/a\.jpg is 60 × 40, not 60 × 30",
    )


def test_negative_numbers_are_refused(root: Path) -> None:
    (root / "labels/a.png").unlink()
    save_numbers(root / "labels/a.tif", NUMBERS.astype(np.int32) - 1)
    refused(root, r"labels/a\.tif: expected object numbers of 0 or more, found -1")


def test_several_pages_are_refused(root: Path) -> None:
    (root / "labels/a.png").unlink()
    page = Image.fromarray(NUMBERS)
    page.save(root / "labels/a.tif", save_all=True, append_images=[page, page])
    refused(root, r"labels/a\.tif: expected an instance map of one page, found 3")


def test_a_damaged_instance_map_is_refused(root: Path) -> None:
    file = root / "labels/a.png"
    file.write_bytes(file.read_bytes()[:60])
    with pytest.raises(LabelError, match=r"labels/a\.png: this photo is damaged"):
        read_detection(root)


# ---------------------------------------------------------------- a real set


def test_dsb2018_is_the_same_from_instance_maps_and_coco(shared_data: Path, tmp_path: Path) -> None:
    for folder in ("images", "labels"):
        (tmp_path / folder).symlink_to(shared_data / "dsb2018" / folder)
    ours, theirs = read_detection(tmp_path), read_detection(shared_data / "dsb2018")
    assert ours.files.tolist() == theirs.files.tolist()
    for photo in range(len(ours)):
        per_set = []
        for dataset in (ours, theirs):
            masks = dataset.masks(photo)
            assert masks is not None
            assert np.array_equal(masks.boxes(), dataset.boxes[dataset.rows(photo)])
            per_set.append(
                {(tuple(w), crop.tobytes()) for w, crop in zip(masks.windows, masks.crops(), strict=True)}
            )
        assert per_set[0] == per_set[1]


# ---------------------------------------------------------------- one number for all objects


@pytest.mark.parametrize(
    ("number", "second", "is_noted"), [(255, 255, True), (1, 1, True), (1, 2, False), (65535, 65535, True)]
)
def test_one_number_in_separate_parts_of_all_maps_is_noted(
    tmp_path: Path, number: int, second: int, is_noted: bool
) -> None:
    for name, value in (("a", number), ("b", second)):
        pixels = np.zeros((40, 60), dtype=np.uint16)
        pixels[5:10, 5:10] = value
        if name == "a":
            pixels[20:30, 20:30] = value
        (tmp_path / "images").mkdir(exist_ok=True)
        (tmp_path / "labels").mkdir(exist_ok=True)
        Image.fromarray(pixels).save(tmp_path / f"labels/{name}.png")
        Image.new("L", (60, 40)).save(tmp_path / f"images/{name}.png")
    notes = [note for note in read_detection(tmp_path).notes if "only number in all instance maps" in note]
    assert len(notes) == is_noted
    if is_noted:
        assert notes[0].startswith("Instance maps whose objects all have the same number (1):\n")
        assert f"labels/a.png: {number} is the only number" in notes[0]
