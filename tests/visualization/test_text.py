"""Text in fonts that have its characters. A tiny font is made here, so that no system font is needed."""

from __future__ import annotations

import unicodedata
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, features

from boxmask.types import Detections, SegmentationMap
from boxmask.visualization import fonts
from boxmask.visualization.contact_sheet import contact_sheet
from boxmask.visualization.detections import draw_detections
from boxmask.visualization.fonts import Font, default_font, font_with, notes_on_fonts
from boxmask.visualization.legend import append_legend
from boxmask.visualization.text import draw_text, text_width

MakeFont = Callable[[str, str], Font]


@pytest.fixture
def make_font(tmp_path: Path) -> MakeFont:
    """Makes a font in which every one of the given characters is a filled square."""

    def make(name: str, characters: str) -> Font:
        glyphs = [".notdef", *(f"u{ord(c):04X}" for c in sorted(set(characters)))]
        builder = FontBuilder(1000, isTTF=True)
        builder.setupGlyphOrder(glyphs)
        builder.setupCharacterMap({ord(c): f"u{ord(c):04X}" for c in characters})
        builder.setupGlyf({glyph: square() for glyph in glyphs})
        builder.setupHorizontalMetrics(dict.fromkeys(glyphs, (1000, 0)))
        builder.setupHorizontalHeader(ascent=800, descent=-200)
        builder.setupNameTable({"familyName": name, "styleName": "Regular"})
        builder.setupOS2()
        builder.setupPost()
        builder.save(tmp_path / f"{name}.ttf")
        return Font(tmp_path / f"{name}.ttf")

    return make


def square() -> object:
    pen = TTGlyphPen(None)
    for number, point in enumerate([(0, 0), (0, 800), (900, 800), (900, 0)]):
        (pen.lineTo if number else pen.moveTo)(point)
    pen.closePath()
    return pen.glyph()


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Replaces the fonts of the system by the given ones."""

    def only(*installed: Font) -> None:
        font_with.cache_clear()
        monkeypatch.setattr(fonts, "_other_fonts", lambda: installed)

    only()
    yield only
    font_with.cache_clear()


def drawn(text: str, size: int = 30) -> np.ndarray:
    """White text on black."""
    canvas = Image.new("L", (500, 60))
    draw_text(ImageDraw.Draw(canvas), (5, 30), text, "white", size)
    return np.array(canvas)


def one_object(name: str) -> Detections:
    return Detections(
        torch.tensor([[20.0, 40, 180, 110]]), torch.tensor([0.9]), torch.tensor([0]), (name,), (120, 200)
    )


# ---------------------------------------------------------------- finding fonts


def test_a_font_that_has_the_characters_is_used(make_font: MakeFont, install: Callable[..., None]) -> None:
    hangul = make_font("hangul", "너구리")
    install(make_font("thai", "แรคคูน"), hangul)
    assert font_with("너") == hangul
    assert font_with("a") == default_font()
    assert font_with("浣") is None
    assert (drawn("너구리") == 255).sum() > 3 * 27 * 20  # three squares


@pytest.mark.parametrize("text", ["너구리 0.92", "raccoon 너구리", "너구리", "raccoon"])
def test_a_line_may_change_its_font(make_font: MakeFont, install: Callable[..., None], text: str) -> None:
    install(make_font("hangul", "너구리"))
    columns = np.flatnonzero(drawn(text).any(axis=0))
    assert columns[0] >= 5
    assert abs(columns[-1] - 5 - text_width(text, 30)) < 6


def test_decomposed_text_is_drawn_as_composed(make_font: MakeFont, install: Callable[..., None]) -> None:
    install(make_font("hangul", "너구리"))
    decomposed = unicodedata.normalize("NFD", "너구리")
    assert np.array_equal(drawn(decomposed), drawn("너구리"))
    assert notes_on_fonts([decomposed]) == ()


def test_damaged_fonts_are_passed_over(tmp_path: Path, install: Callable[..., None]) -> None:
    (tmp_path / "broken.ttf").write_bytes(b"no font")
    (tmp_path / "empty.otf").touch()
    install(Font(tmp_path / "broken.ttf"), Font(tmp_path / "empty.otf"), Font(tmp_path / "gone.ttf"))
    assert font_with("너") is None


def test_plain_fonts_come_first() -> None:
    names = [
        "Fancy.ttf",
        "NanumGothicBold.ttf",
        "NotoSansCJK-Bold.ttc",
        "NotoSansCJK-Regular.ttc",
        "malgun.ttf",
    ]
    ranked = sorted((Path(name) for name in names), key=fonts._rank)
    assert ranked[0].name == "NotoSansCJK-Regular.ttc"
    assert ranked[-1].name == "NanumGothicBold.ttf"


# ---------------------------------------------------------------- drawing


@pytest.mark.parametrize(
    "name", ["a\nb", "tab\there", "\x00", "\udcff", "", " ", "e\u0301", "👩\u200d🚒", "\u202eabc", "a" * 500]
)
def test_every_name_can_be_drawn(install: Callable[..., None], name: str) -> None:
    photo = np.zeros((120, 200, 3), np.uint8)
    assert draw_detections(photo, one_object(name)).shape == photo.shape
    assert append_legend(photo, [(name, "#FF0000")]).shape[1] == 200
    assert contact_sheet([photo], columns=1, width=204, captions=[name]).shape[1] == 204


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=20))
def test_any_text_has_a_width_and_can_be_drawn(install: Callable[..., None], text: str) -> None:
    assert text_width(text, 12) >= 0
    drawn(text, 12)
    assert len(notes_on_fonts([text])) <= 2


# ---------------------------------------------------------------- notes


@pytest.mark.parametrize("text", ["너구리", "たぬき", "浣熊", "रैकून", "แรคคูน", "🦝"])
def test_characters_that_no_font_has_are_named(install: Callable[..., None], text: str) -> None:
    (note,) = notes_on_fonts(["cat", text])
    assert note.startswith("no installed font has the characters")
    assert text[0] in note
    assert 'pip install "boxmask[fonts]"' in note


@pytest.mark.parametrize("text", ["raccoon", "Äкшé", "λ", "", "a\u200db", "a\tb"])
def test_no_note_where_all_can_be_drawn(install: Callable[..., None], text: str) -> None:
    assert notes_on_fonts([text]) == ()


def test_without_raqm_the_order_of_letters_is_noted(
    install: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(features, "check", lambda feature: False)
    (note,) = notes_on_fonts(["cat", "راكون"])
    assert "the letters of راكون are drawn unconnected and from left to right" in note
    assert notes_on_fonts(["cat"]) == ()


def test_plot_warns_of_names_that_cannot_be_drawn(install: Callable[..., None]) -> None:
    photo = Image.new("RGB", (200, 120))
    with pytest.warns(UserWarning, match="no installed font has the characters"):
        one_object("너구리").plot(photo)
    with pytest.warns(UserWarning, match="no installed font has the characters"):
        SegmentationMap(torch.zeros((120, 200), dtype=torch.uint8), ("도로",)).plot(photo)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        one_object("raccoon").plot(photo)
