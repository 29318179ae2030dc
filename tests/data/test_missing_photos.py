"""Labels that name photos that do not exist: refused with all of them, or left out with a note."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image

from boxmask.data.detection.read import read_detection, read_unsplit_detection
from boxmask.data.formats.photo_finder import path_of_missing
from boxmask.data.segmentation.read import read_segmentation
from boxmask.errors import LabelError

Write = Callable[..., Path]
SKIP = r"--on-bad-photos skip \(in Python: on_bad_photos=\"skip\"\)"
CAT = [("cat", 3, 3, 20, 20)]


def left_out(dataset: Any) -> list[str]:
    """The lines of the note on photos that do not exist."""
    notes = [note for note in dataset.notes if "photos that do not exist" in note]
    assert len(notes) == 1
    return notes[0].split("\n  ")


def stems(dataset: Any) -> list[str]:
    return [Path(file).stem for file in dataset.files]


@pytest.fixture
def voc(write_voc: Write) -> Path:
    return write_voc({f"p{n}": CAT for n in range(6)})


def test_voc(voc: Path) -> None:
    for n in (1, 4):
        (voc / f"JPEGImages/p{n}.jpg").unlink()
    with pytest.raises(LabelError, match=rf"exist \(2\):\n.*p1\.xml:2: p1\.jpg.*\n.*p4\.jpg.*\n.*{SKIP}"):
        read_detection(voc)
    dataset = read_detection(voc, on_bad_photos="skip")
    assert stems(dataset) == ["p0", "p2", "p3", "p5"]
    assert len(dataset.boxes) == 4
    heading, *lines = left_out(dataset)
    assert heading == "left out: 2 of 6 photos (33 %): labels of photos that do not exist:"
    assert "p1.xml:2: p1.jpg" in lines[0]


def test_two_label_files_may_name_the_same_missing_photo(voc: Path) -> None:
    for name in ("p1", "p4"):
        (voc / f"JPEGImages/{name}.jpg").unlink()
    sheet = voc / "Annotations/p4.xml"
    sheet.write_text(sheet.read_text().replace("p4.jpg", "p1.jpg"))
    assert stems(read_detection(voc, on_bad_photos="skip")) == ["p0", "p2", "p3", "p5"]


def test_a_list_of_voc_that_names_a_missing_photo(voc: Path) -> None:
    (voc / "JPEGImages/p5.jpg").unlink()
    lists = voc / "ImageSets/Main"
    lists.mkdir(parents=True)
    (lists / "train.txt").write_text("p0\np1\np2\np9\n")
    (lists / "val.txt").write_text("p3\np4\n")
    (lists / "test.txt").write_text("p5\nq7\n")
    with pytest.raises(LabelError, match=rf"exist \(3\):\n(.*\n)*.*{SKIP}") as raised:
        read_detection(voc)
    assert "train.txt:4: p9" in str(raised.value)
    dataset = read_detection(voc, on_bad_photos="skip")
    assert {"p0", "p1", "p2", "p3", "p4"} == set(stems(dataset))
    assert len(left_out(dataset)) == 1 + 3


def coco(root: Path, names: list[str], missing: list[str]) -> Path:
    """A COCO file with a box in each photo."""
    root.mkdir()
    for name in names:
        Image.new("RGB", (40, 30)).save(root / name)
    listed = [*names, *missing]
    content = {
        "images": [{"id": n, "file_name": name} for n, name in enumerate(listed)],
        "annotations": [
            {"id": n, "image_id": n, "category_id": 1, "bbox": [2, 3, 10 + n, 12], "iscrowd": 0}
            for n in range(len(listed))
        ],
        "categories": [{"id": 1, "name": "cat"}],
    }
    (root / "labels.json").write_text(json.dumps(content, indent=1))
    return root


def test_coco_suggests_similar_names_of_photos_without_labels(tmp_path: Path) -> None:
    root = coco(tmp_path / "d", ["photo_001.jpg", "photo_002.jpg"], ["photo_0002.jpg"])
    with pytest.raises(LabelError, match=r"photo_0002\.jpg\n"):  # the others have labels of their own
        read_detection(root)
    Image.new("RGB", (40, 30)).save(root / "photo_0003.jpg")
    with pytest.raises(LabelError, match=r"photo_0002\.jpg \(did you mean photo_0003\.jpg\?\)"):
        read_detection(root)
    dataset = read_detection(root, on_bad_photos="skip")
    assert dataset.boxes.tolist() == [[2, 3, 12, 15], [2, 3, 13, 15]]
    assert "did you mean" in left_out(dataset)[1]


@pytest.mark.parametrize(
    "name",
    ["/etc/hostname", "../../outside.jpg", "C:\\photos\\x.jpg", "https://host/x.jpg", "..", "%2e%2e/a.jpg"],
)
def test_a_photo_outside_the_data_set_is_not_read(tmp_path: Path, name: str) -> None:
    Image.new("RGB", (40, 30)).save(tmp_path / "outside.jpg")
    root = coco(tmp_path / "d", ["a.jpg" if "a.jpg" not in name else "b.jpg"], [name])
    dataset = read_detection(root, on_bad_photos="skip")
    assert len(dataset) == 1
    assert name in left_out(dataset)[1]


def test_if_no_photo_exists_there_is_nothing_to_leave_out(tmp_path: Path) -> None:
    with pytest.raises(LabelError, match=r"do not exist \(2\)"):
        read_detection(coco(tmp_path / "d", [], ["a.jpg", "b.jpg"]), on_bad_photos="skip")


def test_the_same_missing_photo_listed_twice_is_left_out_twice(tmp_path: Path) -> None:
    dataset = read_detection(coco(tmp_path / "d", ["a.jpg"], ["b.jpg", "b.jpg"]), on_bad_photos="skip")
    assert stems(dataset) == ["a"]
    assert len(left_out(dataset)) == 3


def test_instance_maps(tmp_path: Path) -> None:
    for folder in ("images", "labels"):
        (tmp_path / folder).mkdir()
    for n in range(3):
        numbers = np.zeros((30, 40), np.uint16)
        numbers[5:15, 5 : 15 + n] = 1
        numbers[20:28, 20:30] = 2
        Image.fromarray(numbers).save(tmp_path / f"labels/p{n}.png")
        Image.new("RGB", (40, 30)).save(tmp_path / f"images/p{n}.jpg")
    (tmp_path / "images/p1.jpg").unlink()
    with pytest.raises(LabelError, match=rf"labels/p1\.png: images/p1.*\n.*{SKIP}"):
        read_detection(tmp_path)
    dataset = read_detection(tmp_path, on_bad_photos="skip")
    assert stems(dataset) == ["p0", "p2"]
    assert dataset.has_mask.all()
    maps = read_segmentation(tmp_path, on_bad_photos="skip")
    assert stems(maps) == ["p0", "p2"]


def test_a_caller_that_opens_each_photo_gets_them_all(voc: Path) -> None:
    (voc / "JPEGImages/p1.jpg").unlink()
    dataset = read_unsplit_detection(voc, on_bad_photos=None)
    assert sorted(stems(dataset)) == [f"p{n}" for n in range(6)]


@given(st.text(max_size=30))
@example("..")
@example("../..")
@example(".")
@example("C:/../..")
@settings(max_examples=300, deadline=None)
def test_a_missing_name_stands_below_the_root(name: str) -> None:
    path = Path(path_of_missing(name))
    assert path.name
    assert not path.is_absolute()
    assert ".." not in path.parts[:1]
