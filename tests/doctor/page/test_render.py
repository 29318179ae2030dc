"""The page: what it holds, and that it is safe and small."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
from PIL import Image

from boxmask.data.findings import Finding, Findings, Kind, Location, ModelDetection
from boxmask.doctor.page.groups import MAX_ROWS
from boxmask.doctor.page.render import render_page
from boxmask.doctor.report import CheckReport


class _Elements(HTMLParser):
    """All elements of a page, with their attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, {name: value or "" for name, value in attrs}))


def elements(page: str, tag: str) -> list[dict[str, str]]:
    return [attributes for found, attributes in _Elements(page).found if found == tag]


def test_names_are_text_and_never_elements(report: CheckReport) -> None:
    page = render_page(report)
    assert elements(page, "img") == []
    assert len(elements(page, "script")) == 1
    assert "&lt;img src=x onerror=" in page
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", page)
    assert all(not name.startswith("on") for _, attributes in _Elements(page).found for name in attributes)


def test_the_page_loads_nothing(report: CheckReport) -> None:
    page = render_page(report)
    for _, attributes in _Elements(page).found:
        assert attributes.keys().isdisjoint({"src", "srcset", "style", "action"})
        for target in (attributes.get("href", "#"), attributes.get("xlink:href", "#")):
            assert target.startswith(("#", "data:image/webp;base64,"))


