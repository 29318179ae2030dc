"""The account of a mended copy is complete: the original is the copy and what changes.txt lists."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from boxmask.data.formats.kinds import FILE_UNREADABLE, FILE_UNUSED
from boxmask.doctor.check import check_data
from boxmask.doctor.fix.absences import count_absences
from boxmask.doctor.fix.fix import MendedCopy, fix_data
from boxmask.doctor.fix.mendable import count_mendable
from boxmask.errors import LabelError, UsageError

HERE = Path(__file__).resolve()
for folder in (HERE.parents[3] / "benchmarks", HERE.parent):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

from raw_objects import FORMATS, count_objects, photo_files  # noqa: E402

from damaged_data.corpus import Case, Corpus, all_cases  # noqa: E402
from damaged_data.damage import DAMAGES  # noqa: E402

Fix = Callable[[Path, Path], MendedCopy]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return Corpus(tmp_path_factory.mktemp("corpus"))


def cases() -> list[Case]:
    """Two formats of each damage, others from damage to damage."""
    chosen = []
    for number, damage in enumerate(DAMAGES):
        formats = [form for form in damage.formats if form in FORMATS]
        picked = dict.fromkeys(formats[(number + step) % len(formats)] for step in (1, 3) if formats)
        chosen += [Case(damage, form) for form in picked]
    return chosen


def check_account(form: str, original: Path, copy: MendedCopy) -> None:
    """Compare the objects and photos of a data set with its copy and the account of it."""
    listed_files = {
        Path(absence.place.file)
        for absence in copy.absences
        if absence.kind in (FILE_UNREADABLE, FILE_UNUSED)
    }
    before = sum(number for file, number in count_objects(form, original).items() if file not in listed_files)
    after = sum(count_objects(form, copy.path).values())
    removed = sum("removed, box" in change.what for change in copy.changes)
    assert before == after + removed + sum(absence.num_objects for absence in copy.absences)
    absent = {Path(absence.place.file) for absence in copy.absences if absence.num_photos}
    assert len(photo_files(original) - absent) == len(photo_files(copy.path))
    lines = (copy.path / "changes.txt").read_text(encoding="utf-8").splitlines()
    assert all(str(change) in lines for change in copy.changes)
    assert all(f"  {absence}" in lines for absence in copy.absences)
    assert (f"Not in the copy ({count_absences(copy.absences)}):" in lines) == bool(copy.absences)


@pytest.mark.parametrize("case", cases(), ids=str)
def test_the_original_is_the_copy_and_what_the_account_lists(
    corpus: Corpus, case: Case, tmp_path: Path
) -> None:
    original = corpus.build(case).folder
    report = check_data(original)
    num_mendable = count_mendable(report)
    try:
        copy = fix_data(report, tmp_path / "out", photos="link")
    except (LabelError, UsageError):  # nothing is written; see test_whole_set.py
        assert not (tmp_path / "out").exists()
        assert num_mendable == 0
        return
    check_account(case.format, original, copy)
    found = {change.kind for change in copy.changes if report.findings.count(change.kind)}
    assert len(found) <= num_mendable <= sum(map(report.findings.count, found))


def test_every_damage_is_tried() -> None:
    tried = {case.damage.name for case in cases()}
    assert tried == {case.damage.name for case in all_cases() if case.format in FORMATS}


def test_other_annotators_and_predictions_are_counted(fix: Fix, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    box = {"x": 10, "y": 10, "width": 50, "height": 50, "rotation": 0, "rectanglelabels": ["cat"]}
    region = {"type": "rectanglelabels", "original_width": 64, "original_height": 48, "value": box}
    tasks: list[dict[str, Any]] = []
    for name in ("a", "b", "c"):
        Image.new("RGB", (64, 48), "gray").save(data / f"{name}.png")
        tasks.append({"id": len(tasks) + 1, "data": {"image": f"{name}.png"}, "annotations": []})
    tasks[0]["annotations"] = [{"id": 1, "result": [region]}, {"id": 2, "result": [region, region]}]
    tasks[0]["predictions"] = [{"result": [region]}]
    tasks[1]["annotations"] = [{"id": 3, "result": [region], "was_cancelled": True}]
    (data / "tasks.json").write_text(json.dumps(tasks, indent=1), encoding="utf-8")
    copy = fix(data, tmp_path / "out")
    check_account("label-studio", data, copy)
    found = {(absence.kind.id, absence.num_photos, absence.num_objects) for absence in copy.absences}
    assert found == {
        ("photo-without-label", 1, 0),  # b and c
        ("photo-without-label", 0, 1),  # the cancelled annotation of b
        ("annotations-left-out", 0, 2),
    }


def test_the_attribute_that_is_the_class_is_named(fix: Fix, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    Image.new("RGB", (64, 48), "gray").save(data / "a.png")
    rectangle = {"name": "rect", "x": 5, "y": 5, "width": 30, "height": 20}
    region = {"shape_attributes": rectangle, "region_attributes": {"type": "cat", "color": "red"}}
    document = {"a.png100": {"filename": "a.png", "size": 100, "regions": [region], "file_attributes": {}}}
    (data / "via.json").write_text(json.dumps(document), encoding="utf-8")
    changes = (fix(data, tmp_path / "out").path / "changes.txt").read_text(encoding="utf-8")
    assert '  the class of a region is its attribute "type"\n' in changes


def test_objects_of_a_photo_that_does_not_exist_are_listed_one_by_one(
    write_coco: Callable[..., Path], fix: Fix, tmp_path: Path
) -> None:
    data = write_coco(tmp_path / "data", [[8, 8, 20, 12], [2, 4, 30, 30], [3, 3, 9, 9]])
    (data / "images" / "0.png").unlink()
    copy = fix(data, tmp_path / "out")
    assert [str(absence).partition("annotations")[2] for absence in copy.absences] == [
        "[0] (id 1): 1 object, cat in images/0.png (its photo does not exist) [photo-missing]",
        "[2] (id 3): 1 object, dog in images/0.png (its photo does not exist) [photo-missing]",
    ]
    assert (count_absences(copy.absences), copy.num_absent_errors) == ("2 objects", 1)


def test_elements_that_are_not_read_are_listed(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    Image.new("RGB", (60, 40)).save(data / "a.jpg")
    corners = "<xmin>5</xmin><ymin>5</ymin><xmax>30</xmax><ymax>30</ymax>"
    cat = f"<object><name>cat</name><bndbox>{corners}</bndbox></object>"
    (data / "a.xml").write_text(f"<annotation><path>/home/me/a.jpg</path>{cat}</annotation>")
    fix_data(check_data(data), tmp_path / "out")
    changes = (tmp_path / "out" / "changes.txt").read_text(encoding="utf-8")
    assert "  the element path is not written (in 1 label file)\n" in changes
