"""All damaged photos of a data set are reported at once, or left out with a note, for every task."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from boxmask.data.classification.read import read_classification
from boxmask.data.detection.read import read_detection
from boxmask.data.photo_checks import UNREADABLE, check_photos
from boxmask.data.segmentation.read import read_segmentation
from boxmask.data.split_file import write_split_file
from boxmask.errors import LabelError, PhotoError

Write = Callable[..., Path]


def save_noise(path: Path, size: tuple[int, int] = (48, 64), **options: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(abs(hash(path.name))).integers(0, 255, (*size, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path, **options)


def truncate(path: Path, share: float = 0.66) -> None:
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])


def damage_middle(path: Path) -> None:
    """Damage the compressed data of a PNG, but not its checksums."""
    data = bytearray(path.read_bytes())
    start = data.index(b"IDAT")
    length = int.from_bytes(data[start - 4 : start], "big")
    data[start + 4 + length // 2] ^= 0xFF
    data[start + 4 + length : start + 8 + length] = zlib.crc32(data[start : start + 4 + length]).to_bytes(
        4, "big"
    )
    path.write_bytes(data)


def test_sizes_and_messages(tmp_path: Path) -> None:
    for name in ("a.jpg", "b.jpg", "c.png", "d.png"):
        save_noise(tmp_path / name)
    truncate(tmp_path / "b.jpg")
    (tmp_path / "c.png").write_bytes(b"")
    damage_middle(tmp_path / "d.png")
    files = ["a.jpg", "b.jpg", "c.png", "d.png", "e.png"]
    sizes, errors = check_photos(tmp_path, files, "skip")
    assert sizes.tolist() == [[48, 64], [48, 64], list(UNREADABLE), [48, 64], list(UNREADABLE)]
    assert list(errors) == [1, 2, 3, 4]
    assert "b.jpg: this photo is damaged or truncated" in errors[1]
    assert "e.png: this photo does not exist" in errors[4]
    with pytest.raises(
        PhotoError, match=r"cannot be read \(3\):\n.*b\.jpg.*\n.*c\.png.*\n.*e\.png"
    ) as raised:
        check_photos(tmp_path, files)
    assert '--on-bad-photos skip (in Python: on_bad_photos="skip")' in str(raised.value)


def test_if_no_photo_can_be_read_there_is_nothing_to_go_on_with(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"")
    with pytest.raises(PhotoError, match=r"a\.jpg"):
        check_photos(tmp_path, ["a.jpg"], "skip")


# ---------------------------------------------------------------- detection


@pytest.fixture
def voc(write_voc: Write) -> Path:
    """Ten VOC photos of noise with a box each, of which two are damaged."""
    root = write_voc({f"p{n}": [("cat", 3, 3, 20, 20)] for n in range(10)})
    for n in range(10):
        save_noise(root / f"JPEGImages/p{n}.jpg", (40, 60))
    truncate(root / "JPEGImages/p3.jpg")
    (root / "JPEGImages/p7.jpg").write_bytes(b"")
    return root


def test_detection_reports_all_of_them(voc: Path) -> None:
    with pytest.raises(PhotoError, match=r"cannot be read \(2\):\n.*p3\.jpg.*\n.*p7\.jpg"):
        read_detection(voc)


def test_detection_leaves_them_out(voc: Path) -> None:
    dataset = read_detection(voc, on_bad_photos="skip")
    assert [Path(file).stem for file in dataset.files] == ["p0", "p1", "p2", "p4", "p5", "p6", "p8", "p9"]
    assert len(dataset.boxes) == 8
    (note,) = [note for note in dataset.notes if "cannot be read" in note]
    assert note.startswith("left out: 2 photos that cannot be read:")
    assert "p3.jpg" in note
    assert "p7.jpg" in note


def test_the_split_of_the_rest_can_be_used_again(voc: Path, tmp_path: Path) -> None:
    dataset = read_detection(voc, on_bad_photos="skip")
    write_split_file(dataset, tmp_path / "split.json")
    again = read_detection(voc, split_file=tmp_path / "split.json", on_bad_photos="skip")
    assert again.fingerprint() == dataset.fingerprint()


def test_a_split_file_may_name_photos_that_are_left_out(voc: Path, tmp_path: Path) -> None:
    photos = [f"JPEGImages/p{n}.jpg" for n in range(10)]
    split = {"train": photos[:6], "val": photos[6:8], "test": photos[8:]}
    (tmp_path / "split.json").write_text(json.dumps(split))
    dataset = read_detection(voc, split_file=tmp_path / "split.json", on_bad_photos="skip")
    assert [len(dataset.split(name)) for name in ("train", "val", "test")] == [5, 1, 2]
    assert any("no longer there: 2 photos" in note for note in dataset.notes)


def test_masks_of_a_photo_without_a_header_do_not_stop_the_others(
    write_coco: Write, coco: Callable[..., Any], annotation: Callable[..., Any]
) -> None:
    square = [[10, 10, 30, 10, 30, 30, 10, 30]]
    objects = [annotation(n, 1, (10, 10, 20, 20), segmentation=square, area=400, iscrowd=0) for n in (1, 2)]
    root = write_coco(coco([(1, "a.jpg"), (2, "b.jpg")], objects))
    (photo,) = root.rglob("b.jpg")
    photo.write_bytes(b"gone")
    dataset = read_detection(root, on_bad_photos="skip")
    assert dataset.files.tolist() == [str(photo.with_name("a.jpg").relative_to(root).as_posix())]
    masks = dataset.masks(0)
    assert masks is not None
    assert masks.areas().tolist() == [400]


# ---------------------------------------------------------------- classification


def test_classification(tmp_path: Path) -> None:
    for name in ("cat/a.png", "cat/b.png", "dog/c.png", "dog/d.png", "dog/e.png", "owl/f.png"):
        save_noise(tmp_path / name)
    damage_middle(tmp_path / "cat/b.png")
    (tmp_path / "dog/e.png").write_bytes(b"")
    (tmp_path / "owl/f.png").write_bytes(b"")  # the same content, but in no class
    with pytest.raises(PhotoError, match=r"cannot be read \(2\):\n.*e\.png.*\n.*f\.png"):
        read_classification(tmp_path)
    dataset = read_classification(tmp_path, on_bad_photos="skip")
    assert sorted(dataset.files.tolist()) == ["cat/a.png", "dog/c.png", "dog/d.png"]
    assert dataset.class_names == ("cat", "dog")
    assert any(note.startswith("left out: 3 photos that cannot be read:") for note in dataset.notes)


# ---------------------------------------------------------------- segmentation


@pytest.fixture
def label_maps(tmp_path: Path) -> Path:
    """Eight photos with label maps of 0 and 1."""
    for n in range(8):
        save_noise(tmp_path / f"images/p{n}.png")
        label = np.random.default_rng(n).integers(0, 2, (48, 64), dtype=np.uint8)
        (tmp_path / "masks").mkdir(exist_ok=True)
        Image.fromarray(label).save(tmp_path / f"masks/p{n}.png")
    (tmp_path / "classes.txt").write_text("background\nobject\n")
    return tmp_path


def test_segmentation_leaves_out_photos_and_label_maps(label_maps: Path) -> None:
    truncate(label_maps / "images/p1.png")
    truncate(label_maps / "masks/p2.png")
    (label_maps / "masks/p3.png").write_bytes(b"")
    (label_maps / "images/p4.png").unlink()
    (label_maps / "masks/p5.png").unlink()
    with pytest.raises(
        LabelError,
        match=r"Labels of photos that do not exist \(1\):\n.*masks/p4\.png: no photo has its name\n.*skip",
    ):
        read_segmentation(label_maps)
    (label_maps / "masks/p4.png").rename(label_maps / "p4")
    with pytest.raises(PhotoError, match=r"images/p1\.png: this photo is damaged.*Or leave it out with --on"):
        read_segmentation(label_maps)
    (label_maps / "p4").rename(label_maps / "masks/p4.png")
    dataset = read_segmentation(label_maps, on_bad_photos="skip")
    assert dataset.files.tolist() == ["images/p0.png", "images/p6.png", "images/p7.png"]
    for photo in range(3):
        assert dataset.target(photo).labels.shape == (48, 64)
    notes = "\n".join(dataset.notes)
    for expected in (
        "left out: 1 photo that cannot be read:",
        "left out: 2 photos whose label map cannot be read:",
        "left out: 1 photo without a label map:",
        "left out: 1 label map without a photo:",
    ):
        assert expected in notes


def test_all_damaged_label_maps_are_reported(label_maps: Path) -> None:
    for n in (2, 5, 6):
        truncate(label_maps / f"masks/p{n}.png")
    with pytest.raises(LabelError, match=r"cannot be read \(3\):\n.*p2\.png.*\n.*p5\.png.*\n.*p6\.png"):
        read_segmentation(label_maps)


def test_if_no_label_map_can_be_read_there_is_nothing_to_go_on_with(label_maps: Path) -> None:
    for n in range(8):
        (label_maps / f"masks/p{n}.png").write_bytes(b"")
    with pytest.raises(LabelError, match=r"cannot be read \(8\)"):
        read_segmentation(label_maps, on_bad_photos="skip")


def test_files_that_are_not_used_are_counted(label_maps: Path) -> None:
    for name in ("notes.txt", "clip.mp4", "masks/old.docx"):
        (label_maps / name).touch()
    assert "not used: 1 .mp4 (video), 1 .docx, 1 .txt" in read_segmentation(label_maps).notes
