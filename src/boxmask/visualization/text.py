"""Draw one line of text, each part of it in a font that has its characters."""

from __future__ import annotations

import unicodedata

from PIL import ImageDraw

from boxmask.visualization.fonts import (
    Font,
    default_font,
    font_with,
    has_character,
    is_invisible,
    load_font,
)


def text_width(text: str, size: int) -> float:
    """The width of a line of text, in pixels."""
    return sum(load_font(font, size).getlength(part) for font, part in _parts(text))


def draw_text(
    pencil: ImageDraw.ImageDraw, left_middle: tuple[float, float], text: str, color: str, size: int
) -> None:
    """Draw a line of text to the right of a point, vertically centered on it."""
    x, y = left_middle
    parts = _parts(text)
    if len(parts) == 1:
        font, part = parts[0]
        pencil.text((x, y), part, color, load_font(font, size), anchor="lm")
        return
    ascent, descent = load_font(default_font(), size).getmetrics()
    for font, part in parts:
        pencil.text((x, y + (ascent - descent) // 2), part, color, load_font(font, size), anchor="ls")
        x += load_font(font, size).getlength(part)


def _parts(text: str) -> list[tuple[Font, str]]:
    """The text in its reading order, split where the font changes. Line breaks and tabs become spaces."""
    composed = unicodedata.normalize("NFC", text)
    line = "".join(c if c.isprintable() or is_invisible(c) else " " for c in composed)
    parts: list[tuple[Font, str]] = []
    for character in line:
        font = _font_after(parts[-1][0] if parts else _first_font(line), character)
        if parts and parts[-1][0] == font:
            parts[-1] = (font, parts[-1][1] + character)
        else:
            parts.append((font, character))
    return parts


def _first_font(line: str) -> Font:
    """The default font, or if it lacks characters, one that has as many of them as possible."""
    lacking = [c for c in dict.fromkeys(line) if not is_invisible(c) and not has_character(default_font(), c)]
    fonts = dict.fromkeys(font for c in lacking if (font := font_with(c)))
    return max(fonts, key=lambda font: sum(has_character(font, c) for c in lacking), default=default_font())


def _font_after(previous: Font, character: str) -> Font:
    """The font of a character: that of the character before if it has it, so that words stay in one font."""
    if is_invisible(character) or unicodedata.combining(character) or has_character(previous, character):
        return previous
    return font_with(character) or default_font()
