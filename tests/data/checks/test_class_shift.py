"""Class numbers that begin one too high or too low."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from PIL import Image

from boxmask.data.checks.class_shift import check_class_shift
from boxmask.data.checks.examination import Examination
from boxmask.data.findings import Finding, Findings, Location
from boxmask.data.formats.kinds import CLASS_UNKNOWN, ID_UNKNOWN
from boxmask.doctor.check import check_data

Make = Callable[..., Examination]
CLASSES = ("ring", "hook", "stick")
BOX = (5.0, 5, 50, 50)


def found_in(
    examination_of: Make,
    used: Sequence[str],
    unknown: Sequence[int] = (),
    classes: Sequence[str] = CLASSES,
    count: int = 5,
) -> list[Finding]:
    """`count` objects of each used class, beside those with unknown numbers, which are left out."""
    findings = Findings()
    for line, number in enumerate(unknown, start=7):
        detail = f"class {number}; the numbers with a name are 0 to {len(classes) - 1}"
        findings.add(Finding(CLASS_UNKNOWN, Location("a.txt", line), detail, class_number=number))
    objects = [(0, name, BOX) for name in used] * count
    check_class_shift(examination_of(objects, classes=classes), findings)
    return [finding for finding in findings if finding.kind.id == "class-shift"]


def test_numbers_from_one(examination_of: Make) -> None:
    found = found_in(examination_of, ["hook", "stick"], [3, 3, 3])
    assert [str(finding) for finding in found] == [
        'a.txt:7: the first class, "ring", has no object, and number 3 has no name: '
        "the numbers are one too high; subtract 1 from the class number of each object, or insert the "
        "name of the missing class 0 before the others"
    ]


def test_numbers_below_the_names(examination_of: Make) -> None:
    found = found_in(examination_of, ["ring", "hook"], [0])
    assert "one too low" in found[0].detail


@pytest.mark.parametrize("name", ["background", "_background_", "__Background__", "BG"])
def test_objects_of_the_background(examination_of: Make, name: str) -> None:
    found = found_in(examination_of, [name, "hook"], classes=[name, "hook", "stick"])
    assert [(finding.location.line, finding.photo) for finding in found] == [(1, "000.jpg")]
    assert "one too low" in found[0].detail
    assert found_in(examination_of, ["hook", "stick"], classes=[name, "hook", "stick"]) == []


@pytest.mark.parametrize(
    ("used", "unknown"),
    [
        (["ring", "hook", "stick"], [3]),  # the first class is used: a class was added
        (["hook", "stick"], []),  # the first class is only empty
        (["hook", "stick"], [7]),  # not the next number
        (["hook", "stick"], [3, 4]),  # several numbers
        (["ring", "hook"], []),
        (["ring", "hook"], [3]),
    ],
)
def test_numbers_that_may_be_right(examination_of: Make, used: list[str], unknown: list[int]) -> None:
    assert found_in(examination_of, used, unknown) == []


def test_few_objects_or_classes_show_nothing(examination_of: Make) -> None:
    assert found_in(examination_of, ["hook", "stick"], [3], count=2) == []
    many = [f"class{n}" for n in range(30)]
    assert found_in(examination_of, ["class7", "class8"], [30], classes=many) == []


def test_unknown_images_are_no_classes(examination_of: Make) -> None:
    findings = Findings()
    findings.add(Finding(ID_UNKNOWN, Location("a.json"), "image_id 3 is the id of no image"))
    objects = [(0, name, BOX) for name in ("hook", "stick")] * 5
    check_class_shift(examination_of(objects, classes=CLASSES), findings)
    assert len(findings) == 1


def test_numbers_from_one_in_files(tmp_path: Path) -> None:
    yolo, coco = tmp_path / "yolo", tmp_path / "coco"
    for root in (yolo, coco):
        (root / "images").mkdir(parents=True)
        Image.new("RGB", (40, 30)).save(root / "images" / "a.jpg")
    (yolo / "labels").mkdir()
    (yolo / "data.yaml").write_text("train: images\nnames: [ring, hook]\n")
    lines = [f"{number} 0.{n} 0.5 0.1 0.2" for n, number in enumerate([1, 1, 1, 1, 1, 2], start=1)]
    (yolo / "labels" / "a.txt").write_text("\n".join(lines))
    annotations = [
        {"id": n, "image_id": 1, "category_id": category, "bbox": [n, n, 9, 9], "area": 81, "iscrowd": 0}
        for n, category in enumerate([1, 1, 1, 1, 1, 2], start=1)
    ]
    content = {
        "images": [{"id": 1, "file_name": "a.jpg", "width": 40, "height": 30}],
        "annotations": annotations,
        "categories": [{"id": 0, "name": "ring"}, {"id": 1, "name": "hook"}],
    }
    (coco / "labels.json").write_text(json.dumps(content))
    changes = {
        yolo: "subtract 1 from the first number of each line in the label files (.txt), or insert the "
        "name of the missing class 0 before the others in data.yaml",
        coco: "subtract 1 from each category_id, or add 1 to the id of each category",
    }
    for root in (yolo, coco):
        shifts = [finding for finding in check_data(root) if finding.kind.id == "class-shift"]
        assert ["number 2 has no name" in finding.detail for finding in shifts] == [True]
        assert shifts[0].detail.endswith(changes[root])
