"""Find the JSON files in COCO's form, and the photos that they name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import msgspec
from msgspec import UNSET, Raw, UnsetType

from boxmask.data.findings import Finding, Findings, Location
from boxmask.data.formats.coco.document import CocoDocument
from boxmask.data.formats.kinds import PHOTO_AMBIGUOUS
from boxmask.data.formats.labels import PhotoEntry, declared_side
from boxmask.data.formats.photo_finder import PhotoFinder, check_spelling, path_of_missing
from boxmask.data.formats.source import Source
from boxmask.data.json_text import read_json
from boxmask.data.text import read_beginning, read_bytes
from boxmask.errors import LabelError
from boxmask.names import Match

_OPENING = re.compile(r'\s*\{.*?"(info|licenses|images|annotations|categories)"\s*:', re.DOTALL)
_PART = 1 << 24
_OTHER_OPENING = re.compile(
    r'\s*\{.*?("(shapes|imageData|imagePath|_via_\w+|region_attributes|vid_list)"\s*:|"type"\s*:\s*"Feature)',
    re.DOTALL,
)
"""LabelMe, VIA and GeoJSON, whose files are many or large, so that they are not read to their end."""


def find_coco_files(source: Source) -> tuple[list[str], dict[str, LabelError]]:
    """The JSON files in COCO's form, and an error for each that cannot be read or holds predictions."""
    files: list[str] = []
    errors: dict[str, LabelError] = {}
    for file in source.candidates_with_suffix(".json"):
        try:
            if _is_coco(source, file):
                _check_no_predictions(source.root / file)
                files.append(file)
        except LabelError as error:
            errors[file] = error
    return files, errors


def _check_no_predictions(path: Path) -> None:
    """Raise LabelError if every annotation of a COCO file has a score: such files hold predictions."""
    if not _contains(path, b'"score"'):
        return
    content = read_json(path)
    annotations = content.get("annotations") if isinstance(content, dict) else None
    if isinstance(annotations, list) and annotations and all(map(_has_score, annotations)):
        raise LabelError.in_file(
            path,
            "every annotation has a score, so these are predictions, not labels. To use them as "
            'labels, correct them and remove "score".',
        )


def _contains(path: Path, text: bytes) -> bool:
    """Whether a file contains a text. The file may be larger than the memory."""
    end = b""
    with path.open("rb") as file:
        while part := file.read(_PART):
            if text in end + part:
                return True
            end = part[-len(text) :]
    return False


def _has_score(annotation: object) -> bool:
    return isinstance(annotation, dict) and annotation.get("score") is not None


def _is_coco(source: Source, file: str) -> bool:
    """Raises LabelError for a file that cannot be read."""
    path = source.root / file
    beginning = read_beginning(path)
    if _OTHER_OPENING.match(beginning):
        return False
    if _OPENING.match(beginning):
        return True
    fields = _outermost_fields(path)
    return "images" in fields and bool({"annotations", "categories"} & fields)


class _Fields(msgspec.Struct):
    """The fields of COCO files, with values that are not decoded."""

    images: Raw | UnsetType = UNSET
    annotations: Raw | UnsetType = UNSET
    categories: Raw | UnsetType = UNSET


def _outermost_fields(path: Path) -> set[str]:
    """The fields of a JSON object that COCO knows; none of a list.

    Large files of other formats are not decoded, which would take many times their size. Raises LabelError
    for a file that cannot be read.
    """
    data = read_bytes(path)
    try:
        content = msgspec.json.decode(data, type=Raw)
        if memoryview(content)[0] != ord("{"):
            return set()
        found = msgspec.json.decode(data, type=_Fields)
    except (msgspec.MsgspecError, RecursionError):
        decoded = read_json(path)  # raises LabelError, with the line
        return set(decoded) if isinstance(decoded, dict) else set()
    return {name for name in _Fields.__struct_fields__ if getattr(found, name) is not UNSET}


def find_photos_of_images(
    document: CocoDocument, index_of: Mapping[int | str, int], finder: PhotoFinder, findings: Findings
) -> dict[int, PhotoEntry]:
    """The photos by the index of their image.

    index_of: the images by id
    Images whose name may mean several photos are left out and added to the findings.
    """
    photos: dict[int, PhotoEntry] = {}
    for index in index_of.values():
        name = document.images[index]["file_name"]
        try:
            match = finder.find(name, document.file)
        except LabelError as error:
            count = document.num_annotations[document.images[index]["id"]]
            location = document.location("images", index)
            findings.add(Finding(PHOTO_AMBIGUOUS, location, error.reason, num_left_out=count))
            continue
        if match and not match.is_exact:
            check_spelling(name, match, document.location("images", index), findings)
        photos[index] = _photo_entry(document, index, match)
    return photos


def _photo_entry(document: CocoDocument, index: int, match: Match | None) -> PhotoEntry:
    image = document.images[index]
    name = image["file_name"]
    height, width = declared_side(image.get("height")), declared_side(image.get("width"))
    declared = None if height is None or width is None else (height, width)
    image_id = image["id"]
    entry = f"images[{index}] (id {image_id})"
    location = Location(str(document.entries.path), entry=entry)  # without its line: faster
    if match is None:
        location = document.location("images", index)
    return PhotoEntry(
        match.file if match else path_of_missing(name),
        location,
        declared,
        document.split,
        image_id if isinstance(image_id, int) else None,
        "" if match else name,
    )
