"""COCO values in unusual forms: harmless ones are accepted, others are refused with what was expected."""

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

SQUARE = [10, 10, 30, 10, 30, 30, 10, 30]


@pytest.fixture
def document(coco: Make, annotation: Make) -> dict[str, Any]:
    """Three photos, each with one box of 20 × 20 pixels."""
    boxes = [annotation(1 + n, 1 + n % 2, [8 + n, 8, 20, 20], area=300, iscrowd=0) for n in range(3)]
    return coco([(1, "a.jpg"), (2, "b.jpg"), (3, "c.jpg")], boxes)


def refused(root: Path, message: str) -> None:
    with pytest.raises(LabelError, match=message):
        read_detection(root)


# ---------------------------------------------------------------- accepted


@pytest.mark.parametrize(
    ("key", "field", "value"),
    [
        ("annotations", "category_id", 1.0),
        ("annotations", "image_id", 1.0),
        ("annotations", "iscrowd", False),
        ("annotations", "iscrowd", None),
        ("annotations", "iscrowd", 0.0),
        ("images", "id", 1.0),
        ("images", "width", "60"),
        ("images", "width", 60.0),
        pytest.param("images", "width", 10**400, id="width-large"),
        ("images", "height", None),
        ("categories", "id", 1.0),
        ("categories", "name", " cat "),
    ],
)
def test_harmless_forms_are_accepted_without_a_note(
    write_coco: Write, document: dict[str, Any], key: str, field: str, value: object
) -> None:
    expected = read_detection(write_coco(document))
    document[key][0][field] = value
    dataset = read_detection(write_coco(document))
    assert dataset.fingerprint() == expected.fingerprint()
    assert dataset.image_ids.tolist() == [1, 2, 3]
    assert dataset.notes == expected.notes


@pytest.mark.parametrize(("flag", "crowd"), [("0", False), ("1", True)])
def test_iscrowd_as_text_is_read_as_a_number_and_noted(
    write_coco: Write, document: dict[str, Any], flag: str, crowd: bool
) -> None:
    document["annotations"][1]["iscrowd"] = flag
    dataset = read_detection(write_coco(document))
    assert dataset.crowd.tolist() == [False, crowd, False]
    (note,) = (note for note in dataset.notes if "iscrowd is text" in note)
    assert "annotations[1] (id 101)" in note


@pytest.mark.parametrize("nothing", [[], None, ""])
def test_an_empty_box_beside_an_outline_is_a_missing_box(
    write_coco: Write, document: dict[str, Any], nothing: object
) -> None:
    document["annotations"][0] |= {"bbox": nothing, "segmentation": [SQUARE]}
    assert read_detection(write_coco(document)).boxes[0].tolist() == [10, 10, 30, 30]


@pytest.mark.parametrize("shift", [2**63, 2**64, 2**70, -(2**70), 10**300])
def test_image_ids_may_be_any_whole_numbers(write_coco: Write, document: dict[str, Any], shift: int) -> None:
    expected = read_detection(write_coco(document))
    for entry in document["images"]:
        entry["id"] += shift
    for entry in document["annotations"]:
        entry["image_id"] += shift
    dataset = read_detection(write_coco(document))
    assert dataset.fingerprint() == expected.fingerprint()
    assert dataset.image_ids.tolist() == [0, 1, 2]


def test_the_largest_ids_of_64_bits_are_kept(write_coco: Write, document: dict[str, Any]) -> None:
    document["images"][0]["id"] = document["annotations"][0]["image_id"] = 2**63 - 1
    assert read_detection(write_coco(document)).image_ids.tolist() == [2**63 - 1, 2, 3]


def test_category_ids_may_be_any_whole_numbers(write_coco: Write, document: dict[str, Any]) -> None:
    for entry in document["categories"]:
        entry["id"] += 2**80
    for entry in document["annotations"]:
        entry["category_id"] += 2**80
    assert read_detection(write_coco(document)).labels.tolist() == [0, 1, 0]


