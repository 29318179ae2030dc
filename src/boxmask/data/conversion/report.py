"""The account of a conversion: what was written, and what the format cannot hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from boxmask.messages import format_count, format_note

REPORT_FILE = "conversion.txt"


@dataclass(frozen=True, slots=True)
class Conversion:
    """A data set that was written.

    path:       its folder
    format:     its format, as in --to
    num_photos, num_objects: that were read
    losses:     what the format does not hold, each with the photo of every case
    notes:      remarks on the labels that were read
    """

    path: Path
    format: str
    num_photos: int
    num_objects: int
    losses: tuple[tuple[str, tuple[str, ...]], ...] = ()
    notes: tuple[str, ...] = ()

    def loss_notes(self) -> tuple[str, ...]:
        """A note per loss, which counts its cases and lists the photos."""
        return tuple(note for what, photos in self.losses for note in _loss_note(what, photos))


def _loss_note(what: str, photos: Sequence[str]) -> tuple[str, ...]:
    counts = Counter(photos)
    if list(counts) == [""]:  # it is not about photos
        return (what,)
    lines = [photo if count == 1 else f"{photo} ({count})" for photo, count in counts.items()]
    times = "" if len(photos) == len(counts) else f"{len(photos):,} times "
    return format_note(f"{what} ({times}in {format_count(len(counts), 'photo')})", lines)


def write_report(conversion: Conversion, source: Path, remarks: Iterable[str], folder: Path) -> None:
    """Write `conversion.txt` into a folder: what was written, then all losses and notes.

    source:  the data set that was read
    remarks: sentences about the folder
    """
    counts = (
        f"{format_count(conversion.num_photos, 'photo')}, {format_count(conversion.num_objects, 'object')}"
    )
    losses = conversion.loss_notes()
    sections = [
        f"Converted by boxmask from {source} to {conversion.format}: {counts}.",
        *remarks,
        "Not written as in the original:" if losses else "The format holds all that the labels say.",
        *losses,
        *(["Notes on the labels that were read:", *conversion.notes] if conversion.notes else []),
    ]
    text = "\n\n".join(sections) + "\n"
    (folder / REPORT_FILE).write_text(text, encoding="utf-8", errors="backslashreplace")
