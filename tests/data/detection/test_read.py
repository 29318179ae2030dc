"""Formats are recognized, labels are checked against photos, and real data sets are read."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import ExifTags, Image

from boxmask.data.class_checks import check_training_classes
from boxmask.data.detection.box_checks import OnBadBoxes
from boxmask.data.detection.read import read_detection, read_unsplit_detection
from boxmask.data.detection.read_labels import read_labels
from boxmask.data.findings import Findings
from boxmask.data.formats.source import find_source
from boxmask.errors import LabelError, PhotoError
from boxmask.photos.read import load_photo

Write = Callable[..., Path]
Make = Callable[..., dict[str, Any]]
CAT = ("cat", 5, 6, 25, 30)


# ---------------------------------------------------------------- recognition


def test_missing_and_empty_folders(tmp_path: Path) -> None:
    with pytest.raises(LabelError, match="no such file or folder"):
        read_detection(tmp_path / "absent")
    with pytest.raises(LabelError, match=r"no labels found: there are no files in it\. Give the folder"):
        read_detection(tmp_path)


def test_an_unknown_format_is_refused_with_what_was_expected_and_found(
    tmp_path: Path, save_photo: Callable[..., None]
) -> None:
    save_photo(tmp_path / "images/a.jpg")
    save_photo(tmp_path / "images/b.jpg")
    (tmp_path / "a.txt").write_text("a cat at the left")
    (tmp_path / "settings.json").write_text('{"color": 1}')
    found = r"(?s)no labels found \(2 \.jpg, 1 \.txt, 1 \.json\)\. Give .*\n  Pascal VOC.*\n  COCO JSON"
    with pytest.raises(LabelError, match=found):
        read_detection(tmp_path)
    with pytest.raises(LabelError, match=r"settings\.json: no labels found in this file"):
        read_detection(tmp_path / "settings.json")


@pytest.mark.parametrize("chosen", ["labels", "labels/train", "labels/train/a.txt"])
def test_photos_of_a_folder_for_labels_lie_beside_it(
    tmp_path: Path, save_photo: Callable[..., None], chosen: str
) -> None:
    for split, name in (("train", "a"), ("val", "b")):
        save_photo(tmp_path / f"images/{split}/{name}.jpg")
        (tmp_path / f"labels/{split}").mkdir(parents=True)
        (tmp_path / f"labels/{split}/{name}.txt").write_text("0 0.5 0.5 0.25 0.5\n")
    (tmp_path / "data.yaml").write_text("train: images/train\nval: images/val\nnames: [cat]\n")
    labels = read_labels(tmp_path / chosen, Findings())
    assert labels.root == tmp_path
    assert labels.class_names == ("cat",)
    assert [photo.file for photo in labels.photos if photo.missing_name] == []
    labeled = {labels.photos[photo].file for photo in labels.photo_of.tolist()}
    assert labeled == {"images/train/a.jpg", *(["images/val/b.jpg"] if chosen == "labels" else [])}


def test_the_home_folder_is_not_searched_for_photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    (tmp_path / "labels").mkdir()
    assert find_source(tmp_path / "labels").root == tmp_path / "labels"


def test_labels_in_two_formats_are_refused(write_voc: Write, coco: Make) -> None:
    root = write_voc({"a": [CAT]})
    (root / "labels.json").write_text(json.dumps(coco([(1, "a.jpg")])))
    with pytest.raises(LabelError, match=r"several formats .*Annotations/a\.xml.*labels\.json"):
        read_detection(root)
    assert len(read_detection(root / "labels.json")) == 1
    assert len(read_detection(root / "Annotations")) == 1


def test_hidden_files_are_ignored(write_voc: Write) -> None:
    root = write_voc({"a": [CAT]})
    (root / "Annotations/._a.xml").write_bytes(b"\0<annotation rubbish")
    (root / ".ipynb_checkpoints").mkdir()
    (root / ".ipynb_checkpoints/a.xml").write_text("<annotation rubbish")
    assert len(read_detection(root)) == 1


def test_links_to_folders_are_followed_once(write_voc: Write, tmp_path: Path) -> None:
    root = write_voc({"a": [CAT]})
    (root / "JPEGImages").rename(tmp_path / "elsewhere")
    (root / "JPEGImages").symlink_to(tmp_path / "elsewhere")
    (root / "loop").symlink_to(root)
    assert read_detection(root).files.tolist() == ["JPEGImages/a.jpg"]


# ---------------------------------------------------------------- photos


def test_photos_with_unreadable_headers_are_named(write_voc: Write) -> None:
    root = write_voc({stem: [CAT] for stem in "abc"})
    (root / "JPEGImages/a.jpg").write_bytes((root / "JPEGImages/a.jpg").read_bytes()[:20])
    (root / "JPEGImages/b.jpg").write_text("no photo")
    with pytest.raises(PhotoError, match=r"cannot be read \(2\):\n.*a\.jpg: .*\n.*b\.jpg: "):
        read_detection(root)


def test_a_wrong_declared_size_is_noted_and_the_real_size_used(
    write_voc: Write, voc_xml: Callable[..., str]
) -> None:
    root = write_voc({"a": [CAT], "b": [CAT], "c": [CAT]})
    (root / "Annotations/a.xml").write_text(voc_xml("a.jpg", [CAT], (400, 600)))
    (root / "Annotations/b.xml").write_text(voc_xml("b.jpg", [CAT], (0, 0)))
    (root / "Annotations/c.xml").write_text(voc_xml("c.jpg", [CAT], None))
    dataset = read_detection(root)
    assert dataset.sizes.tolist() == [[40, 60]] * 3
    notes = [note for note in dataset.notes if "another size, which is ignored" in note]
    assert len(notes) == 1
    assert notes[0].endswith("Annotations/a.xml:2: JPEGImages/a.jpg is 60 × 40, not 600 × 400")


@pytest.fixture
def write_turned(write_coco: Write, coco: Make, annotation: Make) -> Write:
    """Write a photo of 60 × 40 pixels that is shown as 40 × 60, and its boxes (x, y, width, height)."""

    def write(boxes: list[list[float]], orientation: int = 6, declared: tuple[int, int] = (60, 40)) -> Path:
        document = coco([(1, "a.jpg")], [annotation(1, 1, box) for box in boxes])
        document["images"][0] |= dict(zip(("width", "height"), declared, strict=True))
        root = write_coco(document)
        exif = Image.Exif()
        exif[ExifTags.Base.Orientation] = orientation
        Image.new("RGB", (60, 40)).save(root / "images/a.jpg", exif=exif)
        return root

    return write


@pytest.mark.parametrize("orientation", [5, 6, 7, 8])
def test_boxes_that_fit_only_the_rotated_photo_are_taken_as_drawn_on_it(
    write_turned: Write, orientation: int
) -> None:
    dataset = read_unsplit_detection(write_turned([[2, 30, 20, 28], [2, 3, 4, 5]], orientation))
    assert dataset.sizes.tolist() == [[60, 40]]
    assert load_photo(dataset.path(0)).shape == (60, 40, 3)
    assert dataset.boxes.tolist() == [[2, 30, 22, 58], [2, 3, 6, 8]]
    assert "Labels that declare the size of the stored photo" in dataset.notes[0]
    assert dataset.notes[0].endswith("images[0] (id 1): images/a.jpg is 40 × 60, not 60 × 40")


@pytest.mark.parametrize(
    "boxes",
    [
        [[30, 2, 28, 20]],  # only within the photo as stored
        [[48, 2, 9, 20]],  # outside the photo as shown: not told as a bad box
        [[2, 3, 20, 20]],  # within both
        [[2, 3, 20, 20], [0, 0, 41, 41]],  # within both, to a pixel
        [[30, 2, 28, 20], [2, 30, 20, 28]],  # within neither
    ],
)
@pytest.mark.parametrize("on_bad_boxes", ["error", "skip"])
def test_boxes_that_may_lie_sideways_stop(
    write_turned: Write, boxes: list[list[float]], on_bad_boxes: OnBadBoxes
) -> None:
    with pytest.raises(
        LabelError, match="Boxes that may lie sideways because of an EXIF orientation"
    ) as raised:
        read_detection(write_turned(boxes), on_bad_boxes=on_bad_boxes)
    assert "images[0] (id 1): images/a.jpg is 40 × 60, not 60 × 40\n" in str(raised.value)
    assert "remove the EXIF orientation" in str(raised.value)
    assert "declare the size as shown" in str(raised.value)


def test_a_rotated_photo_without_boxes_or_with_its_size_as_shown_is_accepted(write_turned: Write) -> None:
    dataset = read_detection(write_turned([]))
    assert dataset.notes[0].startswith("Photos whose labels declare another size")
    assert dataset.notes[0].endswith("images/a.jpg is 40 × 60, not 60 × 40")
    dataset = read_detection(write_turned([[2, 3, 20, 20]], declared=(40, 60)))
    assert not any("size" in note for note in dataset.notes)
    dataset = read_detection(
        write_turned([[2, 3, 20, 20]], orientation=3)
    )  # upside down: the size is the same
    assert not any("size" in note for note in dataset.notes)


def test_cvats_own_xml_is_not_pascal_voc(tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    (tmp_path / "set/all.xml").write_text("<?xml version='1.0'?>\n<annotations>\n</annotations>\n")
    with pytest.raises(LabelError, match=r"no labels found \(1 \.xml\)"):
        read_detection(tmp_path / "set")


@pytest.mark.parametrize("root", ["<annotation>", '<annotation verified="yes">', "<annotation\n>"])
def test_the_root_element_may_have_attributes(write_voc: Write, root: str) -> None:
    folder = write_voc({"a": [CAT]})
    label_file = folder / "Annotations/a.xml"
    label_file.write_text(label_file.read_text().replace("<annotation>", root))
    assert len(read_detection(folder)) == 1


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
def test_real_data_sets(
    shared_data: Path, name: str, photos: int, objects: int, classes: int, splits: tuple[int, ...]
) -> None:
    start = time.perf_counter()
    dataset = read_detection(shared_data / name)
    assert time.perf_counter() - start < 5
    assert (len(dataset), len(dataset.boxes), len(dataset.class_names)) == (photos, objects, classes)
    assert tuple(len(dataset.split(split)) for split in ("train", "val", "test")) == splits
    assert check_training_classes(dataset) == ()
    notes = [note for note in dataset.notes if not note.startswith(("not used", "Label files that are not"))]
    without_objects = [note.split(":")[0] for note in notes if "without objects" in note]
    assert without_objects == (["Classes without objects (28)"] if name == "coco_ccby" else [])
    assert len(notes) == 1 + len(without_objects)
    targets = [dataset.target(photo) for photo in range(photos)]  # boxes are checked at birth
    assert sum(len(target.boxes) for target in targets) == objects
    assert load_photo(dataset.path(0)).shape[:2] == tuple(dataset.sizes[0])


def test_the_tables_of_raccoon_are_named(shared_data: Path) -> None:
    (note,) = [note for note in read_detection(shared_data / "raccoon").notes if "not used" in note]
    names = ["raccoon_labels.csv", "test_labels.csv", "train_labels.csv"]
    assert all(f"data/{name}: a table of labels; the labels are read as Pascal VOC" in note for name in names)


def test_the_two_empty_boxes_of_bccd_are_noted(shared_data: Path) -> None:
    (note,) = read_detection(shared_data / "bccd").notes
    assert note.startswith("left out: 2 of 4,888 boxes (0.041 %): boxes without area:\n  ")
    assert "BloodImage_00338.xml:158" in note
    assert "BloodImage_00343.xml:50" in note
    with pytest.raises(LabelError, match=r"without area \(2 of 4,888, 0\.041 %\)"):
        read_detection(shared_data / "bccd", on_bad_boxes="error")


def test_coco_boxes_agree_with_pycocotools(shared_data: Path) -> None:
    coco = pytest.importorskip("pycocotools.coco").COCO(shared_data / "coco_ccby/instances.json")
    dataset = read_unsplit_detection(shared_data / "coco_ccby")
    for photo, image_id in enumerate(dataset.image_ids.tolist()):
        theirs = coco.loadAnns(coco.getAnnIds(image_id))
        xywh = np.array([entry["bbox"] for entry in theirs]).reshape(-1, 4)
        ours = dataset.boxes[dataset.rows(photo)]
        assert np.allclose(ours[:, :2], xywh[:, :2], atol=1e-2)
        assert np.allclose(ours[:, 2:] - ours[:, :2], xywh[:, 2:], atol=1e-2)
        names = [coco.cats[entry["category_id"]]["name"] for entry in theirs]
        assert [dataset.class_names[label] for label in dataset.labels[dataset.rows(photo)]] == names
