"""Mended copies: what is mended, what is left, and that nothing else changes."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from boxmask.data.class_selection import ClassSelection
from boxmask.doctor.check import check_data
from boxmask.doctor.fix.fix import MendedCopy, fix_data
from boxmask.errors import LabelError, UsageError

WriteCoco = Callable[..., Path]
BoxesOf = Callable[[Path], list[list[float]]]
Fix = Callable[[Path, Path], MendedCopy]

SIZE = (64, 48)
SOUND = [[8.0, 8.0, 20.0, 12.0], [2.5, 4.0, 30.0, 30.0]]


@pytest.fixture
def mend(write_coco: WriteCoco, fix: Fix, tmp_path: Path) -> Callable[..., MendedCopy]:
    """Mend boxes in COCO's form, on two photos in turn, into the folder "out"."""

    def call(*boxes: list[float], **options: Any) -> MendedCopy:
        return fix(write_coco(tmp_path / "data", boxes, **options), tmp_path / "out")

    return call


def labels_of(folder: Path) -> list[list[Any]]:
    """Photo, class and box of the objects in a mended copy, in the order of the file."""
    [file] = (folder / "annotations").glob("*.json")
    annotations = json.loads(file.read_text(encoding="utf-8"))["annotations"]
    return [[a[key] for key in ("image_id", "category_id", "bbox")] for a in annotations]


def ids(copy: MendedCopy) -> list[str]:
    return [change.kind.id for change in copy.changes]


def test_sound_labels_stay_as_they_are(mend: Callable[..., MendedCopy], boxes_of: BoxesOf) -> None:
    copy = mend(*SOUND)
    assert copy.changes == ()
    assert boxes_of(copy.path) == SOUND
    assert (copy.path / "changes.diff").read_text() == ""
    assert sorted(p.name for p in (copy.path / "images").iterdir()) == ["0.png", "1.png"]
    assert not copy.report.has_errors


@pytest.mark.parametrize(
    ("box", "kind_id", "mended"),
    [
        ([29, 20, -20, -12], "box-inverted", [9, 8, 20, 12]),
        ([29, 8, -20, 12], "box-inverted", [9, 8, 20, 12]),
        ([-6, 8, 20, 12], "box-beyond-edge", [0, 8, 14, 12]),
        ([50, 30, 30, 30], "box-beyond-edge", [50, 30, 14, 18]),
        ([10, 10, 0, 12], "box-empty", None),
        ([10, 10, 0, 0], "box-empty", None),
        (SOUND[0], "box-repeated", None),
    ],
)
def test_boxes_with_one_right_answer_are_mended(
    mend: Callable[..., MendedCopy],
    boxes_of: BoxesOf,
    box: list[float],
    kind_id: str,
    mended: list[float] | None,
) -> None:
    copy = mend(SOUND[0], box, photos=1, fields=[{"category_id": 1}] * 2)
    assert ids(copy) == [kind_id]
    assert boxes_of(copy.path) == [SOUND[0], *([mended] if mended else [])]
    change = str(copy.changes[0])
    assert "labels.json:" in change
    assert "annotations[1] (id 2): cat in images/0.png: " in change
    assert change.endswith(f"[{kind_id}]")


@pytest.mark.parametrize("box", [[80, 10, 20, 12], [10, -60, 20, 12], [10, 20, -20, 12]])
def test_what_has_no_one_answer_is_left(
    mend: Callable[..., MendedCopy], boxes_of: BoxesOf, box: list[float]
) -> None:
    copy = mend(*SOUND, box)
    assert copy.changes == ()
    assert boxes_of(copy.path) == [*SOUND, box]


def test_an_empty_box_is_taken_from_its_mask(mend: Callable[..., MendedCopy], boxes_of: BoxesOf) -> None:
    outline = {"segmentation": [[10, 10, 30, 10, 30, 20, 10, 20]]}
    copy = mend([10, 10, 0, 12], SOUND[1], fields=[outline, {}])
    assert ids(copy) == ["box-empty"]
    assert boxes_of(copy.path)[0] == [10, 10, 20, 10]


def test_many_boxes_beyond_the_edge_are_left(mend: Callable[..., MendedCopy]) -> None:
    assert mend(*[[40 + n / 2, 8, 30, 12] for n in range(12)], *SOUND).changes == ()


