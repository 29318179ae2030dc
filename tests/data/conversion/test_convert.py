"""Converting a data set."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from boxmask.data.conversion.convert import convert
from boxmask.data.detection.read import read_detection
from boxmask.errors import LabelError, PhotoError, UsageError


def test_labels_photos_and_splits_are_written(write_voc: Callable[..., Path], tmp_path: Path) -> None:
    boxes = {"a": [("cat", 1, 1, 10, 20), ("dog", 5.5, 2, 30, 20)], "b": [], "c": [("dog", 3, 3, 9, 9)]}
    root = write_voc(boxes, lists={"train": ["a", "b"], "test": ["c"]})
    calls: list[tuple[int, int]] = []
    conversion = convert(root, "coco", tmp_path / "out", progress=lambda *call: calls.append(call))
    assert calls == [(1, 3), (2, 3), (3, 3)]
    assert (conversion.num_photos, conversion.num_objects, conversion.losses) == (3, 3, ())
    old, new = read_detection(root), read_detection(tmp_path / "out")
    assert new.files.tolist() == ["images/a.jpg", "images/b.jpg", "images/c.jpg"]
    assert new.splits.tolist() == old.splits.tolist()
    assert new.boxes.tolist() == old.boxes.tolist()
    assert new.class_names == old.class_names
    assert (tmp_path / "out/images/a.jpg").read_bytes() == (root / "JPEGImages/a.jpg").read_bytes()


def test_the_report_names_what_was_left_out(write_voc: Callable[..., Path], tmp_path: Path) -> None:
    root = write_voc({"a": [("cat", 1, 1, 10, 20), ("dog", 5, 5, 5, 5)]})
    with pytest.raises(LabelError, match="is 0 wide and 0 high"):
        convert(root, "coco", tmp_path / "out")
    assert not (tmp_path / "out").exists()
    conversion = convert(root, "coco", tmp_path / "out", on_bad_boxes="skip")
    assert conversion.num_objects == 1
    report = (tmp_path / "out" / "conversion.txt").read_text()
    assert f"Converted by boxmask from {root} to coco: 1 photo, 1 object." in report
    assert "left out: 1 of 2 boxes" in report
    assert not any("conversion.txt" in note for note in read_detection(tmp_path / "out").notes)


def test_the_report_names_elements_that_are_not_read(write_voc: Callable[..., Path], tmp_path: Path) -> None:
    root = write_voc({"a": [("cat", 1, 1, 10, 20)], "b": []})
    for file in (root / "Annotations").iterdir():
        extra = "<path>/home/me/a.jpg</path><source><database>mine</database></source><owner/>"
        file.write_text(file.read_text().replace("<filename>", f"{extra}<filename>"))
    report = convert(root, "labelme", tmp_path / "out").loss_notes()
    assert report == tuple(
        f"the element {tag} is not written (in 2 label files)" for tag in ("path", "source")
    )
    again = convert(tmp_path / "out", "voc", tmp_path / "new")
    assert again.loss_notes() == convert(tmp_path / "new", "coco", tmp_path / "coco").loss_notes() == ()


def test_boxes_are_not_clipped(write_coco, coco, annotation, tmp_path: Path) -> None:
    root = write_coco(coco([(1, "a.jpg")], [annotation(1, 1, [-0.5, 2, 61, 7.25])]))
    convert(root, "coco", tmp_path / "out")
    document = json.loads((tmp_path / "out/annotations/instances.json").read_text())
    assert document["annotations"][0]["bbox"] == [-0.5, 2, 61, 7.25]


def test_a_split_file_replaces_the_splits(write_voc: Callable[..., Path], tmp_path: Path) -> None:
    root = write_voc({name: [("cat", 1, 1, 9, 9)] for name in "abc"}, lists={"train": "abc"})
    (tmp_path / "split.json").write_text(
        json.dumps({"train": ["a.jpg"], "val": ["b.jpg"], "test": ["c.jpg"]})
    )
    convert(root, "coco", tmp_path / "out", split_file=tmp_path / "split.json")
    assert read_detection(tmp_path / "out").splits.tolist() == ["train", "val", "test"]


def test_photos_in_no_split_stay_in_none(write_voc: Callable[..., Path], tmp_path: Path) -> None:
    root = write_voc({name: [("cat", 1, 1, 9, 9)] for name in "ab"})
    convert(root, "coco", tmp_path / "out")
    assert [path.name for path in (tmp_path / "out/annotations").iterdir()] == ["instances.json"]


def test_missing_photos_stop_it_or_are_left_out(write_voc: Callable[..., Path], tmp_path: Path) -> None:
    root = write_voc({name: [("cat", 1, 1, 9, 9)] for name in "ab"})
    (root / "JPEGImages/b.jpg").write_bytes(b"no photo")
    with pytest.raises(PhotoError):
        convert(root, "coco", tmp_path / "out")
    assert convert(root, "coco", tmp_path / "out", on_bad_photos="skip").num_photos == 1
    assert read_detection(tmp_path / "out").files.tolist() == ["images/a.jpg"]


def test_rotated_photos_are_listed(write_voc: Callable[..., Path], tmp_path: Path) -> None:
    root = write_voc({"a": [("cat", 1, 1, 9, 9)]})
    exif = Image.Exif()
    exif[0x0112] = 3
    Image.new("RGB", (60, 40)).save(root / "JPEGImages/a.jpg", exif=exif)
    (what, photos), *others = convert(root, "coco", tmp_path / "out").losses
    assert "after its EXIF rotation" in what
    assert (photos, others) == (("a.jpg",), [])


def test_photos_may_be_linked_or_left_where_they_are(write_voc: Callable[..., Path], tmp_path: Path) -> None:
    root = write_voc({"a": [("cat", 1, 1, 9, 9)]})
    convert(root, "coco", tmp_path / "linked", photos="link")
    assert (tmp_path / "linked/images/a.jpg").samefile(root / "JPEGImages/a.jpg")
    convert(root, "coco", tmp_path / "none", photos="none")
    assert not (tmp_path / "none/images").exists()


def test_an_archive_may_lie_beside_the_new_folder(write_voc: Callable[..., Path], tmp_path: Path) -> None:
    root = write_voc({"a": [("cat", 1, 1, 9, 9)]})
    archive = shutil.make_archive(str(tmp_path / "labels"), "zip", root)
    assert convert(Path(archive), "coco", tmp_path / "out").num_photos == 1
    assert read_detection(tmp_path / "out").boxes.tolist() == [[0, 0, 9, 9]]


def test_an_unknown_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r'found "cocoo"\. Did you mean coco\?'):
        convert(tmp_path, "cocoo", tmp_path / "out")


def test_formats_may_be_named_in_capitals(write_voc: Callable[..., Path], tmp_path: Path) -> None:
    conversion = convert(write_voc({"a": [("cat", 1, 1, 9, 9)]}), "COCO", tmp_path / "out")
    assert conversion.format == "coco"


def test_whole_pixels_of_yolo_are_written_as_whole_pixels(
    write_voc: Callable[..., Path], tmp_path: Path
) -> None:
    boxes = {"a": [("cat", x, 3 * x, x + 5, 3 * x + 7) for x in range(1, 12)]}
    convert(write_voc(boxes), "yolo", tmp_path / "yolo")
    convert(tmp_path / "yolo", "csv", tmp_path / "csv")
    rows = (tmp_path / "csv" / "labels.csv").read_text().splitlines()
    assert rows[1:] == [
        f"images/a.jpg,60,40,cat,{x - 1},{3 * x - 1},{x + 5},{3 * x + 7}" for x in range(1, 12)
    ]
