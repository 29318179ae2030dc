"""Photos whose size nobody knows: no check invents one, and one line tells what is not checked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from boxmask.data.findings import Finding
from boxmask.doctor.check import check_data
from boxmask.doctor.report import CheckReport

SIZE = (80, 60)
SQUARE = [(10, 10), (40, 10), (40, 40), (10, 40)]


def region(points: list[tuple[float, float]]) -> dict[str, Any]:
    xs, ys = ([point[axis] for point in points] for axis in (0, 1))
    shape = {"name": "polygon", "all_points_x": xs, "all_points_y": ys}
    return {"shape_attributes": shape, "region_attributes": {"class": "cat"}}


def write_via(root: Path, outlines: list[list[tuple[float, float]]]) -> Path:
    """A photo per outline."""
    entries = {}
    for number, points in enumerate(outlines):
        name = f"{number}.jpg"
        Image.new("RGB", SIZE, (90, number, 80)).save(root / name)
        entries[f"{name}9"] = {"filename": name, "size": 9, "regions": [region(points)]}
    (root / "via_region_data.json").write_text(json.dumps(entries))
    return root


def write_yolo(root: Path, lines: list[str]) -> Path:
    """A photo per line."""
    for folder in ("images", "labels"):
        (root / folder).mkdir()
    (root / "data.yaml").write_text("train: images\nnames: [cat]\n")
    for number, line in enumerate(lines):
        Image.new("RGB", SIZE, (90, number, 80)).save(root / f"images/{number}.jpg")
        (root / f"labels/{number}.txt").write_text(f"{line}\n")
    return root


def found(report: CheckReport) -> dict[str, list[Finding]]:
    """The findings by kind, without those that the few, plain photos give."""
    plain = {"class-rare", "split-small", "photo-blank", "photo-copies", "group-across-drawn-splits"}
    return {kind.id: list(report.findings.of(kind)) for kind in report.findings.kinds if kind.id not in plain}


@pytest.mark.parametrize("unit", ["pixels", "fractions"])
def test_without_photos_no_size_is_invented(tmp_path: Path, unit: str) -> None:
    if unit == "pixels":
        write_via(tmp_path, [SQUARE] * 3)
    else:
        polygon = " ".join(f"{x / 80:.4f} {y / 60:.4f}" for x, y in SQUARE)
        write_yolo(tmp_path, [f"0 {polygon}", "0 0.5 0.5 0.25 0.25", "0 0.52 0.5 0.25 0.25"])
    report = check_data(tmp_path, labels_only=True)
    (finding,) = found(report)["size-unknown"]
    assert list(found(report)) == ["size-unknown"]
    assert finding.detail.startswith("3 of 3 photos: no file was read, and the labels declare no size")
    assert report.summary is not None
    assert (report.summary.photo_sizes, report.summary.photos_of_unknown_size) == ((), 3)
    assert report.summary.unsound_boxes == 0
    assert list(found(check_data(tmp_path))) == []


def test_a_missing_photo_is_not_judged_by_a_size(tmp_path: Path) -> None:
    write_via(tmp_path, [SQUARE, [(900, 900), (990, 900), (990, 990)]])
    (tmp_path / "1.jpg").unlink()
    report = check_data(tmp_path)
    assert list(found(report)) == ["photo-missing"]
    assert report.summary is not None
    assert [(size.width, size.height) for size in report.summary.photo_sizes] == [SIZE]


def test_what_needs_no_size_is_found(tmp_path: Path) -> None:
    outlines = [SQUARE, [(-9, 5), (-2, 5), (-2, 9)], [(5, 5), (40, 40), (40, 5), (5, 40)], SQUARE[:2]]
    report = found(check_data(write_via(tmp_path, outlines), labels_only=True))
    assert list(report) == ["outline-few-points", "box-outside", "size-unknown", "outline-self-crossing"]
    assert report["box-outside"][0].detail.endswith("lies outside its photo: x -9 to -2, y 5 to 9")
    assert report["box-outside"][0].box == (-9, 5, -2, 9)


def test_fractions_need_no_size_to_lie_outside(tmp_path: Path) -> None:
    write_yolo(tmp_path, ["0 1.2 0.5 0.1 0.1", "0 0.5 0.5 0.2 0.2"])
    report = found(check_data(tmp_path, labels_only=True))
    (finding,) = report["box-outside"]
    assert finding.detail.endswith("lies outside its photo: x 1.15 to 1.25, y 0.45 to 0.55")
    assert finding.box is None  # nobody knows its pixels


def test_wrong_forms_are_found_without_sizes(tmp_path: Path) -> None:
    corners = ["0 0.1 0.2 0.5 0.6", "0 0.4 0.3 0.8 0.9", "0 0.5 0.1 0.9 0.4", "0 0.6 0.6 0.9 0.9"]
    report = found(check_data(write_yolo(tmp_path, corners), labels_only=True))
    assert "coordinates-corners" in report


def test_a_missing_photo_hides_no_fractions(tmp_path: Path) -> None:
    outlines = [[(x / 80, y / 60) for x, y in SQUARE]] * 4
    write_via(tmp_path, outlines)
    (tmp_path / "2.jpg").unlink()
    assert len(found(check_data(tmp_path))["coordinates-fractions"]) == 4
    assert len(found(check_data(tmp_path, labels_only=True))["coordinates-fractions"]) == 4


@pytest.mark.parametrize("size", [None, (60, 80)])
def test_run_lengths_give_a_box_without_a_photo(tmp_path: Path, size: tuple[int, int] | None) -> None:
    declared = {} if size is None else {"height": size[0], "width": size[1]}
    counts = [60 * 10 + 5, 20, 40, 20, 60 * 80 - 60 * 10 - 85]
    mask = {"counts": counts, "size": [60, 80]}
    document = {
        "images": [{"id": 1, "file_name": "a.jpg", **declared}],
        "categories": [{"id": 1, "name": "cat"}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "iscrowd": 0, "segmentation": mask}],
    }
    (tmp_path / "labels.json").write_text(json.dumps(document))
    Image.new("RGB", SIZE).save(tmp_path / "a.jpg")
    report = check_data(tmp_path, labels_only=True)
    assert not report.has_errors, str(report)
    assert report.examination is not None
    assert report.examination.labels.boxes.tolist() == [[10, 5, 12, 25]]


def test_a_renamed_photo_is_counted_once(tmp_path: Path) -> None:
    write_yolo(tmp_path, ["0 0.5 0.5 0.25 0.25"] * 4)
    for number in range(3):
        (tmp_path / f"images/{number}.jpg").rename(tmp_path / f"images/renamed{number}.jpg")
    report = check_data(tmp_path)
    assert list(found(report)) == ["photo-without-label", "photo-missing"]
    assert [str(finding.detail) for finding in report.findings if finding.kind.id == "split-small"] == [
        "train: 4 photos"
    ]
    summary = report.summary
    assert summary is not None
    assert (summary.photos, summary.objects, summary.photos_of_unknown_size) == (4, 4, 0)
    assert [(split.photos, split.photos_without_objects) for split in summary.splits] == [(1, 0), (3, 0)]
    assert sum(summary.objects_per_photo.counts) == 4
