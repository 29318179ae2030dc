"""Find a font for each character: DejaVu Sans, the package of the extra "fonts", or a font of the system.

DejaVu Sans comes with matplotlib and has Latin, Greek, Cyrillic, Hebrew and Arabic letters, among others. It
has no Chinese, Japanese, Korean, Indic or Thai ones.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from PIL import ImageFont, features

FONT_PACKAGES = ("weblate_fonts",)  # of the extra "fonts"
FONT_SUFFIXES = (".ttf", ".otf", ".ttc", ".otc")
# Parts of the file names of plain text fonts, first choice first. Other fonts may be decorative or bold.
PREFERRED = (
    "kurintosanssc-rg",
    "kurintosanskr-rg",
    "kurintosansjp-rg",
    "kurintosanstc-rg",
    "kurintosans-rg",
    "notosanscjk-regular",
    "notosans",
    "sourcehansans-regular",
    "malgun.",
    "applesdgothicneo",
    "nanumgothic.",
    "msyh.",
    "yugothr",
    "meiryo.",
    "pingfang",
    "hiragino",
    "arialuni",
    "freesans.",
    "droidsansfallback",
    "unifont",
)
AVOIDED = ("bold", "italic", "oblique", "black", "light", "thin", "condensed", "mono", "serif")
SHAPED = ((0x0590, 0x08FF), (0x0900, 0x0DFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0xFB1D, 0xFEFC))
"""Code points of scripts that run from right to left or whose letters change with their neighbors."""


class Font(NamedTuple):
    """A font file, and the number of the font in it if it is a collection."""

    file: Path
    number: int = 0


@cache
def default_font() -> Font:
    """DejaVu Sans, which comes with matplotlib."""
    name, spec = Path("fonts", "ttf", "DejaVuSans.ttf"), find_spec("matplotlib")
    if spec is not None and spec.origin is not None:  # where it is without importing matplotlib
        file = Path(spec.origin).parent / "mpl-data" / name
        if file.is_file():
            return Font(file)
    import matplotlib

    return Font(Path(matplotlib.get_data_path()) / name)


@cache
def load_font(font: Font, size: int) -> ImageFont.FreeTypeFont:
    """A font at a size in pixels; a variable one at its regular weight."""
    loaded = ImageFont.truetype(str(font.file), size, index=font.number)
    with suppress(OSError, NotImplementedError):  # not variable, or FreeType is too old
        axes = loaded.get_variation_axes()
        loaded.set_variation_by_axes(
            [400 if axis["name"] in (b"Weight", "Weight") else axis["default"] or 0 for axis in axes]
        )
    return loaded


@cache
def font_with(character: str) -> Font | None:
    """The first font that has a character; None if no font has it."""
    if has_character(default_font(), character):
        return default_font()
    return next((font for font in _other_fonts() if has_character(font, character)), None)


def has_character(font: Font, character: str) -> bool:
    """Whether a font can draw a character. A color font, for example of emoji, may hold no outline of it."""
    if font == default_font() and " " <= character <= "~":
        return True  # without reading the font
    code_points, is_color = _content(font)
    if ord(character) not in code_points:
        return False
    return not is_color or load_font(font, 20).getmask(character).getbbox() is not None


def is_invisible(character: str) -> bool:
    """Whether a character changes its neighbors and needs no glyph: joiners, variation selectors."""
    return unicodedata.category(character) == "Cf" or 0xFE00 <= ord(character) <= 0xFE0F


def notes_on_fonts(texts: Iterable[str]) -> tuple[str, ...]:
    """Notes on the texts that cannot be drawn, or not in the right order, with what to install."""
    normal = [unicodedata.normalize("NFC", text) for text in texts]
    characters = dict.fromkeys(character for text in normal for character in text)
    notes = []
    missing = [c for c in characters if c.isprintable() and not is_invisible(c) and font_with(c) is None]
    if missing:
        notes.append(
            f'no installed font has the characters "{"".join(missing)}": pictures show empty boxes instead. '
            'Install a font that has them: pip install "boxmask[fonts]", or Noto Sans for this language.'
        )
    if not (features.check("raqm") and features.check("fribidi")):
        shaped = [text for text in normal if any(low <= ord(c) <= high for c in text for low, high in SHAPED)]
        if shaped:
            notes.append(
                f"the letters of {', '.join(shaped)} are drawn unconnected and from left to right, because "
                "Pillow finds no Raqm or FriBiDi. Install the system's FriBiDi library."
            )
    return tuple(notes)


# ---------------------------------------------------------------- files


@cache
def _other_fonts() -> tuple[Font, ...]:
    """The fonts of the packages and of the system, those that suit plain text first."""
    from matplotlib.font_manager import findSystemFonts

    files = {Path(file) for file in findSystemFonts()} | set(_package_fonts())
    return tuple(font for file in sorted(files, key=_rank) for font in _fonts_in(file))


def _package_fonts() -> Iterable[Path]:
    for package in FONT_PACKAGES:
        spec = find_spec(package)
        for folder in (spec.submodule_search_locations or ()) if spec else ():
            for file in Path(folder).rglob("*"):
                if file.suffix.lower() in FONT_SUFFIXES:
                    yield file


def _rank(file: Path) -> tuple[int, bool, str]:
    name = file.name.lower()
    preferred = next((index for index, part in enumerate(PREFERRED) if part in name), len(PREFERRED))
    return preferred, any(part in name for part in AVOIDED), str(file)


@cache
def _fonts_in(file: Path) -> tuple[Font, ...]:
    """The font of a file, or those of a collection; none if the file cannot be read."""
    from fontTools.ttLib import TTCollection, TTLibError

    try:
        if file.suffix.lower() in (".ttc", ".otc"):
            with TTCollection(str(file), lazy=True) as collection:
                return tuple(Font(file, number) for number in range(len(collection.fonts)))
    except (TTLibError, OSError):
        return ()
    return (Font(file),)


@cache
def _content(font: Font) -> tuple[frozenset[int], bool]:
    """The code points of a font, and whether it is a color font; none if it is damaged or has no outlines."""
    from fontTools.ttLib import TTFont, TTLibError

    try:
        with TTFont(str(font.file), fontNumber=font.number, lazy=True) as content:
            if not any(table in content for table in ("glyf", "CFF ", "CFF2")):
                return frozenset(), False
            return frozenset(content.getBestCmap() or ()), any(t in content for t in ("COLR", "CBDT", "sbix"))
    except (TTLibError, OSError, ValueError, KeyError, AssertionError):
        return frozenset(), False