def test_its_policy_allows_its_script_and_style_alone(report: CheckReport) -> None:
    page = render_page(report)
    policy = next(meta["content"] for meta in elements(page, "meta") if "http-equiv" in meta)
    assert policy.startswith("default-src 'none'; img-src data:;")
    for tag, directive in (("script", "script-src"), ("style", "style-src")):
        content = re.findall(f"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        assert len(content) == 1
        digest = base64.b64encode(hashlib.sha256(content[0].encode()).digest()).decode()
        assert f"{directive} 'sha256-{digest}'" in policy


def test_every_kind_has_an_anchor_and_every_link_a_target(report: CheckReport) -> None:
    page = render_page(report)
    ids = [attributes["id"] for _, attributes in _Elements(page).found if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert {"box-empty", "file-unreadable", "box-tiny", "class-rare"} <= set(ids)
    links = {attributes["href"] for attributes in elements(page, "a") + elements(page, "use")}
    assert {link.removeprefix("#") for link in links} <= set(ids)


def test_findings_are_shown_on_their_photos(report: CheckReport) -> None:
    cards = re.split(r'<article class="card entry" id="', render_page(report))[1:]
    by_id = {card.partition('"')[0]: card for card in cards}
    assert sum(name.startswith("box-empty-") for name in by_id) == 6
    assert '<path class="line" d="M20.0 10.0h0.0v40.0h-0.0z"/>' in by_id["box-empty-1"]
    assert by_id["box-empty-1"].count("<svg") == 2  # the photo, and the part around the box
    copies = by_id["photo-copies-across-splits-1"]
    assert [name for name in ("train", "val", "test") if f'<span class="split">{name}</span>' in copies] == [
        "train",
        "val",
        "test",
    ]


def test_findings_about_boxes_in_one_photo_share_its_picture(report: CheckReport) -> None:
    kind, photo = Kind("box-tiny", "warning", "Tiny boxes", "Look at them."), "images/test/0.jpg"
    findings = Findings()
    for line in range(60):
        box = (2.0 * line, 10.0, 2.0 * line + 1, 11.0)
        findings.add(Finding(kind, Location("a.csv", line), f"box {line}", photo, box))
    findings.add(
        Finding(kind, Location("a.csv", 90), "another box", "images/val/0.jpg", (1.0, 1.0, 2.0, 2.0))
    )
    page = render_page(replace(report, findings=findings))
    cards = re.split(r'<article class="card entry" id="', page)[1:]
    assert cards[0].count('<path class="line"') == 51
    assert cards[0].count('class="line ring"') == 51
    assert "50 more in this photo" in cards[0]
    assert "another box" in cards[1]
    assert len(cards) == 11  # the last boxes of the first photo have cards of their own
    assert "more are not on this page" not in page


def test_pictures_stay_below_the_limit(tmp_path: Path) -> None:
    kind = Kind("photo-dark", "warning", "Dark photos", "Look at them.")
    findings, noise = Findings(), np.random.default_rng(0)
    for number in range(10):
        photo = Image.fromarray(noise.integers(0, 256, (300, 300, 3), dtype=np.uint8))
        photo.save(tmp_path / f"{number}.png")
        findings.add(Finding(kind, Location(f"{number}.png"), "dark", f"{number}.png"))
    report = CheckReport(tmp_path, tmp_path, "", findings, 10)
    page = render_page(report, max_bytes=100_000)
    assert 50_000 < len(page) < 140_000
    assert "so that this page stays small" in page
    assert all(f"{number}.png" in page for number in range(10))  # as text


def test_many_findings_are_counted_and_not_listed(tmp_path: Path) -> None:
    kind = Kind("box-tiny", "warning", "Tiny boxes", "Look at them.")
    findings = Findings()
    for number in range(MAX_ROWS + 50):
        findings.add(Finding(kind, Location("a.csv", number)))
    page = render_page(CheckReport(tmp_path, tmp_path, "", findings, 0))
    assert page.count('<li class="entry">') == MAX_ROWS
    assert "50 more are not on this page" in page


def test_no_photo_outside_the_data_set_is_shown(report: CheckReport, tmp_path: Path) -> None:
    secret = tmp_path / "secret.png"
    Image.new("RGB", (9, 9)).save(secret)
    kind = Kind("photo-dark", "warning", "Dark photos", "Look at them.")
    findings = Findings()
    for photo in ("../secret.png", str(secret), "images/../../secret.png", "missing.png"):
        findings.add(Finding(kind, Location("a.csv"), "", photo))
    page = render_page(replace(report, findings=findings))
    assert "<image" not in page


def test_a_report_without_findings_says_so(empty_report: CheckReport) -> None:
    page = render_page(empty_report)
    assert "Nothing was found" in page
    assert "No errors and no warnings." in page


def test_a_detection_is_drawn_beside_the_label(report: CheckReport) -> None:
    kind = Kind("model-bad-box", "warning", "Boxes that do not fit", "Draw them again.")
    photo = "images/test/0.jpg"
    detection = ModelDetection("cat", 0.9, (50.0, 40.0, 90.0, 80.0))
    for box in ((40.0, 40.0, 80.0, 80.0), None):
        report.findings.add(Finding(kind, Location("a.json"), "", photo, box, detection=detection))
    page = render_page(report)
    [section] = re.findall(r'<section class="kind warning" id="model-bad-box".*?</section>', page, re.DOTALL)
    lines = [row["class"] for row in elements(section, "path") if row.get("class", "").startswith("line")]
    assert lines.count("line detection") >= 2
    assert lines.count("line") >= 1
    assert 'class="line detection" d="M50.0 40.0h40.0v40.0h-40.0z"' in section
    assert section.count('<span class="key labeled">') == 1
    assert section.count('<span class="key detected">') == 2


def test_the_class_of_a_whole_photo_has_no_box(report: CheckReport) -> None:
    kind = Kind("model-wrong-class", "warning", "Wrong classes", "Correct them.")
    detection = ModelDetection("cat", 0.9)
    report.findings.add(Finding(kind, Location("a.json"), "", "images/test/0.jpg", detection=detection))
    page = render_page(report)
    assert 'id="model-wrong-class-1"' in page
    assert 'class="line detection"' not in page
    assert 'class="key detected"' not in page


def test_every_row_of_the_class_table_has_the_cells_of_its_head(report: CheckReport) -> None:
    """On narrow screens, the cells of the class "bar" are hidden: they must be in the same column."""
    page = render_page(report)
    table = page[page.index('<table class="classes">') :]
    rows = table[: table.index("</table>")].split("<tr>")[1:]
    bars = [["bar" in cell for cell in re.findall("<t[hd]([^>]*)>", row)] for row in rows]
    assert "Photos" in rows[-1]
    assert bars == [bars[0]] * len(rows)
    assert sum(bars[0]) == 1
