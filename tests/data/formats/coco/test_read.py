"""COCO JSON in the forms found in practice."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from boxmask.data.detection.read import read_detection, read_unsplit_detection
from boxmask.errors import LabelError

Write = Callable[..., Path]
Make = Callable[..., dict[str, Any]]


def test_boxes_classes_and_ids(write_coco: Write, coco: Make, annotation: Make) -> None:
    document = coco(
        [(7, "b.jpg"), (0, "a.jpg"), (3, "c.jpg")],
        [
            annotation(7, 9, [1, 2, 10, 20.5]),
            annotation(0, 4, [5, 5, 10, 10], area=60.5, iscrowd=1),
            annotation(7, 4, [0, 0, 60, 40], area=None),
        ],
        [(9, "zebra"), (4, "ant"), (11, "never seen")],
    )
    dataset = read_unsplit_detection(write_coco(document))
    assert dataset.files.tolist() == ["images/a.jpg", "images/b.jpg", "images/c.jpg"]
    assert dataset.image_ids.tolist() == [0, 7, 3]
    assert dataset.class_names == ("ant", "zebra", "never seen")
    assert dataset.boxes.tolist() == [[5, 5, 15, 15], [1, 2, 11, 22.5], [0, 0, 60, 40]]
    assert dataset.labels.tolist() == [0, 1, 0]
    assert dataset.crowd.tolist() == [True, False, False]
    assert dataset.areas.tolist() == [60.5, 205, 2400]
    assert dataset.offsets.tolist() == [0, 1, 3, 3]
    assert dataset.target(0).ignore.tolist() == [True]


@pytest.mark.parametrize(
    ("file", "photos"),
    [
        ("labels.json", "."),
        ("annotations/instances_all.json", "images"),
        ("annotations/instances_train2017.json", "train2017"),
        ("deep/down/x.json", "anywhere/else"),
    ],
)
def test_photos_are_found_wherever_they_lie(
    write_coco: Write, coco: Make, annotation: Make, file: str, photos: str
) -> None:
    document = coco([(1, "a.jpg"), (2, "b.jpg")], [annotation(1, 1, [1, 1, 5, 5])])
    root = write_coco(document, file, photos)
    dataset = read_detection(root)
    assert len(dataset) == 2
    if file != "deep/down/x.json":
        assert read_detection(root / file).fingerprint() == dataset.fingerprint()


def test_file_names_with_folders(write_coco: Write, coco: Make) -> None:
    root = write_coco(coco([(1, "one/a.jpg"), (2, "two/a.jpg")]))
    assert read_detection(root).files.tolist() == ["images/one/a.jpg", "images/two/a.jpg"]


def test_a_json_in_a_folder_for_annotations_finds_photos_beside_it(
    write_coco: Write, coco: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = write_coco(coco([(1, "a.jpg"), (2, "b.jpg")]), "annotations/my.json")
    monkeypatch.chdir(root / "annotations")
    assert read_detection("my.json").files.tolist() == ["images/a.jpg", "images/b.jpg"]


# ---------------------------------------------------------------- several files


def test_several_files_give_the_splits_and_may_share_photo_names(
    write_coco: Write, coco: Make, annotation: Make
) -> None:
    for split in ("train2017", "val2017", "test2017"):
        document = coco([(1, "a.jpg")], [annotation(1, 1, [1, 1, 5, 5])])
        root = write_coco(document, f"annotations/instances_{split}.json", split)
    (root / "annotations/captions_val2017.json").write_text('{"info": {}, "images": [], "annotations": []}')
    dataset = read_detection(root)
    assert dataset.files.tolist() == ["test2017/a.jpg", "train2017/a.jpg", "val2017/a.jpg"]
    assert dataset.splits.tolist() == ["test", "train", "val"]
    assert dataset.image_ids.tolist() == [0, 1, 2]  # all were 1
    unused, empty = dataset.notes
    captions = root / "annotations/captions_val2017.json"
    assert unused == f"Label files that are not used (1):\n  {captions}: no file of instances"
    assert empty.startswith("Classes without objects (1):\n")


def test_the_folder_of_a_file_may_name_the_split(write_coco: Write, coco: Make) -> None:
    for number, split in enumerate(("train", "valid", "test")):
        root = write_coco(coco([(number, f"{number}.jpg")]), f"{split}/_annotations.coco.json", split)
    dataset = read_detection(root)
    assert dataset.splits.tolist() == ["test", "train", "val"]
    assert dataset.image_ids.tolist() == [2, 0, 1]


def test_classes_of_several_files_are_matched_by_name(
    write_coco: Write, coco: Make, annotation: Make
) -> None:
    box = [1, 1, 5, 5]
    write_coco(coco([(1, "a.jpg")], [annotation(1, 1, box)], [(1, "cat"), (2, "dog")]), "train.json")
    root = write_coco(coco([(2, "b.jpg")], [annotation(2, 1, box)], [(1, "dog"), (2, "owl")]), "test.json")
    dataset = read_detection(root)
    assert [dataset.class_names[label] for label in dataset.labels] == ["cat", "dog"]
    assert sorted(dataset.class_names) == ["cat", "dog", "owl"]


def test_an_overview_beside_files_with_splits_is_left_out(write_coco: Write, coco: Make) -> None:
    write_coco(coco([(1, "a.jpg")]), "train.json")
    write_coco(coco([(2, "b.jpg")]), "test.json")
    write_coco(coco([(3, "c.jpg")]), "val.json")
    root = write_coco(coco([(1, "a.jpg"), (2, "b.jpg")]), "all.json")
    dataset = read_detection(root)
    assert len(dataset) == 3
    unused, empty = dataset.notes
    reason = "files with a split in their name list the same photos"
    assert unused == f"Label files that are not used (1):\n  {root / 'all.json'}: {reason}"
    assert empty.startswith("Classes without objects (2):\n")


def test_a_photo_in_two_files_is_refused(write_coco: Write, coco: Make) -> None:
    write_coco(coco([(1, "a.jpg")]), "train.json")
    root = write_coco(coco([(1, "a.jpg")]), "test.json")
    with pytest.raises(LabelError, match=r"train\.json:.*images/a\.jpg, also at .*test\.json"):
        read_detection(root)


def test_trainval_alone_is_split_at_random(write_coco: Write, coco: Make) -> None:
    root = write_coco(coco([(n, f"{n}.jpg") for n in range(10)]), "trainval.json")
    assert sorted(read_detection(root).splits.tolist()) == ["test"] * 2 + ["train"] * 7 + ["val"]


def test_categories_with_the_same_name_are_one_class(write_coco: Write, coco: Make, annotation: Make) -> None:
    document = coco([(1, "a.jpg")], [annotation(1, 1, [1, 1, 5, 5])], [(0, "cell"), (1, "cell")])
    dataset = read_detection(write_coco(document))
    assert dataset.class_names == ("cell",)
    assert "categories[1] (id 1): another cell" in dataset.notes[0]


def test_unlisted_photos_are_noted_but_not_those_in_other_folders(
    write_coco: Write, coco: Make, save_photo: Callable[..., None]
) -> None:
    root = write_coco(coco([(n, f"{n}.jpg") for n in range(3)]))
    save_photo(root / "images/extra.jpg")
    save_photo(root / "masks/0.png")
    extra = root / "images/extra.jpg"
    note = f"Photos without labels (1):\n  {extra}: left out: no label names it"
    assert note in read_detection(root).notes


# ---------------------------------------------------------------- errors


def refused(root: Path, message: str, **options: Any) -> None:
    with pytest.raises(LabelError, match=message):
        read_detection(root, **options)


def test_unknown_ids_are_refused(write_coco: Write, coco: Make, annotation: Make) -> None:
    root = write_coco(coco([(1, "a.jpg")], [annotation(1, 1, [1, 1, 5, 5]), annotation(5, 1, [1, 1, 5, 5])]))
    refused(root, r"instances\.json:\d+: annotations\[1\] \(id 101\): has image_id 5")
    root = write_coco(coco([(1, "a.jpg")], [annotation(1, 8, [1, 1, 5, 5])]))
    refused(root, r"annotations\[0\] \(id 100\): has category_id 8; categories have the ids 1, 2\n")


def test_ids_given_twice_are_refused(write_coco: Write, coco: Make) -> None:
    refused(
        write_coco(coco([(1, "a.jpg"), (1, "b.jpg")])),
        r"images\[1\] \(id 1\): the same id as .*images\[0\] \(id 1\)\nGive each image",
    )
    refused(
        write_coco(coco([(1, "a.jpg")], (), [(1, "x"), (1, "y")])),
        r"categories\[1\] \(id 1\): the same id as ",
    )


def test_a_photo_listed_twice_is_refused(write_coco: Write, coco: Make) -> None:
    refused(
        write_coco(coco([(303, "a.jpg"), (304, "a.jpg")])),
        r"labeled more than once \(1\):\n.*instances\.json:9: images\[1\] \(id 304\): images/a\.jpg, "
        r"also at .*instances\.json:3: images\[0\] \(id 303\)",
    )


def test_a_missing_photo_is_refused(write_coco: Write, coco: Make) -> None:
    root = write_coco(coco([(1, "a.jpg"), (2, "b.jpg")]))
    (root / "images/b.jpg").unlink()
    refused(root, r"instances\.json:\d+: images\[1\] \(id 2\): b\.jpg\nAdd the photos")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"bbox": [1, 2, 3]}, r"has bbox \[1, 2, 3\], not \[x, y, width, height\]"),
        ({"bbox": ["1", 2, 3, 4]}, r"has bbox \['1', 2, 3, 4\]"),
        ({"category_id": 1.5}, r"has category_id 1\.5"),
        ({"area": "big"}, "has area 'big', not a number"),
        ({"iscrowd": 2}, "has iscrowd 2, not 0 or 1"),
    ],
)
def test_malformed_entries_are_refused(
    write_coco: Write, coco: Make, annotation: Make, change: dict[str, Any], message: str
) -> None:
    root = write_coco(coco([(1, "a.jpg")], [annotation(1, 1, [1, 1, 5, 5]) | change]))
    refused(root, r"annotations\[0\] \(id 100\): " + message)


def test_incomplete_entries_are_refused(write_coco: Write, coco: Make) -> None:
    document = coco([(1, "a.jpg")], [{"image_id": 1, "category_id": 1, "segmentation": []}])
    refused(write_coco(document), r"annotations\[0\] \(id 100\): has no bbox")
    document["annotations"] = [17]
    refused(write_coco(document), r"annotations\[0\]: should be an object, found 17")


@pytest.mark.parametrize(
    ("box", "reason"),
    [
        ([5, 5, 0, 9], "is 0 wide and 9 high"),
        ([5, 5, -3, 9], "is -3 wide and 9 high"),
        ([70, 5, 5, 9], "lies outside its photo of 60 × 40 pixels: x 70 to 75, y 5 to 14"),
        ([5, 5, float("nan"), 9], "has a coordinate that is not finite"),
        ([5, 5, float("inf"), 9], "has a coordinate that is not finite"),
        ([50.0, 5, 1e-9, 9], "lies outside its photo"),
    ],
)
def test_a_bad_box_stops_or_is_skipped(
    write_coco: Write, coco: Make, annotation: Make, box: list[float], reason: str
) -> None:
    root = write_coco(coco([(1, "a.jpg")], [annotation(1, 1, [1, 1, 5, 5]), annotation(1, 2, box)]))
    refused(root, rf"instances\.json:\d+: annotations\[1\] \(id 101\): dog in images/a\.jpg .*{reason}")
    dataset = read_detection(root, on_bad_boxes="skip")
    assert dataset.boxes.tolist() == [[1, 1, 6, 6]]
    assert "annotations[1] (id 101)" in dataset.notes[0]


def test_errors_name_the_line_of_the_entry(write_coco: Write, coco: Make, annotation: Make) -> None:
    document = coco([(1, "a.jpg")], [annotation(1, 1, [1, 1, 5, 5])] * 3 + [annotation(1, 1, [1, 1, 0, 0])])
    root = write_coco(document)
    lines = (root / "instances.json").read_text().splitlines()
    line = next(number for number, text in enumerate(lines, start=1) if '"id": 103' in text) - 1
    refused(root, rf"instances\.json:{line}: annotations\[3\]")
    root = write_coco(document, indent=None)
    refused(root, r"instances\.json: annotations\[3\]")


def test_broken_json(write_coco: Write, coco: Make) -> None:
    root = write_coco(coco([(1, "a.jpg")]))
    (root / "instances.json").write_text('{"images": [],\n "annotations": ]}')
    refused(root, r"instances\.json:2: column 17: broken JSON \(Expecting value\)")
    (root / "instances.json").write_bytes(b'{"images": ["\xff"]}')
    refused(root, r"instances\.json:1: byte 14 of this line is not UTF-8")


def test_json_with_a_byte_order_mark(write_coco: Write, coco: Make, annotation: Make) -> None:
    root = write_coco(coco([(1, "a.jpg")], [annotation(1, 1, [1, 1, 5, 0])]))
    file = root / "instances.json"
    file.write_text(file.read_text(), encoding="utf-8-sig")
    refused(root, r"instances\.json:\d+: annotations\[0\]")


def test_json_without_categories(write_coco: Write, coco: Make) -> None:
    root = write_coco(coco([(1, "a.jpg")]))
    (root / "instances.json").write_text(json.dumps({"images": [], "annotations": []}))
    refused(root, 'three lists, "images", "annotations" and "categories"; found images, annotations')


def test_no_photos_or_no_classes(write_coco: Write, coco: Make) -> None:
    refused(write_coco(coco([])), "name no photo")
    refused(write_coco(coco([(1, "a.jpg")], (), [])), "name no class")


def test_ids_that_are_words(write_coco: Write, coco: Make, annotation: Make) -> None:
    document = coco([("x", "b.jpg"), ("y", "a.jpg")], [annotation("x", "k", [1, 1, 5, 5])], [("k", "cat")])
    dataset = read_detection(write_coco(document))
    assert dataset.image_ids.tolist() == [0, 1]
    assert np.diff(dataset.offsets).tolist() == [0, 1]


def test_ignored_annotations_are_difficult(write_coco, coco, annotation) -> None:
    marks = [{"ignore": 1}, {"ignore": True}, {"ignore": 0}, {"ignore": "no"}, {}]
    objects = [annotation(1, 1, [4 * n, 4, 4, 5], **mark) for n, mark in enumerate(marks)]
    dataset = read_detection(write_coco(coco([(1, "a.jpg")], objects)))
    assert dataset.difficult.tolist() == [True, True, False, False, False]