def test_a_negative_width_follows_the_mask(mend: Callable[..., MendedCopy], boxes_of: BoxesOf) -> None:
    outline = {"segmentation": [[30, 10, 50, 10, 50, 20, 30, 20]]}
    copy = mend([30, 10, -20, 10], SOUND[1], fields=[outline, {}])
    assert ids(copy) == ["box-inverted"]
    assert boxes_of(copy.path)[0] == [30, 10, 20, 10]


def test_the_diff_shows_the_changed_lines_alone(mend: Callable[..., MendedCopy]) -> None:
    copy = mend(*SOUND, [29, 20, -20, -12], [10, 10, 0, 12], [3, 3, 9, 9], [5, 5, 9, 9])
    diff = (copy.path / "changes.diff").read_text().splitlines()
    changed = [line for line in diff if line[0] in "+-" and line[:3] not in ("+++", "---")]
    assert [line[0] for line in changed] == ["-", "-", "+"] or [line[0] for line in changed] == [
        "-",
        "+",
        "-",
    ]
    assert "[29, 20, -20, -12]" in "".join(changed)
    assert "[9, 8, 20, 12]" in "".join(changed)


def test_the_accounts_lie_beside_the_labels(mend: Callable[..., MendedCopy]) -> None:
    copy = mend(*SOUND, [29, 20, -20, -12], [90, 10, 20, 12])
    changes = (copy.path / "changes.txt").read_text().splitlines()
    assert changes[0].endswith(": 1 change.")
    assert changes[1] == "  1 box-inverted"
    assert changes[3] == str(copy.changes[0])
    left = (copy.path / "left.txt").read_text().splitlines()
    assert left[0].startswith("Before: ")
    assert left[1].startswith("After:  ")


def test_photos_can_be_links(write_coco: WriteCoco, tmp_path: Path) -> None:
    data = write_coco(tmp_path / "data", SOUND)
    fix_data(check_data(data), tmp_path / "out", photos="link")
    first, second = data / "images" / "0.png", tmp_path / "out" / "images" / "0.png"
    assert first.samefile(second)


def test_the_original_is_never_changed(write_coco: WriteCoco, fix: Fix, tmp_path: Path) -> None:
    data = write_coco(tmp_path / "data", [*SOUND, [28, 20, -20, -12]])
    before = {path: path.read_bytes() for path in data.rglob("*") if path.is_file()}
    fix(data, tmp_path / "out")
    assert {path: path.read_bytes() for path in data.rglob("*") if path.is_file()} == before
    for out in (data, data / "out", tmp_path):
        with pytest.raises(UsageError):
            fix(data, out)


def test_a_copy_that_was_changed_is_not_replaced(write_coco: WriteCoco, fix: Fix, tmp_path: Path) -> None:
    data = write_coco(tmp_path / "data", SOUND)
    fix(data, tmp_path / "out")
    fix(data, tmp_path / "out")
    (tmp_path / "out" / "mine.txt").write_text("mine")
    with pytest.raises(UsageError, match="is not empty"):
        fix(data, tmp_path / "out")


def test_labels_that_cannot_be_read_are_wrong_usage(fix: Fix, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "labels.json").write_text('{"images": [')
    with pytest.raises(UsageError, match="cannot be read"):
        fix(tmp_path / "data", tmp_path / "out")


NUMBERS = st.one_of(st.integers(-30, 90), st.sampled_from([0.0, 0.5, 10.25, 63.9, 64.0, -0.001]))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(NUMBERS, NUMBERS, NUMBERS, NUMBERS), min_size=1, max_size=8))
def test_mending_a_mended_copy_changes_nothing(
    write_coco: WriteCoco,
    fix: Fix,
    tmp_path_factory: pytest.TempPathFactory,
    boxes: list[tuple[float, float, float, float]],
) -> None:
    folder = tmp_path_factory.mktemp("fix")
    try:
        first = fix(write_coco(folder / "data", boxes), folder / "first")
    except LabelError:  # all boxes may be fractions, so that no copy is written
        return
    second = fix(first.path, folder / "second")
    assert [str(change) for change in second.changes] == []
    assert (second.path / "changes.diff").read_text() == ""
    assert labels_of(second.path) == labels_of(first.path)
    assert json.dumps(second.report.to_dict()["totals"]) == json.dumps(first.report.to_dict()["totals"])


