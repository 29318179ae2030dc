"""A cause hides its consequences, so that one fault is one finding."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from boxmask.data.checks.consequences import CONSEQUENCES, remove_consequences
from boxmask.data.detection.read import read_detection
from boxmask.data.findings import Finding, Findings, Kind, Location
from boxmask.doctor.check import check_data
from boxmask.errors import LabelError

Make = Callable[..., Any]


KINDS = {found.id: found for cause, rule in CONSEQUENCES.items() for found in (cause, *rule.consequences)}


def kind(name: str) -> Kind:
    return KINDS[name]


def left(
    *found: tuple[str, str, int], scopes: tuple[Any, ...] = ("data set", "photo", "object")
) -> list[str]:
    """What is left of findings with an id, a photo and a line."""
    findings = Findings()
    for name, photo, line in found:
        findings.add(Finding(kind(name), Location("labels.txt", line), photo=photo))
    remove_consequences(findings, scopes)
    return [f"{finding.kind.id} {finding.photo} {finding.location.line}" for finding in findings]


def test_a_cause_in_all_labels_hides_its_consequences_everywhere() -> None:
    found = [("box-outside", "a.jpg", 1), ("box-outside", "b.jpg", 9), ("coordinates-scaled", "c.jpg", 5)]
    assert left(*found) == ["coordinates-scaled c.jpg 5"]
    assert left(("box-empty", "a.jpg", 1), ("coordinates-scaled", "", 5))[0] == "box-empty a.jpg 1"


def test_a_cause_in_a_photo_hides_its_consequences_there() -> None:
    found = [("box-outside", "a.jpg", 1), ("box-outside", "b.jpg", 9), ("exif-sideways", "a.jpg", 5)]
    assert left(*found) == ["box-outside b.jpg 9", "exif-sideways a.jpg 5"]


def test_a_cause_at_an_object_hides_its_consequences_there() -> None:
    found = [("outline-few-points", "a.jpg", 1), ("box-empty", "a.jpg", 1), ("box-empty", "a.jpg", 2)]
    assert left(*found) == ["outline-few-points a.jpg 1", "box-empty a.jpg 2"]
    assert len(left(*found, scopes=("data set", "photo"))) == 3


def test_a_cause_in_all_labels_hides_findings_that_are_only_counted() -> None:
    findings = Findings(max_per_kind=1)
    for name in ("box-outside", "box-outside", "coordinates-exchanged"):
        findings.add(Finding(kind(name), Location("labels.txt")))
    remove_consequences(findings)
    assert (len(findings), [found.id for found in findings.kinds]) == (1, ["coordinates-exchanged"])


@pytest.mark.parametrize("cause", ["exif-sideways", "outline-outside"])  # of a photo, and of an object
def test_findings_elsewhere_stay_counted(cause: str) -> None:
    findings = Findings(max_per_kind=1)
    for name, photo, line in (
        (cause, "a.jpg", 1),
        ("box-beyond-edge", "a.jpg", 1),
        ("box-beyond-edge", "b.jpg", 2),
    ):
        findings.add(Finding(kind(name), Location("labels.txt", line), photo=photo))
    remove_consequences(findings)
    beyond = kind("box-beyond-edge")
    assert (findings.count(beyond), findings.of(beyond)) == (1, ())
    assert f"{beyond.heading} (1):\n  too many to be listed" in findings.notes()


def write_yolo(root: Path, classes: list[int]) -> Path:
    """A photo with an object of each class number, ten times."""
    (root / "data.yaml").write_text("train: images\nnames: [ring, hook, stick]\n")
    (root / "images").mkdir()
    (root / "labels").mkdir()
    for number in range(10):
        Image.effect_noise((80, 60), 50 + number).convert("RGB").save(root / f"images/{number}.jpg")
        lines = [f"{label} 0.{3 + label} 0.5 0.3 0.3" for label in classes]
        (root / f"labels/{number}.txt").write_text("\n".join(lines))
    return root


def test_training_names_a_shift_of_class_numbers(tmp_path: Path) -> None:
    with pytest.raises(LabelError) as raised:
        read_detection(write_yolo(tmp_path, [1, 2, 3]))
    assert "the numbers are one too high" in str(raised.value)
    assert "Class numbers without a name" not in str(raised.value)
    found = {found.id for found in check_data(tmp_path, labels_only=True).findings.kinds}
    assert found & {"class-unknown", "class-empty"} == set()
    assert "class-shift" in found


@pytest.fixture
def halved(write_coco: Make, coco: Make, annotation: Make) -> Path:
    """Photos of half the size for which 60 boxes were drawn; the labels declare no size."""
    boxes = [
        [10 + 90 * (row % 5) + 7 * column, 8 + 60 * column, 70, 50]
        for row in range(10)
        for column in range(6)
    ]
    photos = [(number + 1, f"{number}.jpg") for number in range(30)]
    entries = [annotation(1 + number % 30, 1, box) for number, box in enumerate(boxes)]
    root = Path(write_coco(coco(photos, entries)))
    (labels,) = root.rglob("*.json")
    document = json.loads(labels.read_text())
    for image in document["images"]:
        for side in ("width", "height"):
            image.pop(side, None)
    labels.write_text(json.dumps(document))
    for photo in root.rglob("*.jpg"):
        Image.new("RGB", (250, 190)).save(photo)
    return root


def test_training_and_the_doctor_name_the_scale_alone(halved: Path) -> None:
    report = check_data(halved, labels_only=False)
    assert [found.id for found in report.kinds() if found.severity == "error"] == ["coordinates-scaled"]
    with pytest.raises(LabelError) as raised:
        read_detection(halved)
    assert str(raised.value).startswith("Labels that seem to be made for photos of another size (1)")
    assert "outside" not in str(raised.value)


def test_causes_come_first(tmp_path: Path) -> None:
    """Even an error that does not follow from the cause comes after it."""
    root = write_yolo(tmp_path, [1, 2, 3])
    path = root / "labels/0.txt"
    path.write_text(path.read_text() + "\n1 0.5 0.5 0 0.2\n")
    kinds = [found.id for found in check_data(root, labels_only=True).kinds() if found.severity == "error"]
    assert kinds == ["class-shift", "box-empty"]
