"""Bad boxes are left out while they are few, and stop the reading otherwise."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from boxmask.data.classification.read import read_classification
from boxmask.data.detection.box_checks import MAX_BAD_BOX_SHARE, OnBadBoxes
from boxmask.data.detection.read import read_detection
from boxmask.errors import LabelError, UsageError
from boxmask.messages import shorten_note

Write = Callable[[int, int], Path]


@pytest.fixture
def write(write_coco: Callable[..., Path], coco: Callable[..., Any], annotation: Callable[..., Any]) -> Write:
    """Write a data set of `good` boxes, the last `bad` of which have no width; returns the root."""

    def write(good: int, bad: int) -> Path:
        boxes = [annotation(1 + n % 3, 1 + n % 2, [5, 5, 9, 9]) for n in range(good)]
        empty = [annotation(3, 1, [5, 5, 0, 9]) for _ in range(bad)]
        return write_coco(coco([(1, "train/a.jpg"), (2, "val/b.jpg"), (3, "test/c.jpg")], boxes + empty))

    return write


def test_bad_boxes_below_one_percent_are_left_out_by_default(write: Write) -> None:
    dataset = read_detection(write(398, 2))
    assert len(dataset.boxes) == 398
    (note,) = (note for note in dataset.notes if "left out" in note)
    assert note.startswith("left out: 2 of 400 boxes (0.5 %): boxes without area:\n")
    assert "annotations[398]" in note
    assert "annotations[399]" in note
    short = shorten_note(note, Path("notes.txt"))
    assert "\n" not in short
    assert "without area; the first: " in short
    assert "annotations[398]" in short
    assert short.endswith(". All are listed in notes.txt.")


@pytest.mark.parametrize(("good", "bad"), [(98, 2), (99, 1)])
def test_bad_boxes_from_one_percent_on_stop_by_default(write: Write, good: int, bad: int) -> None:
    assert bad / (good + bad) >= MAX_BAD_BOX_SHARE
    with pytest.raises(LabelError) as raised:
        read_detection(write(good, bad))
    assert f"Boxes without area ({bad} of 100, {bad} %):" in str(raised.value)
    assert "By default they are left out while they are under 1 % of all." in str(raised.value)
    assert '--on-bad-boxes skip (in Python: on_bad_boxes="skip")' in str(raised.value)


@pytest.mark.parametrize("reader", [read_detection, read_classification])
def test_error_stops_at_one_bad_box(write: Write, reader: Callable[..., object]) -> None:
    root = write(399, 1)
    reader(root)
    with pytest.raises(LabelError, match=r"without area \(1 of 400, 0\.25 %\)"):
        reader(root, on_bad_boxes="error")


def test_skip_never_stops(write: Write) -> None:
    assert len(read_detection(write(2, 20), on_bad_boxes="skip").boxes) == 2


@pytest.mark.parametrize("choice", [None, "error"])
def test_skip_is_not_advised_where_no_box_would_be_left(write: Write, choice: OnBadBoxes | None) -> None:
    with pytest.raises(LabelError, match=r"\(3 of 3, 100 %\)") as raised:
        read_detection(write(0, 3), on_bad_boxes=choice)
    assert "--on-bad-boxes" not in str(raised.value)


def test_an_unknown_choice_is_refused(write: Write) -> None:
    choice: Any = "ignore"
    with pytest.raises(
        UsageError, match=r'on_bad_boxes.: expected one of "error", "skip", None, found "ignore"'
    ):
        read_detection(write(2, 20), on_bad_boxes=choice)


def test_a_click_without_a_drag_in_a_small_set_is_named_with_what_to_do(
    write_coco: Callable[..., Path], coco: Callable[..., Any], annotation: Callable[..., Any]
) -> None:
    boxes = [annotation(1, 1, box) for box in ([5, 5, 9, 9], [7, 7, 0, 0], [20, 5, 9, 9])]
    with pytest.raises(LabelError) as raised:
        read_detection(write_coco(coco([(1, "a.jpg")], boxes)))
    message = str(raised.value)
    assert "(1 of 3, 33 %)" in message
    assert "is 0 wide and 0 high; expected more than 0 (a click without a drag?)" in message
    assert "leave these boxes out with --on-bad-boxes skip" in message
