"""Pascal VOC in the forms found in practice."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from boxmask.data.detection.read import read_detection, read_unsplit_detection
from boxmask.errors import LabelError

Write = Callable[..., Path]
CAT = ("cat", 5, 6, 25, 30)


def split_of(dataset, stem: str) -> str:
    return next(
        split for file, split in zip(dataset.files, dataset.splits, strict=True) if Path(file).stem == stem
    )


def test_boxes_count_from_one_and_include_their_last_pixel(write_voc: Write) -> None:
    dataset = read_detection(write_voc({"a": [CAT, ("dog", 1, 1, 60, 40)], "b": [("cat", 2.5, 3, 4.5, 9)]}))
    assert dataset.boxes.tolist() == [[4, 5, 25, 30], [0, 0, 60, 40], [1.5, 2, 4.5, 9]]
    assert dataset.boxes.dtype == np.float32
    assert dataset.class_names == ("cat", "dog")
    assert dataset.labels.tolist() == [0, 1, 0]
    assert dataset.offsets.tolist() == [0, 2, 3]
    assert dataset.areas.tolist() == [21 * 25, 60 * 40, 21]
    assert dataset.files.tolist() == ["JPEGImages/a.jpg", "JPEGImages/b.jpg"]
    assert dataset.sizes.tolist() == [[40, 60], [40, 60]]
    assert dataset.image_ids.tolist() == [0, 1]
    assert not dataset.crowd.any()


@pytest.mark.parametrize(
    ("photos", "annotations"),
    [("JPEGImages", "Annotations"), ("images", "annotations"), (".", "."), ("pictures/of/cats", "xml")],
)
def test_any_folder_names(write_voc: Write, photos: str, annotations: str) -> None:
    root = write_voc({"a": [CAT], "b": [CAT]}, photos, annotations)
    assert len(read_detection(root)) == 2
    if annotations == "Annotations":
        assert read_detection(root / "Annotations").fingerprint() == read_detection(root).fingerprint()


@pytest.mark.parametrize("filename", ["a.jpg", "a", "a.png", "C:\\photos\\a.jpg", "old-name.jpg", ""])
def test_a_photo_is_found_by_filename_or_stem(write_voc: Write, voc_xml: Write, filename: str) -> None:
    root = write_voc({"a": [CAT], "b": [CAT]})
    (root / "Annotations/a.xml").write_text(voc_xml(filename, [CAT]))
    assert read_detection(root).files[0] == "JPEGImages/a.jpg"


def test_of_photos_with_the_same_name_the_one_in_the_matching_folder_is_taken(
    write_voc: Write, save_photo: Write
) -> None:
    root = write_voc({"a": [CAT]}, "images/train", "annotations/train")
    save_photo(root / "images/val/a.jpg")
    save_photo(root / "masks/a.png")
    assert read_detection(root).files.tolist() == ["images/train/a.jpg"]


def test_ambiguous_photos_are_refused(write_voc: Write, save_photo: Write) -> None:
    root = write_voc({"a": [CAT]}, "one", "annotations")
    save_photo(root / "two/a.jpg")
    with pytest.raises(
        LabelError, match=r"annotations/a\.xml:2: a\.jpg may be one/a\.jpg or two/a\.jpg\. Name its folders"
    ):
        read_detection(root)


def test_difficult_objects_are_ignored(write_voc: Write) -> None:
    root = write_voc({"a": [CAT, CAT]})
    label_file = root / "Annotations/a.xml"
    label_file.write_text(label_file.read_text().replace("<difficult>0", "<difficult>1", 1))
    dataset = read_unsplit_detection(root)
    assert dataset.difficult.tolist() == [True, False]
    assert dataset.target(0).ignore.tolist() == [True, False]


def test_parts_of_an_object_are_not_objects(write_voc: Write) -> None:
    root = write_voc({"a": [CAT]})
    label_file = root / "Annotations/a.xml"
    part = "<part><name>head</name><bndbox><xmin>9</xmin></bndbox></part></object>"
    label_file.write_text(label_file.read_text().replace("</object>", part))
    assert read_detection(root).class_names == ("cat",)


def test_a_file_without_objects_is_a_photo_without_objects(write_voc: Write) -> None:
    dataset = read_detection(write_voc({"a": [CAT], "b": []}))
    assert np.diff(dataset.offsets).tolist() == [1, 0]
    assert dataset.target(1).boxes.shape == (0, 4)


# ---------------------------------------------------------------- splits


def test_splits_from_image_sets(write_voc: Write) -> None:
    lists = {"train": ["a"], "val": ["b"], "test": ["c"], "trainval": ["a", "b"]}
    dataset = read_detection(write_voc({stem: [CAT] for stem in "abc"}, lists=lists))
    assert dataset.splits.tolist() == ["train", "val", "test"]
    assert dataset.notes == ()


def test_val_is_trainval_without_train(write_voc: Write) -> None:
    lists = {"train": ["a.jpg"], "test": ["JPEGImages/c"], "trainval": ["a", "b"]}
    dataset = read_detection(write_voc({stem: [CAT] for stem in "abc"}, lists=lists))
    assert dataset.splits.tolist() == ["train", "val", "test"]


def test_with_trainval_and_test_val_is_drawn(write_voc: Write) -> None:
    stems = [f"p{n:02}" for n in range(20)]
    lists = {"trainval": stems[:10], "test": stems[10:]}
    dataset = read_detection(write_voc({stem: [CAT] for stem in stems}, lists=lists))
    assert (dataset.splits[10:] == "test").all()
    assert sorted(dataset.splits[:10].tolist()) == ["train"] * 9 + ["val"]
    assert any("no val split: drew 10% for val from 10 photos" in note for note in dataset.notes)


def test_two_years_side_by_side(write_voc: Write) -> None:
    years = {
        "VOC2007": {"train": ["a"], "val": ["b"], "trainval": ["a", "b"], "test": ["c"]},
        "VOC2012": {"train": ["d"], "trainval": ["d", "e"]},
        "VOC2010": {"trainval": ["f"]},
    }
    for year, lists in years.items():
        stems = sorted({stem for names in lists.values() for stem in names})
        root = write_voc({s: [CAT] for s in stems}, f"{year}/JPEGImages", f"{year}/Annotations", lists)
        (root / "ImageSets").rename(root / year / "ImageSets")
    dataset = read_detection(root)
    splits = [split_of(dataset, stem) for stem in "abc"]
    assert splits == ["train", "val", "test"]
    assert split_of(dataset, "d") == "train"
    assert split_of(dataset, "e") == "val"  # what this year's trainval has beyond its train
    assert split_of(dataset, "f") == "train"  # of a year that has only trainval
    assert dataset.notes == ()
    one = read_detection(root / "VOC2012")
    assert sorted(Path(file).stem for file in one.files) == ["d", "e"]


def test_lists_lie_in_main_or_beside_it(write_voc: Write) -> None:
    root = write_voc({stem: [CAT] for stem in "abc"}, lists={"train": ["a"], "val": ["b"], "test": ["c"]})
    (root / "ImageSets/train.txt").write_text("b\n")  # Main is what counts
    assert read_detection(root).splits.tolist() == ["train", "val", "test"]
    for split in ("train", "val", "test"):
        (root / f"ImageSets/Main/{split}.txt").rename(root / f"ImageSets/{split}.txt")
    assert read_detection(root).splits.tolist() == ["train", "val", "test"]


def test_splits_from_folders(write_voc: Write) -> None:
    for split in ("train", "valid", "test"):
        root = write_voc({"a": [CAT]}, split, split)  # the same name thrice, as exports have it
    dataset = read_detection(root)
    assert dataset.files.tolist() == ["test/a.jpg", "train/a.jpg", "valid/a.jpg"]
    assert dataset.splits.tolist() == ["test", "train", "val"]


def test_a_listed_photo_without_a_label_file_has_no_objects(write_voc: Write, save_photo: Write) -> None:
    root = write_voc({"a": [CAT], "c": [CAT]}, lists={"train": ["a"], "val": ["b"], "test": ["c"]})
    save_photo(root / "JPEGImages/b.jpg")
    save_photo(root / "JPEGImages/unlisted.jpg")
    dataset = read_detection(root)
    assert np.diff(dataset.offsets).tolist() == [1, 0, 1]
    assert split_of(dataset, "b") == "val"
    photo = root / "JPEGImages/unlisted.jpg"
    assert dataset.notes == (f"Photos without labels (1):\n  {photo}: left out: no label names it",)


def test_a_labeled_photo_in_no_split_file_is_left_out(write_voc: Write) -> None:
    lists = {"train": ["a"], "val": ["b"], "test": ["c"]}
    dataset = read_detection(write_voc({stem: [CAT] for stem in "abcd"}, lists=lists))
    assert len(dataset) == 3
    assert dataset.notes == ("left out: 1 photo in no split:\n  JPEGImages/d.jpg",)


def test_a_photo_in_two_split_files_is_refused(write_voc: Write) -> None:
    lists = {"train": ["a", "b"], "test": ["b"]}
    with pytest.raises(LabelError, match=r"test\.txt:1: b, also at .*train\.txt:2"):
        read_detection(write_voc({stem: [CAT] for stem in "ab"}, lists=lists))


def test_a_listed_name_without_photo_is_refused(write_voc: Write) -> None:
    with pytest.raises(LabelError, match=r"train\.txt:2: ghost"):
        read_detection(write_voc({"a": [CAT]}, lists={"train": ["a", "ghost"]}))


# ---------------------------------------------------------------- errors


def test_a_missing_photo_is_named_with_its_label_file_and_line(write_voc: Write) -> None:
    root = write_voc({"a": [CAT], "b": [CAT]})
    (root / "JPEGImages/a.jpg").unlink()
    with pytest.raises(LabelError, match=r"do not exist \(1\):\n.*a\.xml:2: a\.jpg\n.*--on-bad-photos skip"):
        read_detection(root)


def test_two_label_files_for_one_photo_are_refused(write_voc: Write, voc_xml: Write) -> None:
    root = write_voc({"a": [CAT], "b": [CAT]})
    (root / "Annotations/b.xml").write_text(voc_xml("a.jpg", [CAT]))
    with pytest.raises(LabelError, match=r"b\.xml:2: JPEGImages/a\.jpg also has the label file .*a\.xml:2"):
        read_detection(root)


def test_broken_xml_is_named_with_line_and_column(write_voc: Write) -> None:
    root = write_voc({"a": [CAT]})
    (root / "Annotations/a.xml").write_text("<annotation>\n<object>\n</objekt>\n")
    with pytest.raises(LabelError, match=r"a\.xml:3: column 3: broken XML \(mismatched tag\)"):
        read_detection(root)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("<name>cat</name>", "", r"a\.xml:4: an <object> without a <name>"),
        ("<xmax>25</xmax>", "<xmax>wide</xmax>", r"a\.xml:7: <xmax> should hold a number, found wide"),
        ("<ymin>6</ymin>", "", r"a\.xml:7: <ymin> should hold a number, found nothing"),
        ("bndbox", "polygon", r"a\.xml:4: cat without a <bndbox>"),
        ("<difficult>0", "<difficult>perhaps", r"a\.xml:4: <difficult> should be 0 or 1, found perhaps"),
    ],
)
def test_an_incomplete_object_is_named_with_its_line(
    write_voc: Write, old: str, new: str, message: str
) -> None:
    root = write_voc({"a": [CAT]})
    label_file = root / "Annotations/a.xml"
    label_file.write_text(label_file.read_text().replace(old, new))
    with pytest.raises(LabelError, match=message):
        read_detection(root)


def test_five_locations_are_shown_and_the_rest_counted(write_voc: Write) -> None:
    root = write_voc({f"p{n}": [CAT] for n in range(8)})
    for label_file in (root / "Annotations").iterdir():
        label_file.write_text("<annotation><")
    with pytest.raises(LabelError) as raised:
        read_detection(root)
    assert str(raised.value).count("broken XML") == 5
    assert "cannot be read (8):" in str(raised.value)
    assert "and 3 more" in str(raised.value)


# ---------------------------------------------------------------- boxes


@pytest.mark.parametrize(
    ("box", "reason"),
    [
        (("cat", 9, 9, 9, 9), "is 0 wide and 0 high"),
        (("cat", 9, 5, 9, 20), "is 0 wide and 15 high"),
        (("cat", 5, 20, 9, 20), "is 4 wide and 0 high"),
        (("cat", 30, 5, 20, 20), "is -10 wide and 15 high"),
        (("cat", 90, 5, 99, 20), "lies outside its photo of 60 × 40 pixels: x 89 to 99, y 4 to 20"),
        (("cat", -9, 5, 0, 20), "lies outside its photo of 60 × 40 pixels: x -10 to 0, y 4 to 20"),
        (("cat", "nan", 5, 20, 20), "has a coordinate that is not finite"),
        (("cat", "-inf", 5, 20, 20), "has a coordinate that is not finite"),
    ],
)
def test_a_bad_box_stops_or_is_skipped(write_voc: Write, box: tuple[object, ...], reason: str) -> None:
    root = write_voc({"a": [CAT, box]})
    with pytest.raises(
        LabelError, match=rf"a\.xml:12: cat in JPEGImages/a\.jpg {reason}.*\n(.*\n)*.*--on-bad-boxes skip"
    ):
        read_detection(root)
    dataset = read_detection(root, on_bad_boxes="skip")
    assert len(dataset.boxes) == 1
    assert "left out: 1 of 2 boxes (50 %): " in dataset.notes[0]
    assert reason in dataset.notes[0]


def test_a_box_beyond_its_photo_is_clipped_and_noted_if_by_more_than_a_pixel(write_voc: Write) -> None:
    root = write_voc({"a": [("cat", 0, 0, 61, 41), ("cat", -5, 5, 20, 20)]})
    dataset = read_detection(root)
    assert dataset.boxes.tolist() == [[0, 0, 60, 40], [0, 4, 20, 20]]
    where = f"{root / 'Annotations/a.xml'}:12: cat in JPEGImages/a.jpg reaches beyond its photo"
    assert f"Boxes that reach beyond their photo (1):\n  {where}" in dataset.notes[0]
