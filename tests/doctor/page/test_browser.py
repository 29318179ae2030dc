"""The page in a browser: filters, links, keys, phones and printing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from boxmask.data.checks.examination import Examination
from boxmask.doctor.report import CheckReport


@pytest.fixture
def page(open_page: Callable[[Path], Any], report: CheckReport, tmp_path: Path) -> Iterator[Any]:
    """The page of the report."""
    report.save(tmp_path / "report.html")
    page = open_page(tmp_path / "report.html")
    yield page
    assert page.title() == "cats & dogs: labels checked by boxmask"  # no hostile name has changed it


def shown(page: Any) -> list[str]:
    """The ids of the kinds that are shown."""
    return [kind.get_attribute("id") for kind in page.query_selector_all(".kind") if kind.is_visible()]


ALL = ["box-empty", "file-unreadable", "box-tiny", "photo-copies-across-splits", "class-rare"]


def test_all_is_shown_at_first(page: Any) -> None:
    assert shown(page) == ALL
    assert page.is_disabled("#clear")


def test_severities_kinds_and_words_filter(page: Any) -> None:
    page.uncheck('input[value="error"]')
    assert shown(page) == ALL[2:]
    page.select_option("#kind", "class-rare")
    assert shown(page) == ["class-rare"]
    assert page.inner_text("#shown") == "1 of 10 listed findings are shown."
    page.click("#clear")
    assert shown(page) == ALL
    page.fill("#search", "val/1.JPG width")
    assert shown(page) == ["box-empty"]
    assert len([card for card in page.query_selector_all(".entry") if card.is_visible()]) == 1


def test_keys_lead_to_the_search_and_back(page: Any) -> None:
    page.keyboard.press("/")
    page.keyboard.type("tiny")
    assert shown(page) == ["box-tiny"]
    page.keyboard.press("Escape")
    assert shown(page) == ALL


def test_everything_can_be_reached_with_the_tab_key(page: Any) -> None:
    reached = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.id || document.activeElement.getAttribute('href')"))
    assert {"#findings", "#errors", "search", "kind", "#box-tiny"} <= reached


def test_a_link_to_a_kind_shows_it(page: Any) -> None:
    page.select_option("#kind", "box-empty")
    page.evaluate("location.hash = '#class-rare'")
    page.wait_for_timeout(100)
    assert "class-rare" in shown(page)
    top = page.evaluate("document.getElementById('class-rare').getBoundingClientRect().top")
    assert -1 <= top <= 800


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_phone(page: Any, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": 360, "height": 740})
    page.reload()
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (background == "rgb(246, 247, 248)") == (scheme == "light")


def test_pictures_are_drawn(page: Any) -> None:
    boxes = page.evaluate("[...document.querySelectorAll('.view use')].map(use => use.getBBox().width)")
    assert len(boxes) > 10
    assert min(boxes) > 0


def test_print_leaves_out_what_cannot_be_used(page: Any, tmp_path: Path) -> None:
    page.emulate_media(media="print")
    assert not page.is_visible("#search")
    assert page.is_visible("#box-empty")
    assert len(page.pdf()) > 5000


def test_without_script_all_findings_are_there(browser: Any, report: CheckReport, tmp_path: Path) -> None:
    report.save(tmp_path / "report.html")
    context = browser.new_context(java_script_enabled=False, offline=True)
    page = context.new_page()
    page.goto((tmp_path / "report.html").as_uri())
    assert shown(page) == ALL
    assert not page.is_visible("#search")
    context.close()


@pytest.fixture
def labeled_page(
    open_page: Callable[[Path], Any],
    report: CheckReport,
    examination_of: Callable[..., Examination],
    tmp_path: Path,
) -> Any:
    """The page of the report with labels: a cat and two dogs, nothing, a cat."""
    labeled = replace(report, examination=examination_of([[0, 1, 1], [], [0]]))
    labeled.save(tmp_path / "labels.html")
    return open_page(tmp_path / "labels.html")


def labeled(page: Any) -> list[str]:
    """The ids of the photos with labels that are shown."""
    return [photo.get_attribute("id") for photo in page.query_selector_all(".labeled") if photo.is_visible()]


def test_photos_are_chosen_by_class_and_split(labeled_page: Any) -> None:
    page = labeled_page
    page.select_option("#label-class", "1")
    assert labeled(page) == ["labels-0"]
    assert len([shape for shape in page.query_selector_all("#labels .shape") if shape.is_visible()]) == 2
    assert page.inner_text("#labels-shown") == "1 of 3 photos are shown."
    page.select_option("#label-class", "none")
    assert labeled(page) == ["labels-1"]
    page.select_option("#label-class", "")
    page.select_option("#label-split", "train")
    assert labeled(page) == ["labels-2"]
    assert page.is_visible("#labels-2 text")
    page.uncheck("#label-names")
    assert not page.is_visible("#labels-2 text")


def test_pictures_are_enlarged_with_mouse_and_keys(labeled_page: Any) -> None:
    page = labeled_page
    page.click("#labels-0 svg.view")
    assert page.inner_text("dialog p") == "images/test/0.jpg: 1 cat, 2 <b>dog</b>"
    assert page.evaluate("document.querySelector('dialog svg').getBoundingClientRect().width") > 900
    page.keyboard.press("ArrowRight")
    assert page.inner_text("dialog p") == "images/test/1.jpg: no object"
    page.keyboard.press("Escape")
    assert not page.is_visible("dialog")
    assert page.evaluate("document.activeElement.closest('figure').id") == "labels-1"
    page.keyboard.press("Enter")
    assert page.is_visible("dialog")
    page.click("dialog button >> text=Close")
    assert not page.is_visible("dialog")
