"""The mark of tainted metrics in the terminal."""

from __future__ import annotations

from rich.text import Text

from boxmask.evaluation.seen_photos import SeenPhotos


def mark_lines(seen: SeenPhotos | None) -> tuple[Text, ...]:
    """The mark above the table of an evaluation, if it has one."""
    text = seen.describe() if seen else ""
    return (Text(text, style="bold red"),) if text else ()
