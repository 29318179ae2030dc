"""The report in a browser: layers, cells, languages, themes, phones and printing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def page(open_page: Callable[[Path], Any], saved: Callable[[], Path]) -> Iterator[Any]:
    """The report."""
    page = open_page(saved())
    yield page
    assert page.title() == "cats & dogs: models compared by boxmask"  # no hostile name has changed it


def shown(page: Any, selector: str) -> int:
    return sum(each.is_visible() for each in page.query_selector_all(selector))


def test_layers_are_switched_on_and_off(page: Any) -> None:
    both = shown(page, ".layer[data-model] .o")
    first = page.query_selector('input[name="layer"]:checked').get_attribute("value")
    assert both == shown(page, f'.layer[data-model="{first}"] .o') > 0
    page.uncheck("#show-labels")
    assert shown(page, ".labels .o") == 0
    for value in ("0", "1"):
        page.check(f'input[name="layer"][value="{value}"]')
    assert shown(page, ".layer[data-model] .o") > both
    page.select_option("#class", "1")
    assert {each.get_attribute("data-c") for each in page.query_selector_all(".o") if each.is_visible()} == {
        "1"
    }


def test_mistakes_and_scores_filter(page: Any) -> None:
    page.uncheck("#kept")
    page.select_option("#verdict", "wrong")
    assert shown(page, ".o.wrong") > 0
    assert shown(page, ".o.right") == 0
    page.select_option("#verdict", "all")
    page.evaluate(
        "const s = document.getElementById('min-score'); s.value = 95;"
        "s.dispatchEvent(new Event('input', {bubbles: true}))"
    )
    assert shown(page, ".layer[data-model] .o") == 0
    assert page.inner_text("#min-score-value") == "0.95"


def test_cells_open_their_photos(page: Any) -> None:
    cell = next(each for each in page.query_selector_all("button.cell") if each.is_visible())
    cell.click()
    numbers = cell.get_attribute("data-photos").split()
    visible = [card for card in page.query_selector_all(".photo") if card.is_visible()]
    assert [card.get_attribute("data-number") for card in visible] == numbers
    assert cell.get_attribute("aria-label") in page.inner_text("#photos-shown")
    page.click("#show-all")
    assert shown(page, ".photo") == 4
    assert page.inner_text("#photos-shown") == ""


def test_the_language_is_chosen_and_remembered(page: Any) -> None:
    page.select_option("#language", "ko")
    assert page.inner_text("#photos h2") == "사진"
    assert page.get_attribute("html", "lang") == "ko"
    page.reload()
    assert page.inner_text("#photos h2") == "사진"
    assert "Photos" not in page.inner_text("nav")
    page.select_option("#language", "en")
    assert page.inner_text("#photos h2") == "Photos"


def test_the_theme_is_chosen_and_remembered(page: Any) -> None:
    color = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(color)
    page.select_option("#theme", "dark")
    dark = page.evaluate(color)
    assert dark != light
    page.reload()
    assert page.evaluate(color) == dark
    page.emulate_media(color_scheme="dark")
    page.select_option("#theme", "light")
    assert page.evaluate(color) == light


@pytest.mark.parametrize("width", [360, 800, 1400])
def test_it_fits_every_screen(page: Any, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 740})
    page.reload()
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert shown(page, "svg.chart") > 3


def test_pictures_are_drawn_and_enlarged(page: Any) -> None:
    sizes = page.evaluate("[...document.querySelectorAll('.view > use')].map(use => use.getBBox().width)")
    assert len(sizes) == 4
    assert min(sizes) > 0
    page.focus(".photo .view")
    page.keyboard.press("Enter")
    assert page.is_visible("dialog")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Escape")
    assert not page.is_visible("dialog")


def test_a_score_of_choice_fills_the_table(page: Any) -> None:
    page.focus("#choose-score")
    page.keyboard.press("Home")
    assert page.inner_text("#chosen-score") == "0.00"
    assert page.query_selector("table.min-scores td.chosen:last-child").inner_text().endswith("%")


def test_it_prints_all_photos_without_controls(page: Any) -> None:
    page.emulate_media(media="print")
    assert not page.is_visible("#choose-layers")
    assert not page.is_visible(".switches")
    assert len(page.pdf()) > 20_000


def test_without_script_all_is_there(browser: Any, saved: Callable[[], Path]) -> None:
    context = browser.new_context(java_script_enabled=False, offline=True)
    page = context.new_page()
    page.goto(saved().as_uri())
    assert shown(page, ".photo") == 4
    assert shown(page, ".layer[data-model] .o") > 0
    assert not page.is_visible("#choose-layers")
    context.close()