# ---------------------------------------------------------------- refused


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"bbox": ["8", "8", "20", "20"]},
            r".*, not \[x, y, width, height\] as numbers without quotation marks",
        ),
        ({"bbox": []}, r"has bbox \[\], not \[x, y, width, height\]"),
        ({"bbox": {"x": 8}}, r"has bbox {'x': 8}, not \[x, y, width, height\]"),
        ({"bbox": [8, 8, None, 20]}, r"has bbox \[8, 8, None, 20\], not"),
        ({"image_id": None}, "has image_id None, not a whole number or text"),
        ({"image_id": True}, "has image_id True, not a whole number or text"),
        ({"category_id": float("nan")}, "has category_id nan, not a whole number or text"),
        ({"category_id": float("inf")}, "has category_id inf, not a whole number or text"),
        ({"category_id": [1]}, r"has category_id \[1\], not a whole number or text"),
        ({"area": [4]}, r"has area \[4\], not a number"),
        ({"iscrowd": "yes"}, "has iscrowd 'yes', not 0 or 1"),
        ({"iscrowd": float("nan")}, "has iscrowd nan, not 0 or 1"),
    ],
)
def test_wrong_values_are_refused_with_what_was_expected(
    write_coco: Write, document: dict[str, Any], change: dict[str, Any], message: str
) -> None:
    document["annotations"][1] |= change
    refused(write_coco(document), rf"instances\.json:\d+: annotations\[1\] \(id 101\): {message}")


def test_a_long_value_is_cut(write_coco: Write, document: dict[str, Any]) -> None:
    document["annotations"][1]["bbox"] = list(range(1000))
    with pytest.raises(LabelError) as raised:
        read_detection(write_coco(document))
    assert len(str(raised.value)) < 400


def test_class_names_are_text(write_coco: Write, document: dict[str, Any]) -> None:
    document["categories"][1]["name"] = 3
    refused(
        write_coco(document),
        r"categories\[1\] \(id 2\): has name 3, not text in quotation marks, such as \"3\"",
    )
    document["categories"][1]["name"] = "  "
    refused(write_coco(document), r"has name '  ', not a name")
    del document["categories"][1]["name"]
    refused(write_coco(document), r"has no name; expected a name")


@pytest.mark.parametrize(
    ("value", "found"),
    [(None, "null"), ({}, "an object"), ("[]", "text"), (7, "a number"), (True, "true or false")],
)
def test_a_list_that_is_none_is_named_with_what_was_found(
    write_coco: Write, document: dict[str, Any], value: object, found: str
) -> None:
    root = write_coco(document)
    (root / "instances.json").write_text(json.dumps({**document, "annotations": value}))
    refused(
        root,
        rf"instances\.json: COCO needs three lists.*; found images.*; annotations is {found}, not a list\.",
    )


@pytest.mark.parametrize(("known", "used", "kind"), [("1", 1, "text: '1'"), (1, "1", "a number: 1")])
def test_ids_of_another_type_are_named_as_such(
    write_coco: Write, document: dict[str, Any], known: object, used: object, kind: str
) -> None:
    document["images"] = [{**document["images"][0], "id": known}]
    document["annotations"] = [{**document["annotations"][0], "image_id": used}]
    refused(
        write_coco(document),
        rf"annotations\[0\] \(id 100\): has image_id {used!r}, but images have it as {kind}\. "
        "Write both as numbers or both as text",
    )


@pytest.mark.parametrize(("shift", "remedy"), [(-1, "adding 1 to"), (1, "subtracting 1 from")])
def test_category_ids_that_count_from_another_number_are_recognized(
    write_coco: Write, document: dict[str, Any], shift: int, remedy: str
) -> None:
    for entry in document["annotations"]:
        entry["category_id"] += shift
    refused(
        write_coco(document),
        rf"categories have the ids 1, 2; all would be known after {remedy} each category_id",
    )


def test_annotations_with_the_same_id_are_used_and_noted(write_coco: Write, document: dict[str, Any]) -> None:
    document["annotations"][2]["id"] = 100
    dataset = read_detection(write_coco(document))
    assert len(dataset.boxes) == 3
    (note,) = (note for note in dataset.notes if note.startswith("Annotations with the same id (1):"))
    assert "annotations[0] (id 100)" in note
    assert "annotations[2] (id 100)" in note


