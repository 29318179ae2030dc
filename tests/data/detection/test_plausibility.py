"""Labels that are wrong as a whole: coordinates of another kind are refused, what may be true is noted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from boxmask.data.detection.box_checks import OnBadBoxes
from boxmask.data.detection.read import read_detection, read_unsplit_detection
from boxmask.errors import LabelError

Write = Callable[..., Path]
Make = Callable[..., dict[str, Any]]
Boxes = Sequence[Sequence[float]]

GOOD = [[2.5 + n, 3 + n, 14 + n, 9 + n] for n in range(12)]


@pytest.fixture
def write(write_coco: Write, coco: Make, annotation: Make) -> Callable[..., Path]:
    """Write a photo of 60 × 40 pixels per box."""

    def write(boxes: Boxes, **more: Any) -> Path:
        entries = [annotation(n, 1, box, **more) for n, box in enumerate(boxes)]
        return write_coco(coco([(n, f"{n:02}.jpg") for n in range(len(boxes))], entries, [(1, "cat")]))

    return write


def notes(root: Path, **options: Any) -> list[str]:
    """The notes, without the one on splits."""
    dataset = read_detection(root, **options)
    return [note for note in dataset.notes if "splits" not in note]


def test_plausible_boxes_have_no_notes(write: Write) -> None:
    assert notes(write(GOOD)) == []


# ---------------------------------------------------------------- fractions


@pytest.mark.parametrize(
    "boxes",
    [
        [[0.1, 0.2, 0.3, 0.4]],
        [[0.5, 0.5, 0.25, 0.5], [0.1, 0.1, 0.2, 0.2]],
        [[0, 0, 1, 1], [0.25, 0.25, 0.5, 0.75]],
    ],
)
@pytest.mark.parametrize("on_bad_boxes", [None, "skip"])
def test_fractions_in_coco_are_refused(write: Write, boxes: Boxes, on_bad_boxes: OnBadBoxes | None) -> None:
    with pytest.raises(
        LabelError, match=r"fractions of the photo instead of pixels \(.*\n.*\[0\].*x 0"
    ) as raised:
        read_detection(write(boxes), on_bad_boxes=on_bad_boxes)
    assert "Multiply x and the width by the width of the photo" in str(raised.value)


def test_fractions_in_voc_are_refused(write_voc: Write) -> None:
    root = write_voc({"a": [("cat", 0.1, 0.2, 0.3, 0.4)], "b": [("cat", 0.0, 0.5, 0.9, 1.0)]})
    with pytest.raises(
        LabelError, match=r"fractions of the photo.*\n.*a\.xml:4: cat in JPEGImages/a\.jpg: x -0\.9"
    ):
        read_detection(root)


def test_some_boxes_in_fractions_are_bad_boxes(write: Write) -> None:
    root = write([*GOOD, [0.1, 0.2, 0.3, 0.4]])
    with pytest.raises(
        LabelError, match=r"12\.jpg lies within the first pixel: x 0\.1 to 0\.4, y 0\.2 to 0\.6"
    ):
        read_detection(root)
    assert len(read_detection(root, on_bad_boxes="skip").boxes) == 12


def test_a_box_of_the_first_pixel_is_a_box(write: Write) -> None:
    assert len(read_detection(write([*GOOD, [0, 0, 1, 1]])).boxes) == 13


def test_boxes_without_size_are_no_fractions(write: Write) -> None:
    with pytest.raises(LabelError, match="without area"):
        read_detection(write([[0, 0, 0, 0]] * 3))


# ---------------------------------------------------------------- corners


CORNERS = [[10, 10, 55, 35], [5, 12, 50, 38], [20, 15, 30, 30], [1, 2, 60, 40]]


@pytest.mark.parametrize("on_bad_boxes", [None, "skip"])
def test_corners_in_cocos_bbox_are_refused(write: Write, on_bad_boxes: OnBadBoxes | None) -> None:
    with pytest.raises(
        LabelError, match=r"Boxes written as corners instead of width and height \(1\)"
    ) as raised:
        read_detection(write(CORNERS), on_bad_boxes=on_bad_boxes)
    assert "images/00.jpg: x 10 to 65, y 10 to 45" in str(raised.value)
    assert "subtract x from the third value, and y from the fourth" in str(raised.value)


@pytest.mark.parametrize(
    "boxes",
    [
        CORNERS[:2],  # too few to tell
        [*CORNERS, [30, 20, 20, 15]],  # not as corners
        [[10, 10, 40, 28], [5, 12, 50, 20], [20, 15, 30, 24], [1, 2, 59, 38]],  # inside the photo as they are
        [[10, 10, 65, 45], *CORNERS],  # beyond the photo as corners, too
    ],
)
def test_boxes_that_are_no_corners_are_read(write: Write, boxes: Boxes) -> None:
    assert len(read_detection(write(boxes)).boxes) == len(boxes)


# ---------------------------------------------------------------- notes


def test_copies_of_an_object_are_counted_and_kept(write_coco: Write, coco: Make, annotation: Make) -> None:
    box = annotation(1, 1, [5, 5, 20, 20])
    others = [
        annotation(1, 2, [5, 5, 20, 20]),
        annotation(2, 1, [5, 5, 20, 20]),
        annotation(1, 1, [5, 5, 20, 21]),
    ]
    root = write_coco(coco([(1, "a.jpg"), (2, "b.jpg")], [box, *others, box, box]))
    assert len(read_detection(root).boxes) == 6
    (note,) = (note for note in notes(root) if "Repeated boxes" in note)
    assert note.startswith("Repeated boxes (2):")
    assert note.count("annotations[0] (id 100)") == 2
    assert note.count("annotations[") == 4


def test_objects_of_one_box_and_different_outlines_are_no_copies(
    write_coco: Write, coco: Make, annotation: Make
) -> None:
    upper, lower = [5, 5, 25, 5, 25, 25], [5, 5, 25, 25, 5, 25]
    entries = [annotation(1, 1, [5, 5, 20, 20], segmentation=[outline]) for outline in (upper, lower, upper)]
    (note,) = notes(write_coco(coco([(1, "a.jpg")], entries, [(1, "cat")])))
    assert note.startswith("Repeated boxes (1):")


def test_equal_boxes_in_all_photos_are_noted(write: Write) -> None:
    assert notes(write([[5, 5, 30, 30]] * 9)) == []
    (note,) = notes(write([[5, 5, 30, 30]] * 10))
    assert note.startswith("Data sets in which all boxes are the same (1):\n")
    assert "cat in images/00.jpg has the box of all 10 objects: x 5 to 35, y 5 to 35" in note


def test_boxes_of_whole_photos_are_noted(write: Write) -> None:
    found = notes(write([[0, 0, 60, 40], [1, 0, 59, 39]] * 5))
    assert any("10 of 10 boxes cover their whole photo" in note for note in found)


def test_boxes_in_one_quarter_of_all_photos_are_noted(write: Write) -> None:
    (note,) = notes(write([[n, n, 15, 8] for n in range(11)]))
    assert note.startswith("Data sets in which all boxes lie in the upper left quarter (1):")
    assert "lies there, as all 11 boxes do" in note
    assert notes(write([[n, n, 15, 8] for n in range(13)])) == []


@pytest.mark.parametrize(("first", "count"), [(0, 2), (1, 0), (-3, 0)])
def test_voc_boxes_that_count_from_zero_are_noted(write_voc: Write, first: int, count: int) -> None:
    boxes = [("cat", first, 5, 20, 20), ("cat", 5, 0 if count else 5, 20, 31), ("cat", 8, 8, 20, 20)]
    found = [note for note in notes(write_voc({"a": boxes})) if "count pixels from 0" in note]
    assert [f"count pixels from 0 ({count}):" in note for note in found] == [True] * (count > 0)


def test_classes_without_objects_are_noted(write_coco: Write, coco: Make, annotation: Make) -> None:
    categories = [(1, "cat"), (2, "dog"), (3, "owl"), (4, "elk")]
    entries = [annotation(1, 1, [5, 5, 20, 20]), annotation(1, 2, [5, 5, 20, 9], iscrowd=1)]
    dataset = read_unsplit_detection(write_coco(coco([(1, "a.jpg")], entries, categories)))
    assert dataset.class_names == ("cat", "dog", "owl", "elk")
    (note,) = (note for note in dataset.notes if note.startswith("Classes without objects (3):"))
    assert all(f'"{name}"' in note for name in ("dog", "owl", "elk"))
