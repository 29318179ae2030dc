"""Boxes as they are written, beside where they would lie if the finding is right."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from boxmask.data.checks.box_sizes import BOX_TINY
from boxmask.data.checks.consequences import ABOUT_ALL_LABELS
from boxmask.data.checks.examination import Examination
from boxmask.data.findings import Finding, Findings, Location
from boxmask.data.formats import yolo
from boxmask.data.formats.kinds import PHOTO_RESIZED
from boxmask.doctor.page.cards import choose_cards
from boxmask.doctor.page.guesses import Guesser, turn_boxes
from boxmask.doctor.page.render import render_page
from boxmask.doctor.photos.kinds import COPIES_LABELED_DIFFERENTLY, PHOTO_TRUNCATED
from boxmask.doctor.report import CheckReport
from boxmask.photos.formats import TRANSPOSITIONS

BOX = (20.0, 30.5, 60.0, 90.0)
Examine = Callable[..., Examination]
KINDS = {kind.id: kind for kind in (*ABOUT_ALL_LABELS, PHOTO_RESIZED, BOX_TINY)}


def finding(kind_id: str, photo: str = "images/test/0.jpg") -> Finding:
    return Finding(KINDS[kind_id], Location("labels.csv"), "", photo)


def with_labels(examination: Examination, **changes: object) -> Examination:
    return replace(examination, labels=replace(examination.labels, **changes))  # type: ignore[arg-type]


def guesses(examination: Examination, kind_id: str) -> dict[str, list[float]]:
    """The first box in each way in which it may be meant."""
    found = Guesser(examination).of(finding(kind_id), 0)
    return {guess.words: guess.boxes[0].tolist() for guess in found}


@pytest.mark.parametrize("turned", range(1, 9))
def test_boxes_turn_with_their_photo(turned: int) -> None:
    stored = np.zeros((40, 60), np.uint8)
    stored[5:12, 21:33] = 255
    image = Image.fromarray(stored)
    shown = image.transpose(TRANSPOSITIONS[turned]) if turned > 1 else image
    [[x1, y1, x2, y2]] = turn_boxes(np.array([[21.0, 5.0, 33.0, 12.0]]), turned, shown.size).tolist()
    assert shown.getbbox() == (x1, y1, x2, y2)


def test_coordinates_are_converted(examination_of: Examine) -> None:
    examination = examination_of([[0, 1]])  # in a photo of 160 × 120 pixels
    found = {
        "coordinates-percent": ("read as percent", [32.0, 36.6, 96.0, 108.0]),
        "coordinates-sizes": ("read as upper left corners and sizes", [20.0, 30.5, 80.0, 120.5]),
    }
    for kind_id, (words, box) in found.items():
        assert guesses(examination, kind_id) == {"as written": list(BOX), words: pytest.approx(box)}
    assert guesses(examination, "box-tiny") == {}


@pytest.mark.parametrize(
    ("kind_id", "form", "words", "box"),
    [
        ("coordinates-corners", "xywh", "read as corners", [20.0, 30.5, 40.0, 59.5]),
        ("coordinates-corners", "center", "read as corners", [40.0, 60.25, 40.0, 59.5]),
        ("coordinates-centers", "xywh", "read as centers and sizes", [0.0, 0.75, 40.0, 60.25]),
        ("coordinates-upper-left", "center", "read as upper left corners and sizes", [40, 60.25, 80, 119.75]),
    ],
)
def test_boxes_of_another_form_are_converted(
    examination_of: Examine, kind_id: str, form: str, words: str, box: list[float]
) -> None:
    found = guesses(with_labels(examination_of([[0, 1]]), box_form=form), kind_id)
    assert found == {"as written": list(BOX), words: pytest.approx(box)}


def test_sizes_are_those_of_centers_if_only_these_fit(examination_of: Examine) -> None:
    boxes = np.array([[120.0, 90.0, 60.0, 50.0]])  # x2 < x1: the numbers are center x, y, width and height
    examination = with_labels(examination_of([[0]]), boxes=boxes)
    assert guesses(examination, "coordinates-sizes")["read as centers and sizes"] == [90, 65, 150, 115]


def test_x_and_y_are_exchanged(examination_of: Examine) -> None:
    examination = with_labels(examination_of([[0]]), boxes=np.array([[10.0, 30.0, 60.0, 150.0]]))
    exchanged = guesses(examination, "coordinates-exchanged")["with x and y exchanged"]
    assert exchanged == [30, 10, 150, 60]


def test_exchanged_fractions_stay_fractions(examination_of: Examine) -> None:
    examination = with_labels(examination_of([[0]]), boxes=np.array([[16.0, 60.0, 32.0, 90.0]]))
    exchanged = guesses(examination, "coordinates-exchanged")["with x and y exchanged"]
    assert exchanged == pytest.approx([80, 12, 120, 24])


def test_fractions_are_corners_or_centers(examination_of: Examine) -> None:
    boxes = np.array([[0.8, 0.5, 1.2, 1.0]])
    examination = with_labels(examination_of([[0]]), boxes=boxes, extents=boxes[:, 2:] - boxes[:, :2])
    assert "read as fractions" in guesses(examination, "coordinates-fractions")
    centers = guesses(with_labels(examination, box_form="xywh"), "coordinates-fractions")
    assert centers["read as centers and sizes in fractions"] == pytest.approx([96, 30, 160, 90])


def test_what_the_reader_has_converted_is_drawn_once(examination_of: Examine) -> None:
    examination = with_labels(examination_of([[0]]), format_name=yolo.NAME)
    assert guesses(examination, "coordinates-pixels") == {"read as pixels": list(BOX)}


def test_every_mistake_of_all_boxes_is_drawn(examination_of: Examine) -> None:
    examination = with_labels(examination_of([[0]]), format_name=yolo.NAME, box_form="center")
    drawn = {kind.id for kind in ABOUT_ALL_LABELS if guesses(examination, kind.id)}
    assert drawn == {kind.id for kind in ABOUT_ALL_LABELS} - {"class-shift", "split-path-wrong"}


def test_resized_photos_are_drawn_with_both_sizes(examination_of: Examine) -> None:
    examination = examination_of([[0]])
    photos = [replace(examination.labels.photos[0], declared_size=(240, 320))]
    examination = with_labels(examination, photos=photos)
    doubled = [40.0, 61.0, 120.0, 180.0]
    assert list(guesses(examination, "photo-resized").values()) == [doubled, list(BOX)]
    scaled = guesses(examination, "coordinates-scaled")
    assert scaled == {"as written": list(BOX), "scaled to this photo": [10.0, 15.25, 30.0, 45.0]}


def test_labels_of_copies_are_scaled(examination_of: Examine, report: CheckReport) -> None:
    generator = np.random.default_rng(0)
    examination = examination_of([[0] * 40] * 6)
    low = generator.uniform(0, 0.9, (240, 2))
    boxes = np.concatenate([low, low + (1 - low) * generator.uniform(0.2, 1, (240, 2))], axis=1)
    examination = with_labels(examination, boxes=boxes * (320, 240, 320, 240))
    drawn = guesses(examination, "coordinates-scaled")["scaled to this photo"]
    assert drawn == pytest.approx((boxes[0] * (160, 120, 160, 120)).tolist(), rel=0.03)


def test_the_page_draws_both_ways_on_several_photos(report: CheckReport, examination_of: Examine) -> None:
    findings = Findings()
    findings.add(finding("coordinates-corners"))
    examination = with_labels(examination_of([[0], [0], [1], [1], [0]]), box_form="xywh")
    page = render_page(replace(report, findings=findings, examination=examination))
    [card] = re.findall(r'<article class="card entry".*?</article>', page, re.DOTALL)
    assert card.count("<p>as written</p>") == card.count("<p>read as corners</p>") == 4
    assert 'd="M20 30.5h40v59.5h-40z"' in card
    assert 'd="M20 30.5h20v29h-20z"' in card


def test_copies_are_drawn_with_all_their_labels(report: CheckReport, examination_of: Examine) -> None:
    findings = Findings()
    photos = ("images/test/0.jpg", "images/test/1.jpg")
    found = Finding(COPIES_LABELED_DIFFERENTLY, Location("a.csv"), "", photos[0], related=photos[1:])
    findings.add(found)
    page = render_page(replace(report, findings=findings, examination=examination_of([[0, 1], [1]])))
    [card] = re.findall(r'<article class="card entry".*?</article>', page, re.DOTALL)
    assert card.count('<g class="object"') == 3
    assert card.count("</svg>1 &lt;b&gt;dog&lt;/b&gt;</span>") == 2


def test_shifted_classes_are_shown_on_several_photos(report: CheckReport, examination_of: Examine) -> None:
    findings = Findings()
    findings.add(finding("class-shift", photo=""))
    examination = examination_of([[0], [0, 1], [1], [1], [0]])
    page = render_page(replace(report, findings=findings, examination=examination))
    [card] = re.findall(r'<article class="card entry".*?</article>', page, re.DOTALL)
    assert card.count("<figure>") == 4
    assert "&lt;b&gt;dog&lt;/b&gt;</text>" in card


def test_examples_are_photos_that_can_be_shown(report: CheckReport, examination_of: Examine) -> None:
    findings = Findings()
    findings.add(finding("class-shift", photo=""))
    examination = examination_of([[0], [], [1], [1], [0], []])
    files = [photo.file for photo in examination.labels.photos]
    findings.add(Finding(PHOTO_TRUNCATED, Location(files[2]), "", files[2]))
    cards = choose_cards(replace(report, findings=findings, examination=examination))
    [card] = next(cards[kind] for kind in cards if kind.id == "class-shift")
    shown = [file for file, _ in card.photos]
    assert sorted(shown[:3]) == sorted([files[0], files[3], files[4]])
    assert shown[3] in (files[1], files[5])
