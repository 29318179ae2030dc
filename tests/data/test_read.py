"""Recognition by looking, photos held against their labels, and the real sets."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import ExifTags, Image

from boxmask.data.read import read_dataset
from boxmask.data.split import check_classes
from boxmask.errors import LabelError, PhotoError
from boxmask.pipeline.photos import load_photo

Write = Callable[..., Path]
Make = Callable[..., dict[str, Any]]
CAT = ("cat", 5, 6, 25, 30)


# ---------------------------------------------------------------- recognition


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(LabelError, match="there is no such file or folder"):
        read_dataset(tmp_path / "absent")
    with pytest.raises(LabelError, match=r"no labels found.*found nothing"):
        read_dataset(tmp_path)


def test_an_unknown_format_says_what_was_looked_for_and_found(
    tmp_path: Path, save_photo: Callable[..., None]
) -> None:
    save_photo(tmp_path / "images/a.jpg")
    save_photo(tmp_path / "images/b.jpg")
    (tmp_path / "a.txt").write_text("0 0.5 0.5 1 1")
    (tmp_path / "settings.json").write_text('{"colour": 1}')
    with pytest.raises(LabelError, match=r"Pascal VOC.* or COCO JSON.*; found 2 \.jpg, 1 \.txt, 1 \.json"):
        read_dataset(tmp_path)


def test_labels_in_two_formats_are_not_chosen_between(write_voc: Write, coco: Make) -> None:
    root = write_voc({"a": [CAT]})
    (root / "labels.json").write_text(json.dumps(coco([(1, "a.jpg")])))
    with pytest.raises(LabelError, match=r"several formats .*Annotations/a\.xml.*labels\.json"):
        read_dataset(root)
    assert len(read_dataset(root / "labels.json")) == 1
    assert len(read_dataset(root / "Annotations")) == 1


def test_hidden_files_are_not_looked_at(write_voc: Write) -> None:
    root = write_voc({"a": [CAT]})
    (root / "Annotations/._a.xml").write_bytes(b"\0<annotation rubbish")
    (root / ".ipynb_checkpoints").mkdir()
    (root / ".ipynb_checkpoints/a.xml").write_text("<annotation rubbish")
    assert len(read_dataset(root)) == 1


def test_links_to_folders_are_followed_once(write_voc: Write, tmp_path: Path) -> None:
    root = write_voc({"a": [CAT]})
    (root / "JPEGImages").rename(tmp_path / "elsewhere")
    (root / "JPEGImages").symlink_to(tmp_path / "elsewhere")
    (root / "loop").symlink_to(root)
    assert read_dataset(root).files.tolist() == ["JPEGImages/a.jpg"]


# ---------------------------------------------------------------- photos


def test_a_photo_without_a_readable_header_is_named(write_voc: Write) -> None:
    root = write_voc({stem: [CAT] for stem in "abc"})
    (root / "JPEGImages/a.jpg").write_bytes((root / "JPEGImages/a.jpg").read_bytes()[:20])
    (root / "JPEGImages/b.jpg").write_text("no photo")
    with pytest.raises(PhotoError, match=r"cannot be read \(2\):\n.*a\.jpg: .*\n.*b\.jpg: "):
        read_dataset(root)


def test_a_declared_size_that_differs_is_noted_and_the_real_one_wins(
    write_voc: Write, voc_xml: Callable[..., str]
) -> None:
    root = write_voc({"a": [CAT], "b": [CAT], "c": [CAT]})
    (root / "Annotations/a.xml").write_text(voc_xml("a.jpg", [CAT], (400, 600)))
    (root / "Annotations/b.xml").write_text(voc_xml("b.jpg", [CAT], (0, 0)))
    (root / "Annotations/c.xml").write_text(voc_xml("c.jpg", [CAT], None))
    dataset = read_dataset(root)
    assert dataset.sizes.tolist() == [[40, 60]] * 3
    said = [note for note in dataset.notes if "declared sizes" in note]
    assert len(said) == 1
    assert said[0].endswith("Annotations/a.xml:2 JPEGImages/a.jpg is 60 × 40, not 600 × 400")


def test_a_size_declared_before_the_exif_orientation_is_noted_as_such(
    write_coco: Write, coco: Make, annotation: Make
) -> None:
    root = write_coco(coco([(1, "a.jpg")], [annotation(1, 1, [2, 30, 20, 28])]))
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    Image.new("RGB", (60, 40)).save(root / "images/a.jpg", exif=exif)
    dataset = read_dataset(root)
    assert dataset.sizes.tolist() == [[60, 40]]
    assert load_photo(dataset.path(0)).shape == (60, 40, 3)
    assert dataset.boxes.tolist() == [[2, 30, 22, 58]]  # within the photo as it is shown
    assert "a.jpg is 40 × 60, not 60 × 40, before its EXIF orientation turns it" in dataset.notes[0]


# ---------------------------------------------------------------- the real sets


@pytest.mark.parametrize(
    ("name", "photos", "objects", "classes", "splits"),
    [
        ("bccd", 364, 4886, 3, (205, 87, 72)),
        ("raccoon", 200, 217, 1, (140, 20, 40)),
        ("coco_ccby", 38, 220, 80, (26, 4, 8)),
        ("fruits_nuts", 18, 165, 3, (12, 2, 4)),
        ("dsb2018", 82, 3833, 1, (58, 8, 16)),
    ],
)
def test_real_sets(
    shared_data: Path, name: str, photos: int, objects: int, classes: int, splits: tuple[int, ...]
) -> None:
    start = time.perf_counter()
    dataset = read_dataset(shared_data / name)
    assert time.perf_counter() - start < 5
    assert (len(dataset), len(dataset.boxes), len(dataset.class_names)) == (photos, objects, classes)
    assert tuple(len(dataset.split(split)) for split in ("train", "val", "test")) == splits
    assert check_classes(dataset) == ()
    assert len(dataset.notes) == 1
    targets = [dataset.target(photo) for photo in range(photos)]  # boxes are checked at birth
    assert sum(len(target.boxes) for target in targets) == objects
    assert load_photo(dataset.path(0)).shape[:2] == tuple(dataset.sizes[0])


def test_bccd_says_what_it_left_out(shared_data: Path) -> None:
    note = read_dataset(shared_data / "bccd").notes[0]
    assert note.startswith("left out 2 one-pixel boxes: ")
    assert "BloodImage_00338.xml:158" in note
    assert "BloodImage_00343.xml:50" in note


def test_coco_boxes_agree_with_pycocotools(shared_data: Path) -> None:
    coco = pytest.importorskip("pycocotools.coco").COCO(shared_data / "coco_ccby/instances.json")
    dataset = read_dataset(shared_data / "coco_ccby")
    for photo, image_id in enumerate(dataset.image_ids.tolist()):
        theirs = coco.loadAnns(coco.getAnnIds(image_id))
        xywh = np.array([entry["bbox"] for entry in theirs]).reshape(-1, 4)
        ours = dataset.boxes[dataset.rows(photo)]
        assert np.allclose(ours[:, :2], xywh[:, :2], atol=1e-2)
        assert np.allclose(ours[:, 2:] - ours[:, :2], xywh[:, 2:], atol=1e-2)
        names = [coco.cats[entry["category_id"]]["name"] for entry in theirs]
        assert [dataset.class_names[label] for label in dataset.labels[dataset.rows(photo)]] == names
