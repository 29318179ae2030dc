"""Photos that LabelMe files hold themselves, as imageData, and that exist in no file.

They are saved to the user's cache. The other photos of the data set are linked there, so that all of them lie
below one folder.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path

from boxmask.data.filled_folder import filled_folder, free_bytes
from boxmask.data.findings import Finding, Findings, Kind, Location
from boxmask.data.formats.labelme.file import LabelmeFile
from boxmask.data.json_text import read_json
from boxmask.data.photo_files import place_photo
from boxmask.errors import LabelError, PhotoError
from boxmask.file_kinds import PHOTO_SUFFIXES
from boxmask.names import without_suffix
from boxmask.photos.read import open_image
from boxmask.photos.suffixes import suffixes_of

PHOTO_EMBEDDED = Kind(
    "photo-embedded",
    "note",
    "Photos that exist only inside their label files",
    "Nothing to do: boxmask saves these photos to its cache, and reads them there. To save them beside their "
    "labels, convert the data set: boxmask convert DATA --to labelme --out DIR.",
)


def save_embedded_photos(
    root: Path, files: Sequence[LabelmeFile], photos: Sequence[str | None], findings: Findings
) -> tuple[Path, list[str | None]]:
    """Save the photos of label files whose photo does not exist.

    photos: of each label file, None if it does not exist

    Returns the folder that all photos lie in, and the photos: `cam1/a.json` holds `cam1/a.jpg`. imageData
    that is no photo is left out. Raises LabelError if the disk cannot hold the photos.
    """
    pairs = list(zip(files, photos, strict=True))
    embedded = [file.file for file, photo in pairs if photo is None and file.embeds_photo]
    if not embedded:
        return root, list(photos)
    others = sorted({photo for photo in photos if photo and (root / photo).is_file()})
    version = "\n".join([str(root.resolve()), *_states(root, embedded), "", *_states(root, others)])
    name = root.absolute().name
    folder = filled_folder("embedded-photos", name, version, partial(_fill, root, embedded, others))
    saved = {file: photo for file in embedded if (photo := _saved_photo(folder, file))}
    for file, photo in saved.items():
        findings.add(Finding(PHOTO_EMBEDDED, Location(str(root / file)), f"saved as {folder / photo}", photo))
    return folder, [photo or saved.get(file.file) for file, photo in pairs]


def _states(root: Path, files: Iterable[str]) -> list[str]:
    """A line per file that changes with its content."""
    states = ((file, (root / file).stat()) for file in files)
    return [f"{file}\t{state.st_size}\t{state.st_mtime_ns}" for file, state in states]


def _saved_photo(folder: Path, label_file: str) -> str | None:
    """The photo of a label file, relative to the folder; None if it has none."""
    stem = without_suffix(label_file)
    return next((f"{stem}{end}" for end in PHOTO_SUFFIXES if (folder / f"{stem}{end}").is_file()), None)


def _fill(root: Path, embedded: Sequence[str], others: Sequence[str], folder: Path) -> None:
    limit = free_bytes(folder)
    for file in embedded:
        if content := _image_data(root / file):
            limit -= len(content)
            if limit < 0:
                raise LabelError.in_file(
                    root,
                    "the photos in its label files do not fit on the disk of the cache. "
                    "Set BOXMASK_CACHE to a folder on another disk.",
                )
            _write(folder, file, content)
    for photo in others:
        place_photo(root / photo, folder, photo, "link")


def _image_data(path: Path) -> bytes:
    """The content of the photo; empty if imageData is no base64."""
    document = read_json(path)
    text = document.get("imageData") if isinstance(document, dict) else None
    try:
        return base64.b64decode(text) if isinstance(text, str) else b""
    except (binascii.Error, ValueError):
        return b""


def _write(folder: Path, label_file: str, content: bytes) -> None:
    """Write a photo under the name of its label file. Content that is no photo is not written."""
    try:
        with open_image(label_file, content) as image:
            suffixes = suffixes_of(image.format or "")
    except PhotoError:
        return
    if suffixes:
        target = folder / f"{without_suffix(label_file)}{suffixes[0]}"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
