"""The report: what it holds, and that it is safe and small."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from boxmask.comparison.contract import Comparison, Spread
from boxmask.comparison.report.render import render_report
from boxmask.errors import UsageError


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


@pytest.fixture
def page(comparison: Comparison) -> str:
    return render_report(comparison)


def test_names_and_messages_are_text_and_never_elements(page: str) -> None:
    assert elements(page, "img") == []
    assert [script.get("type", "") for script in elements(page, "script")].count("") == 1
    assert "&lt;img src=x onerror=alert(1)&gt;" in page
    assert "the loss is NaN &lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert all(not name.startswith("on") for _, attributes in _Elements(page).found for name in attributes)


def test_the_page_loads_nothing_and_allows_its_script_and_style_alone(page: str) -> None:
    for _, attributes in _Elements(page).found:
        assert attributes.keys().isdisjoint({"src", "srcset", "style", "action"})
        assert attributes.get("href", "#").startswith(("#", "data:image/webp;base64,"))
    policy = next(meta["content"] for meta in elements(page, "meta") if "http-equiv" in meta)
    for tag, directive in (("script", "script-src"), ("style", "style-src")):
        [content] = re.findall(f"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{directive} 'sha256-{digest}'" in policy


def test_every_link_has_a_target_and_every_id_is_unique(page: str) -> None:
    ids = [attributes["id"] for _, attributes in _Elements(page).found if "id" in attributes]
    assert len(ids) == len(set(ids))
    links = {each["href"] for each in elements(page, "a") + elements(page, "use")}
    assert {link.removeprefix("#") for link in links} <= set(ids)


def test_it_shows_all_that_a_comparison_holds(page: str) -> None:
    ids = {section.get("id") for section in elements(page, "section")}
    assert ids >= {"result", "failed", "differences", "classes", "errors", "confusion", "curves", "scores"}
    assert ids >= {"more-charts", "stages", "photos"}
    assert "±" not in page
    assert "0.100" in page
    assert "may be chance" in page
    assert "A sentence that has no translation." in page
    assert page.count('<circle class="dot-main"') > 4


def test_sentences_of_the_statistics_are_translated(page: str) -> None:
    assert 'data-ko="&lt;img src=x onerror=alert(1)&gt; 모델과 fcos 모델의 차이는' in page


def test_the_spread_between_seeds_stands_beside_the_intervals(comparison: Comparison) -> None:
    page = render_report(replace(comparison, spreads=(Spread("fcos", "AP", (0.5, 0.6)),)))
    assert "fcos: AP of 2 trainings with different seeds is 0.550 ± 0.071" in page


def test_the_metric_of_an_8_bit_file_is_not_claimed(page: str) -> None:
    [chart] = re.findall(r'<svg class="chart wide-only".*?</svg>', page, re.DOTALL)
    assert "int8" not in chart
    assert "(torch): AP" in chart


def test_photos_outside_the_data_set_are_not_shown(page: str) -> None:
    names = re.findall(r'<span class="file">(.*?)</span>', page)
    assert sorted(names) == ["a.png", "b &amp; c.png", "d.png", "e.png"]


def test_layers_tell_right_from_wrong_for_each_model(page: str) -> None:
    [photo] = [card for card in page.split('<figure class="card photo"')[1:] if "b &amp; c.png" in card]
    assert Counter(re.findall(r'class="o (right|wrong)', photo)) == {"right": 2, "wrong": 2}
    assert 'data-missed="1"' in photo


def test_cells_know_their_photos(page: str) -> None:
    numbers = {card["data-number"] for card in elements(page, "figure") if "data-number" in card}
    cells = [button for button in elements(page, "button") if button.get("class") == "cell"]
    assert cells
    for cell in cells:
        assert set(cell["data-photos"].split()) <= numbers
        assert int(cell["data-rest"]) >= 0


def test_pictures_stay_below_the_limit(comparison: Comparison) -> None:
    small = render_report(comparison, max_bytes=20_000)
    assert len(re.findall(r"data:image/webp[^\"]*", small)) < 4
    assert "would make this file too large" in small


def test_scores_of_choice_are_numbers(page: str) -> None:
    [text] = re.findall(r'<script type="application/json" id="score-data">(.*?)</script>', page)
    table = json.loads(text)
    assert {len(curve) for row in table for curve in row} == {101}


def test_one_model_has_no_legend_and_no_pairs(comparison: Comparison) -> None:
    page = render_report(replace(comparison, models=comparison.models[:1], differences=(), failed=()))
    ids = {section.get("id") for section in elements(page, "section")}
    assert not ids & {"failed", "differences"}
    assert "boxmask evaluate" in page
    assert 'class="plot intervals"' in page


def test_without_analysis_and_speed_it_still_shows_metrics_and_photos(comparison: Comparison) -> None:
    models = tuple(replace(model, failures=None, speeds=(), training=None) for model in comparison.models)
    page = render_report(replace(comparison, models=models))
    ids = {section.get("id") for section in elements(page, "section")}
    assert ids >= {"result", "classes", "photos"}
    assert not ids & {"errors", "confusion", "stages"}


def test_without_any_model_it_shows_the_failures(comparison: Comparison) -> None:
    page = render_report(replace(comparison, models=(), differences=()))
    assert "the loss is NaN" in page


def test_segmenters_have_label_maps_over_the_photos(of_segmenters: Comparison) -> None:
    page = render_report(of_segmenters)
    assert page.count('class="overlay layer wrong"') == 4
    assert page.count('class="overlay layer labels"') == 4
    assert "13.0 % of the pixels are wrong" in page


def test_classifiers_have_their_items(of_classifiers: Comparison) -> None:
    page = render_report(of_classifiers)
    assert page.count('<figure class="card photo"') == 8
    assert page.count("cat 0.80 ✗") == 4


def test_it_is_written_once_and_never_over_other_files(
    comparison: Comparison, saved: Callable[[], Path], tmp_path: Path
) -> None:
    saved()
    assert saved().read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    (tmp_path / "mine.html").write_text("mine")
    with pytest.raises(UsageError, match=r"mine\.html: is not replaced"):
        comparison.save_html(tmp_path / "mine.html")
    with pytest.raises(UsageError, match=r"report\.txt: the report is an HTML page"):
        comparison.save_html(tmp_path / "report.txt")
