"""Outlines and label maps on the page."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from boxmask.data.checks.examination import Examination
from boxmask.data.detection.compressed_masks import CompressedMasks
from boxmask.data.findings import Finding, Findings, Kind, Location
from boxmask.data.formats.labels import Labels, PhotoEntry
from boxmask.data.outlines import Ellipse, Outline, Polygons, RunLengths, fill
from boxmask.doctor.page.outlines import MAX_POINTS, OutlineFinder, outline_path
from boxmask.doctor.page.render import render_page
from boxmask.doctor.report import CheckReport
from boxmask.pages.pictures import make_album

SIZE = (120, 160)
SQUARE = np.array([[10.0, 10.0], [30.0, 10.0], [30.0, 30.0], [10.0, 30.0]])
MISFIT = Kind("outline-misfits-box", "warning", "Masks that do not fit their boxes", "Correct one of them.")


def examination_of(outlines: list[Outline | None]) -> Examination:
    """An object per outline in photo a.png, in the lines of labels.csv."""
    count = len(outlines)
    boxes = np.tile([10.0, 10.0, 30.0, 30.0], (count, 1))
    runs = [np.zeros(0, np.int32) if shape is None else fill(shape, SIZE, SIZE) for shape in outlines]
    labels = Labels(
        root=Path(),
        class_names=("cat",),
        photos=[PhotoEntry("a.png", Location("labels.csv"))],
        photo_of=np.zeros(count, np.int64),
        boxes=boxes,
        extents=boxes[:, 2:] - boxes[:, :2],
        labels=np.zeros(count, np.int64),
        areas=np.full(count, np.nan),
        crowd=np.zeros(count, bool),
        difficult=np.zeros(count, bool),
        location=lambda row: Location("labels.csv", row + 1),
        box_form="corners",
        outline=outlines.__getitem__,
    )
    return Examination(labels, np.array([SIZE]), np.ones(1, bool), CompressedMasks.from_run_lengths(runs))


def finding(line: int) -> Finding:
    return Finding(MISFIT, Location("labels.csv", line), "", "a.png", (10.0, 10.0, 90.0, 90.0))


def test_parts_and_holes_are_one_path() -> None:
    path = outline_path(Polygons((SQUARE,), (SQUARE / 2 + 5,)))
    assert path == "M10 10L30 10L30 30L10 30ZM10 10L20 10L20 20L10 20Z"


def test_long_outlines_are_thinned() -> None:
    angles = np.linspace(0, 6, 10 * MAX_POINTS)
    path = outline_path(Polygons((np.stack([np.cos(angles), np.sin(angles)], axis=1) * 30 + 60,)))
    assert 0.9 * MAX_POINTS <= path.count("L") <= MAX_POINTS


def test_the_outline_of_the_object_in_the_line_is_found() -> None:
    runs = fill(Polygons((SQUARE + 20,)), SIZE, SIZE)
    finder = OutlineFinder(
        examination_of([Polygons((SQUARE,)), None, RunLengths(runs, SIZE), Ellipse((50, 50), (9, 5))])
    )
    assert finder.path_of(finding(1)) == "M10 10L30 10L30 30L10 30Z"
    assert finder.path_of(finding(2)) == ""
    assert finder.path_of(finding(3)).startswith("M30 30L")
    assert finder.path_of(finding(4)).count("L") == 63
    assert finder.path_of(finding(9)) == ""
    assert OutlineFinder(None).path_of(finding(1)) == ""


def test_the_page_draws_the_outline(report: CheckReport) -> None:
    photo = report.root / "a.png"
    Image.new("RGB", SIZE[::-1], "gray").save(photo)
    findings = Findings()
    findings.add(finding(1))
    examination = examination_of([Polygons((SQUARE,))])
    page = render_page(replace(report, findings=findings, examination=examination))
    assert page.count('<path class="line outline" d="M10 10L30 10L30 30L10 30Z"/>') == 1


@pytest.mark.parametrize("mode", ["L", "P", "I;16"])
def test_label_maps_are_shown_in_color(report: CheckReport, mode: str) -> None:
    numbers = np.zeros((60, 80), np.uint16 if mode == "I;16" else np.uint8)
    numbers[20:, 40:] = 2
    image = Image.fromarray(numbers)
    if mode == "P":
        image = image.convert("P")
        image.putpalette([0, 0, 0, 255, 0, 0, 230, 159, 0])
    image.save(report.root / "map.png")
    Image.new("RGB", (80, 60), "gray").save(report.root / "photo.jpg")
    album = make_album(report.root, {"map.png": [], "photo.jpg": []}, {"map.png"})
    assert album.photos["map.png"].size == (80, 60)
    kind = Kind("label-map-size", "error", "Label maps of another size", "Export them again.")
    findings = Findings()
    findings.add(Finding(kind, Location(str(report.root / "map.png")), "80 × 60", "photo.jpg"))
    page = render_page(replace(report, findings=findings))
    assert '<span class="split">label map</span> map.png' in page
    assert page.count("<image ") == 2
