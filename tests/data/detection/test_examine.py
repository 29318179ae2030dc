"""Everything that is wrong with a data set is found in one pass, and nothing stops it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from boxmask.data.detection.examine import examine
from boxmask.data.detection.read import read_detection
from boxmask.data.findings import Finding, Findings
from boxmask.errors import LabelError

Write = Callable[..., Path]
Make = Callable[..., dict[str, Any]]
CAT = [("cat", 5, 5, 30, 30)]


def found_in(root: Path, **options: Any) -> dict[str, list[Finding]]:
    """The findings by the id of their kind."""
    findings = Findings()
    examine(root, findings, **options)
    return {kind.id: list(findings.of(kind)) for kind in findings.kinds}


def place(finding: Finding) -> tuple[str, int | None]:
    return Path(finding.location.file).name, finding.location.line


def test_a_broken_label_file_hides_no_other(write_voc: Write) -> None:
    root = write_voc({f"p{n}": CAT for n in range(6)})
    sheets = root / "Annotations"
    (sheets / "p1.xml").write_text("<annotation>\n<filename>p1.jpg</wrong>")
    (sheets / "p2.xml").write_text((sheets / "p2.xml").read_text().replace("<name>cat</name>", ""))
    (sheets / "p3.xml").write_text((sheets / "p3.xml").read_text().replace("<xmax>30<", "<xmax>5<"))
    (root / "JPEGImages/p4.jpg").unlink()
    found = found_in(root)
    assert list(found) == [
        "file-unreadable",
        "entry-unreadable",
        "photo-without-label",
        "photo-missing",
        "box-empty",
    ]
    assert place(found["file-unreadable"][0]) == ("p1.xml", 2)
    assert place(found["entry-unreadable"][0]) == ("p2.xml", 4)
    assert found["entry-unreadable"][0].photo == "JPEGImages/p2.jpg"
    assert place(found["box-empty"][0]) == ("p3.xml", 4)
    assert found["box-empty"][0].box == (4, 4, 5, 30)
    assert place(found["photo-missing"][0]) == ("p4.xml", 2)
    with pytest.raises(LabelError, match=r"cannot be read \(1\):\n.*p1\.xml:2(.*\n)*.*p2\.xml:4"):
        read_detection(root)


def test_objects_in_order_are_kept_beside_others(write_voc: Write) -> None:
    root = write_voc({"a": CAT * 3, "b": CAT})
    sheet = root / "Annotations/a.xml"
    sheet.write_text(sheet.read_text().replace("<xmin>5</xmin>", "<xmin>five</xmin>", 1))
    findings = Findings()
    labels = examine(root, findings).labels
    assert labels.photo_of.tolist() == [0, 0, 1]
    assert [labels.location(row).line for row in range(3)] == [12, 20, 4]
    assert [str(finding.kind.id) for finding in findings] == ["entry-unreadable"]


def test_every_wrong_entry_of_coco_is_found(write_coco: Write, coco: Make, annotation: Make) -> None:
    good = annotation(1, 1, [5, 5, 20, 20])
    wrong = [
        annotation(1, 1, [5, 5, 20]),
        annotation(9, 1, [5, 5, 20, 20]),
        annotation(1, 9, [5, 5, 20, 20]),
        good | {"segmentation": [[1, 2, 3]]},
        good | {"area": -4},
        good | {"segmentation": [[5, 5, 20, 5, 20, 20], [1, 2]]},
    ]
    document = coco([(1, "a.jpg"), (1, "b.jpg"), (3, "c.jpg"), (4, "c.jpg")], [good, *wrong])
    document["annotations"][0]["id"] = document["annotations"][1]["id"]
    root = write_coco(document)
    document["images"].append({"id": 5, "file_name": 7})
    (root / "instances.json").write_text(json.dumps(document, indent=1))
    found = found_in(root)
    assert {kind: len(findings) for kind, findings in found.items()} == {
        "entry-unreadable": 2,
        "id-repeated": 1,
        "photo-listed-twice": 1,
        "id-unknown": 2,
        "area-wrong": 1,
        "photo-without-label": 1,
        "outline-part-left-out": 1,
        "outline-few-points": 1,
    }
    assert all(
        finding.location.line for kind in found.values() for finding in kind if "annotations" in str(finding)
    )
    assert "annotations[2] (id 102): has image_id 9" in str(found["id-unknown"][0])


def test_annotations_of_an_image_that_is_left_out_are_not_unknown(
    write_coco: Write, coco: Make, annotation: Make
) -> None:
    document = coco([(1, "a.jpg"), (2, "b.jpg")], [annotation(n, 1, [5, 5, 20, 20]) for n in (1, 2)])
    root = write_coco(document)
    document["images"][1]["file_name"] = None
    (root / "instances.json").write_text(json.dumps(document, indent=1))
    findings = Findings()
    labels = examine(root, findings).labels
    assert len(labels.photo_of) == 1
    assert {kind.id for kind in findings.kinds} == {"entry-unreadable", "photo-without-label"}


def test_labels_only_opens_no_photo(write_voc: Write) -> None:
    root = write_voc({"a": CAT, "b": [("cat", 5, 5, 90, 30)]})
    for photo in root.glob("JPEGImages/*"):
        photo.write_bytes(b"")
    findings = Findings()
    examination = examine(root, findings, photos=False)
    assert examination.sizes.tolist() == [[40, 60]] * 2
    assert not examination.sizes_known.any()
    assert [finding.kind.id for finding in findings] == ["box-beyond-edge"]
    assert examine(root, Findings()).sizes_known.tolist() == [False, False]


def test_one_mistake_is_one_finding(write_coco: Write, coco: Make, annotation: Make) -> None:
    fractions = [annotation(n, 1, [0.1, 0.2, 0.3, 0.4]) for n in range(4)]
    found = found_in(write_coco(coco([(n, f"{n}.jpg") for n in range(4)], fractions)))
    assert {kind: len(findings) for kind, findings in found.items()} == {"coordinates-fractions": 4}


def test_sideways_boxes_are_not_outside(write_coco: Write, coco: Make, annotation: Make) -> None:
    root = write_coco(coco([(1, "a.jpg")], [annotation(1, 1, [44, 5, 14, 20])]))
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (60, 40)).save(root / "images/a.jpg", exif=exif)
    assert list(found_in(root)) == ["exif-sideways"]


def test_no_labels_at_all_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "labels.json").write_text(json.dumps({"images": [], "annotations": [], "categories": []}))
    with pytest.raises(LabelError, match="name no photo"):
        examine(tmp_path, Findings())
