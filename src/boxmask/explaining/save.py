"""Write an explanation: numbered pictures, a contact sheet, and the texts."""

from __future__ import annotations

from pathlib import Path

from boxmask.explaining.contract import Explanation
from boxmask.outputs import write_output
from boxmask.results.picture_folder import PictureFolder

CONTACT_SHEET = "all-stages.jpg"
TEXTS = "stages.txt"


def planned_files(explanation: Explanation) -> list[str]:
    """The names of the pictures: 01-image.jpg, 02-features.jpg, ..., and the contact sheet."""
    numbered = [f"{number:02}-{stage.name}.jpg" for number, stage in enumerate(explanation, start=1)]
    return [*numbered, CONTACT_SHEET]


def save_explanation(explanation: Explanation, folder: Path, photos: tuple[Path, ...] = ()) -> PictureFolder:
    """Write the pictures and texts into a folder, and remove those of an earlier call; returns the folder.

    photos: that are read, so that none is replaced

    Raises UsageError if a file would replace a photo or a file that boxmask did not write, and OutputError if
    the folder is not writable.
    """
    names = planned_files(explanation)
    pictures = PictureFolder(folder, [folder / name for name in [*names, TEXTS]], photos)
    for index, stage in enumerate(explanation):
        pictures.save(index, stage.picture)
    pictures.save(len(names) - 1, explanation.contact_sheet())
    with write_output(folder / TEXTS) as partial:
        partial.write_text(describe(explanation), encoding="utf-8", errors="backslashreplace")
    pictures.files.append(folder / TEXTS)
    return pictures


def describe(explanation: Explanation) -> str:
    """The title and the text of each stage."""
    paragraphs = [
        f"{number}. {stage.title}\n{stage.text}\n" for number, stage in enumerate(explanation, start=1)
    ]
    return "\n".join(paragraphs)
