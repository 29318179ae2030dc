"""What the output formats of all tasks share: the paths of the files, and the errors for unknown formats."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from boxmask.errors import UsageError

PICTURE_FORMATS = ("jpg", "png")
LABEL_MAPS = "label-maps"  # the format, and the folder of its files
CROPS = "crops"  # the format, and the folder of its files
PARQUET = "parquet"
FORMATS = ("jpg", "png", "coco", "yolo", "voc", "labelme", "csv", PARQUET, CROPS, LABEL_MAPS)
FILES_PER_PHOTO = {  # relative to the output folder; the others have one file for all photos, or many
    "jpg": "{name}.jpg",
    "png": "{name}.png",
    "yolo": "yolo/labels/{name}.txt",
    "voc": "voc/{name}.xml",
    "labelme": "labelme/{name}.json",
    LABEL_MAPS: LABEL_MAPS + "/{name}.png",
}


def check_formats(formats: Sequence[str], supported: Sequence[str], reason: str) -> None:
    """Raise UsageError if `formats` is empty or has a format that is unknown or not in `supported`.

    reason: why the formats outside `supported` cannot be written
    """
    unknown = [name for name in formats if name not in FORMATS]
    if unknown or not formats:
        named = ", ".join(unknown) or "nothing"
        raise UsageError(f"--save {named}: unknown format. Choose from: {', '.join(supported)}.")
    for name in formats:
        if name not in supported:
            raise UsageError(f"--save {name}: {reason}. Choose from: {', '.join(supported)}.")


def draws_pictures(formats: Sequence[str]) -> bool:
    """Whether one of the formats is a picture with names drawn on it."""
    return any(name in PICTURE_FORMATS for name in formats)


def output_files(name: str, formats: Sequence[str], folder: Path) -> dict[str, Path]:
    """The file of each format in FILES_PER_PHOTO, for the photo called `name`."""
    per_photo = [each for each in formats if each in FILES_PER_PHOTO]
    return {each: folder / FILES_PER_PHOTO[each].format(name=name) for each in per_photo}