def test_chosen_classes_are_refused(write_coco: WriteCoco, tmp_path: Path) -> None:
    report = check_data(write_coco(tmp_path / "data", SOUND * 2), selection=ClassSelection(("cat",)))
    with pytest.raises(UsageError, match="boxmask convert --classes"):
        fix_data(report, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_archive_beside_the_copy(
    write_coco: WriteCoco, boxes_of: BoxesOf, fix: Fix, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BOXMASK_CACHE", str(tmp_path / "cache"))
    folder = write_coco(
        tmp_path / "data" / "set", [*SOUND, [29, 20, -20, -12], [float("inf"), 3, 4, 5]]
    ).parent
    archive = shutil.make_archive(str(tmp_path / "archives" / "set"), "zip", folder)
    copy = fix(Path(archive), tmp_path / "archives" / "mended")
    assert boxes_of(copy.path) == [*SOUND, [9, 8, 20, 12]]
    changes, left = ((copy.path / name).read_text() for name in ("changes.txt", "left.txt"))
    assert f"{archive}/set/labels.json:" in changes.partition("Not in the copy (1 object):")[0]
    assert f"{archive}/set/labels.json:" in changes.partition("Not in the copy (1 object):")[2]
    assert f"{archive}/set/labels.json:" in left
    assert str(tmp_path / "cache") not in changes + left


def test_an_archive_that_changes_after_its_check_is_not_unpacked_again(
    write_coco: WriteCoco, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BOXMASK_CACHE", str(tmp_path / "cache"))
    folder = write_coco(tmp_path / "data" / "set", [*SOUND, [29, 20, -20, -12]]).parent
    archive = Path(shutil.make_archive(str(tmp_path / "set"), "zip", folder))
    report = check_data(archive)
    unpacked = sorted((tmp_path / "cache" / "archives").iterdir())
    os.utime(archive, (1, 1))
    copy = fix_data(report, tmp_path / "mended")
    assert f"{archive}/set/labels.json:" in (copy.path / "changes.txt").read_text()
    assert sorted((tmp_path / "cache" / "archives").iterdir()) == unpacked


def test_photos_that_the_copy_lacks_are_listed(fix: Fix, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    for number, name in enumerate(("a0.jpg", "a0.png", "b.jpg")):
        pixels = np.random.default_rng(number).integers(0, 256, (48, 64, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(data / name)
    (data / "classes.txt").write_text("cat\n")
    for name in ("a0.txt", "b.txt"):
        (data / name).write_text("0 0.5 0.5 0.25 0.25\n")
    copy = fix(data, tmp_path / "out")
    assert [Path(absence.place.file).name for absence in copy.absences if absence.num_photos] == ["a0.png"]
    assert (copy.num_absent_errors, copy.has_errors) == (1, True)
    left = (copy.path / "left.txt").read_text(encoding="utf-8")
    assert "Found no longer" not in left
    assert "label-file-shared" in left.partition("Not in the copy, as changes.txt lists it:")[2]
    changes = (copy.path / "changes.txt").read_text(encoding="utf-8")
    listed = changes.partition("Not in the copy (1 photo, 1 other part):\n")[2].splitlines()
    assert listed[0] == (
        f"  {data / 'a0.png'}: photo (is the label file of a0.jpg and a0.png) [label-file-shared]"
    )


def test_photos_without_labels_are_no_errors(write_coco: WriteCoco, fix: Fix, tmp_path: Path) -> None:
    data = write_coco(tmp_path / "data", SOUND)
    Image.new("RGB", SIZE, "red").save(data / "images" / "new.png")
    copy = fix(data, tmp_path / "out")
    assert [Path(absence.place.file).name for absence in copy.absences] == ["new.png"]
    assert not copy.has_errors


def test_renamed_classes_and_moved_photos_are_listed(write_coco: WriteCoco, tmp_path: Path) -> None:
    data = write_coco(tmp_path / "data", SOUND)
    (data / "images").rename(data / "train")
    (data / "labels.json").write_text((data / "labels.json").read_text().replace("images/", "train/"))
    report = check_data(data, selection=ClassSelection(renames=("cat=tiger",)))
    lines = (fix_data(report, tmp_path / "out").path / "changes.txt").read_text().splitlines()
    assert lines[lines.index("Classes with another name, as OLD=NEW:") + 1] == "  cat=tiger (--map)"
    moved = lines.index("Folders and names of photos in the copy:")
    assert lines[moved + 1] == "  train/ is images/train/ (2 photos)"