# ---------------------------------------------------------------- large numbers


@pytest.mark.parametrize("position", range(4))
@pytest.mark.parametrize("number", [10**400, -(10**400), float("inf")], ids=["large", "negative", "infinite"])
def test_a_coordinate_of_400_digits_is_a_bad_box(
    write_coco: Write, document: dict[str, Any], position: int, number: float
) -> None:
    document["annotations"][1]["bbox"][position] = number
    refused(write_coco(document), r"annotations\[1\] \(id 101\): dog in images/b\.jpg has a coordinate")


def test_an_area_of_400_digits_is_computed_anew(write_coco: Write, document: dict[str, Any]) -> None:
    document["annotations"][1]["area"] = 10**400
    assert read_detection(write_coco(document)).areas.tolist() == [300, 400, 300]


def test_polygons_and_run_lengths_of_400_digits_are_refused(
    write_coco: Write, document: dict[str, Any]
) -> None:
    for segmentation in (
        [[10**400, 10, 30, 10, 30, 30]],
        {"size": [40, 60], "counts": [10**400, 5]},
        {"size": [10**400, 60], "counts": [2400]},
    ):
        document["annotations"][1]["segmentation"] = segmentation
        refused(write_coco(document), r"annotations\[1\] \(id 101\)")


# ---------------------------------------------------------------- categories


def test_a_category_that_is_only_a_supercategory_is_no_class(
    write_coco: Write, document: dict[str, Any]
) -> None:
    for category in document["categories"]:
        category["supercategory"] = "pets"
    document["categories"].insert(0, {"id": 0, "name": "pets", "supercategory": "none"})
    dataset = read_detection(write_coco(document))
    assert dataset.class_names == ("cat", "dog")
    assert dataset.labels.tolist() == [0, 1, 0]
    (note,) = (note for note in dataset.notes if "only group others" in note)
    assert "categories[0] (id 0): pets" in note


def test_a_supercategory_with_an_object_is_a_class(write_coco: Write, document: dict[str, Any]) -> None:
    document["categories"][1]["supercategory"] = "cat"
    dataset = read_detection(write_coco(document))
    assert dataset.class_names == ("cat", "dog")
    assert not any("only group others" in note for note in dataset.notes)


def test_a_category_that_is_its_own_supercategory_is_a_class(
    write_coco: Write, document: dict[str, Any]
) -> None:
    document["categories"].append({"id": 3, "name": "person", "supercategory": "person"})
    assert read_detection(write_coco(document)).class_names == ("cat", "dog", "person")


def test_a_supercategory_with_an_object_in_another_file_is_a_class(
    write_coco: Write, coco: Make, annotation: Make
) -> None:
    categories = [{"id": 0, "name": "pet"}, {"id": 1, "name": "cat", "supercategory": "pet"}]
    for category_id, split in ((1, "train"), (0, "test")):
        document = coco([(1, f"{split}.jpg")], [annotation(1, category_id, [1, 1, 5, 5])])
        root = write_coco({**document, "categories": categories}, f"{split}.json")
    assert read_unsplit_detection(root).class_names == ("pet", "cat")


def test_supercategories_of_one_another_are_classes(write_coco: Write, coco: Make) -> None:
    document = coco([(1, "a.jpg")])
    document["categories"] = [
        {"id": 1, "name": "cat", "supercategory": "dog"},
        {"id": 2, "name": "dog", "supercategory": "cat"},
    ]
    assert read_detection(write_coco(document)).class_names == ("cat", "dog")


def test_categories_in_two_levels_above_the_classes_are_left_out(
    write_coco: Write, document: dict[str, Any]
) -> None:
    document["categories"] = [
        {"id": 8, "name": "things", "supercategory": None},
        {"id": 9, "name": "pets", "supercategory": "things"},
        {"id": 1, "name": "cat", "supercategory": "pets"},
        {"id": 2, "name": "dog", "supercategory": "pets"},
    ]
    assert read_detection(write_coco(document)).class_names == ("cat", "dog")


def test_areas_have_the_type_of_the_data_set(write_coco: Write, document: dict[str, Any]) -> None:
    assert read_detection(write_coco(document)).areas.dtype == np.float32
