"""Photos with their labels on the page."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from boxmask.data.checks.examination import Examination
from boxmask.data.detection.photo_sizes import UNKNOWN_SIZE
from boxmask.data.outlines import Polygons
from boxmask.doctor.check import check_data
from boxmask.doctor.page.gallery import MAX_PHOTOS
from boxmask.doctor.page.objects import MAX_OBJECTS
from boxmask.doctor.page.render import render_page
from boxmask.doctor.report import CheckReport
from boxmask.visualization.style import class_colors, rgb

Examine = Callable[..., Examination]

SQUARE = np.array([[10.0, 10.0], [30.0, 10.0], [30.0, 30.0], [10.0, 30.0]])


def gallery_of(report: CheckReport) -> str:
    page = render_page(report)
    return page[page.index('<section id="labels"') : page.index('<section id="summary-of-the-data"')]


def test_all_objects_are_drawn_with_their_classes(report: CheckReport, examination_of: Examine) -> None:
    examination = examination_of([[0, 1, 1], [], [0]])
    gallery = gallery_of(replace(report, examination=examination))
    assert "All 3 photos." in gallery
    assert gallery.count('<figure class="card labeled"') == 3
    assert gallery.count('<g class="object"') == 4
    assert gallery.count('d="M20 30.5h40v59.5h-40z"') == 8  # each with a halo
    assert '<option value="0">cat (2)</option>' in gallery
    assert '<option value="1">&lt;b&gt;dog&lt;/b&gt; (1)</option>' in gallery
    assert '<option value="none">No object (1)</option>' in gallery
    assert "<title>cat (labels.csv:1)</title>" in gallery
    assert 'aria-label="images/test/0.jpg: 1 cat, 2 &lt;b&gt;dog&lt;/b&gt;"' in gallery


def test_outlines_are_drawn_in_place_of_boxes(report: CheckReport, examination_of: Examine) -> None:
    examination = examination_of([[0, 1]], [Polygons((SQUARE,)), None])
    gallery = gallery_of(replace(report, examination=examination))
    assert re.findall(r'class="shape" stroke="#\w+" d="([^"]+)"', gallery) == [
        "M10 10L30 10L30 30L10 30Z",
        "M20 30.5h40v59.5h-40z",
    ]


def test_very_many_objects_are_counted(report: CheckReport, examination_of: Examine) -> None:
    gallery = gallery_of(replace(report, examination=examination_of([[0] * (MAX_OBJECTS + 7)])))
    assert gallery.count('<g class="object"') == MAX_OBJECTS
    assert "7 more objects are not drawn." in gallery


def test_boxes_that_cannot_be_drawn_are_counted(report: CheckReport, examination_of: Examine) -> None:
    examination = examination_of([[0, 1]])
    examination.labels.boxes[1] = (np.nan, 0, np.inf, 3)
    gallery = gallery_of(replace(report, examination=examination))
    assert gallery.count('<g class="object"') == 1
    assert "1 more object is not drawn." in gallery


def test_boxes_of_labels_read_without_photos_fit(report: CheckReport, examination_of: Examine) -> None:
    examination = examination_of([[0]])
    examination.labels.boxes[:] = (0.25, 0.25, 0.5, 0.75)
    examination.sizes[:] = UNKNOWN_SIZE
    examination = replace(examination, in_fractions=True)
    gallery = gallery_of(replace(report, examination=examination))
    assert 'd="M40 30h40v60h-40z"' in gallery


def test_a_large_data_set_gives_a_small_page(report: CheckReport, examination_of: Examine) -> None:
    rng = np.random.default_rng(0)
    for number in range(MAX_PHOTOS + 20):
        noise = rng.integers(0, 256, (30, 40, 3), dtype=np.uint8)
        Image.fromarray(noise).resize((800, 600)).save(report.root / f"{number}.jpg")
    gallery = gallery_of(replace(report, examination=examination_of([[0]] * (MAX_PHOTOS + 26))))
    assert gallery.count('<figure class="card labeled"') == MAX_PHOTOS
    assert f"{MAX_PHOTOS} of {MAX_PHOTOS + 26} photos, balanced" in gallery


def test_without_labels_there_is_no_gallery(empty_report: CheckReport) -> None:
    assert '<section id="labels"' not in render_page(empty_report)


def test_label_maps_have_the_colors_of_their_classes(tmp_path: Path) -> None:
    numbers = np.zeros((60, 80), np.uint8)
    numbers[:, 40:] = 1
    for folder in ("images", "masks"):
        (tmp_path / folder).mkdir()
    for name in ("a", "b"):
        Image.new("RGB", (80, 60), "gray").save(tmp_path / "images" / f"{name}.jpg")
        Image.fromarray(numbers).save(tmp_path / "masks" / f"{name}.png")
    (tmp_path / "classes.txt").write_text("road\nhouse\n", encoding="utf-8")
    report = check_data(tmp_path)
    gallery = gallery_of(report)
    assert gallery.count('<use class="overlay"') == 2
    assert 'aria-label="images/a.jpg: road, house"' in gallery
    road = class_colors(("road", "house"))[0]
    assert f'fill="{road}"' in gallery
    page = render_page(report)
    [overlay, *_] = re.findall(r'<symbol id="labeled-2".*?href="data:image/webp;base64,([^"]+)"', page)
    with Image.open(io.BytesIO(base64.b64decode(overlay))) as image:
        assert np.abs(np.array(image.convert("RGB"))[30, 10] - np.array(rgb(road))).max() < 12


def test_class_folders_are_shown_with_their_classes(tmp_path: Path) -> None:
    for name in ("cat", "dog"):
        (tmp_path / name).mkdir()
        for number in range(3):
            image = Image.effect_noise((80, 60), 40 + 9 * number)
            image.convert("RGB").save(tmp_path / name / f"{number}.png")
    gallery = gallery_of(check_data(tmp_path))
    assert gallery.count('<figure class="card labeled"') == 6
    assert '<g class="object"' not in gallery
    assert 'aria-label="cat/0.png: cat"' in gallery
