"""`boxmask check` on real data: every error and every warning is real, as seen on the photos."""

from __future__ import annotations

from pathlib import Path

import pytest

from boxmask.doctor.check import check_data
from boxmask.doctor.report import CheckReport

ERRORS: dict[str, list[tuple[str, str, int | None]]] = {
    "bccd": [  # a click without a drag
        ("box-empty", "Annotations/BloodImage_00338.xml", 158),
        ("box-empty", "Annotations/BloodImage_00343.xml", 50),
    ],
}
WARNINGS: dict[str, list[tuple[str, str]]] = {
    "raccoon": [("group-across-drawn-splits", "images/raccoon-50.jpg")],  # a photo in two sizes
    "bccd": [  # the same part of a slide, moved a little and out of focus, in val and in train
        ("photo-near-copies-across-splits", "JPEGImages/BloodImage_00037.jpg"),
        ("copies-labeled-differently", "Annotations/BloodImage_00038.xml"),
    ],
}
DUBAI_CLASSES = """\
Building 3C1098
Land 8429F6
Road 6EC1E4
Vegetation FEDD3A
Water E2A929
Unlabeled 9B9B9B ignore
Border 000000 ignore
"""


def findings_of(report: CheckReport, severity: str) -> list[tuple[str, str, int | None]]:
    found = [finding for finding in report if finding.kind.severity == severity]
    files = [Path(finding.location.file) for finding in found]
    relative = [file.relative_to(report.root).as_posix() if file != report.root else "." for file in files]
    return [
        (finding.kind.id, file, finding.location.line) for finding, file in zip(found, relative, strict=True)
    ]


@pytest.mark.parametrize("name", ["bccd", "raccoon", "coco_ccby", "fruits_nuts", "dsb2018"])
def test_only_real_errors_and_warnings(shared_data: Path, name: str) -> None:
    report = check_data(shared_data / name)
    assert findings_of(report, "error") == ERRORS.get(name, [])
    warnings = [(kind, file) for kind, file, _ in findings_of(report, "warning")]
    assert warnings == WARNINGS.get(name, [])


def test_label_maps_with_their_classes(shared_data: Path, tmp_path: Path) -> None:
    (tmp_path / "classes.txt").write_text(DUBAI_CLASSES)
    report = check_data(shared_data / "dubai_aerial", classes_file=tmp_path / "classes.txt")
    assert findings_of(report, "error") == []
    found = findings_of(report, "warning")  # the parts of a tile belong together
    tiles = [f"Tile {number}/images/image_part_001.jpg" for number in range(1, 7)]
    assert {kind for kind, _, _ in found} == {"group-across-drawn-splits"}
    assert {file for _, file, _ in found} <= set(tiles)


def test_label_maps_without_their_classes(shared_data: Path) -> None:
    """The one error asks for the classes of the seven colors: nothing in the data set names them."""
    (finding,) = check_data(shared_data / "dubai_aerial")
    assert finding.kind.id == "data-unreadable"
    assert "8429F6: 39.1% of all pixels" in finding.detail


def test_photos_without_labels(shared_data: Path) -> None:
    report = check_data(shared_data / "demo_usgov")
    assert findings_of(report, "error") == []
    assert findings_of(report, "warning") == [("labels-missing", ".", None)]
    assert report.num_photos == 9
