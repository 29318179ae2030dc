"""The texts of the page in all languages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import boxmask.comparison.report
from boxmask.comparison.report.sentences import translated_sentences
from boxmask.comparison.report.texts import LANGUAGES, OTHERS, Texts, messages, text_in
from boxmask.evaluation.contract import Interval
from boxmask.evaluation.intervals.difference import Difference
from boxmask.evaluation.intervals.sentences import describe_comparison, describe_folds

TEMPLATES = Path(boxmask.comparison.report.__file__).parent / "template"


@pytest.mark.parametrize("language", OTHERS)
def test_every_text_has_a_translation_with_the_same_values(language: str) -> None:
    english, translated = messages("en"), messages(language)
    assert english.keys() == translated.keys()
    for key, text in english.items():
        names = set(re.findall(r"\{(\w+)\}", text))
        assert set(re.findall(r"\{(\w+)\}", translated[key])) in (names, names | {"n"}), key


def test_every_text_of_the_templates_exists() -> None:
    source = "".join(file.read_text(encoding="utf-8") for file in TEMPLATES.glob("*.html"))
    used = set(re.findall(r't(?:\.\w+)?\("([\w.]+)"[,)]', source))
    assert used <= messages("en").keys()
    assert len(used) > 60


def test_one_has_a_text_of_its_own() -> None:
    assert text_in("en", "facts.photos", n="1") == "1 photo"
    assert text_in("en", "facts.photos", n="1,200") == "1,200 photos"
    assert text_in("ko", "facts.photos", n="1") == "사진 1장"


def test_values_are_escaped_in_elements_and_attributes() -> None:
    markup = Texts()("photo.label", file='<b>"\x00')
    assert "<b>" not in markup
    assert '"\\x00' not in markup
    assert "&lt;b&gt;&#34;\\x00" in markup


def test_sentences_are_recognized_by_their_form() -> None:
    pairs = [
        Difference("fcos", "ssd", "AP", 0.1, Interval(0.02, 0.2), 0.01),
        Difference("fcos", "ssd", "AP", 0.1, Interval(-0.02, 0.2), 0.3),
        Difference("fcos", "ssd", "AP", 0.1, None, None),
    ]
    on_models = describe_comparison("AP", {"fcos": 0.5, "ssd": 0.4}, pairs, 72)
    on_photos = describe_comparison("AP", {"fcos": 0.5, "ssd": 0.4}, pairs, 5)
    on_groups = [
        sentence
        for count in (5, 72)
        for sentence in describe_comparison("AP", {"fcos": 0.5, "ssd": 0.4}, pairs, count, grouped=True)
    ]
    assert len({*on_models, *on_photos, *on_groups}) == 8
    for sentence, translations in translated_sentences(
        [*on_models, *on_photos, *on_groups, describe_folds(5)]
    ):
        assert set(translations) == set(OTHERS), sentence
        assert all("groups" not in text for text in translations.values())
    assert translated_sentences(["Unknown."]) == [("Unknown.", {})]
    assert set(LANGUAGES) == {"en", "ko"}
