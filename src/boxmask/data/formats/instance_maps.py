"""Instance maps: beside each photo, an image whose pixels are object numbers, 0 for the background.

    images/a.jpg  labels/a.png        images/train/b.tif  labels/train/b.tif        test/images/c.png  ...

Folders are named as in `_PHOTO_FOLDERS` and `_MAP_FOLDERS`. The rest of the path, and the name without
suffix, are the same for a photo and its map. All objects have one class: "object", or the name in the
`classes.txt` of the data set's folder. Only images with 16 or 32 bits per pixel are taken, because those with
8 bits or with colors mostly hold classes and do not tell objects apart.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import scipy
from numpy.typing import NDArray

from boxmask.data.detection.rle_masks import RleMasks
from boxmask.data.findings import Finding, Findings, Kind, Location, finding_of_error
from boxmask.data.formats.instance_map_file import read_instance_map
from boxmask.data.formats.kinds import FILE_UNREADABLE, LABEL_MAP_UNREADABLE, PHOTO_AMBIGUOUS
from boxmask.data.formats.labels import Labels, PhotoEntry
from boxmask.data.formats.source import Source
from boxmask.data.outlines import Outline, RunLengths
from boxmask.data.split_words import split_from_folders
from boxmask.data.text import read_lines
from boxmask.errors import LabelError, PhotoError
from boxmask.geometry import rle
from boxmask.masks import Size
from boxmask.names import class_name, normal_path, without_suffix
from boxmask.photos.read import open_image

NAME = "instance maps (16-bit images of object numbers, in labels/ or masks/ beside images/)"
CLASS_NAME = "object"

_PHOTO_FOLDERS = ("images", "image", "imgs", "photos", "jpegimages")
_MAP_FOLDERS = ("labels", "label", "label-maps", "masks", "mask")
_SUFFIXES = (".png", ".tif", ".tiff")
_INTEGER_MODES = ("I", "I;16", "I;16B", "I;16L", "I;16N")
"""Pillow's modes for integers of 16 and 32 bits."""

_MODE_NAMES = {
    "1": "black and white",
    "L": "gray of 8 bits",
    "P": "a palette",
    "RGB": "colors",
    "RGBA": "colors",
    "F": "fractions of 32 bits",
}
"""Other modes of Pillow, in words."""


_UNREADABLE = "unreadable"
_ADVICE_ON_MODES = (
    "Instance maps hold the number of an object in each pixel and are gray images of 16 or 32 bits. Save it "
    "in that form, or move images of another kind to a folder with another name."
)

INSTANCE_NUMBERS_SAME = Kind(
    "instance-numbers-same",
    "warning",
    "Instance maps whose objects all have the same number",
    "If these are several objects, give each a number of its own.",
)


def recognize(source: Source) -> list[str]:
    """The images in folders for maps, if any has 16 or 32 bits and a photo in a folder beside it."""
    photo_keys = {_key(photo, _PHOTO_FOLDERS) for photo in source.photos} - {None}
    images = [file for file in source.candidates if file.lower().endswith(_SUFFIXES)]
    files = [file for file in images if _key(file, _MAP_FOLDERS) is not None]
    any_photo = any(_key(file, _MAP_FOLDERS) in photo_keys for file in files)
    any_map = any_photo and any(_mode(source.root / file) in _INTEGER_MODES for file in files)
    return files if any_map else []


def unreadable(source: Source) -> list[str]:
    """No messages: an image that cannot be read is reported as a photo."""
    return []


def read(source: Source, files: Sequence[str], findings: Findings) -> Labels:
    """Read the instance maps and find their photos."""
    matched = _match_photos(source, files, findings)
    maps = [found for file in matched if (found := _read_map(source, file, findings))]
    photos = [_photo_entry(source, found, matched[found.file]) for found in maps]
    numbers = [number for found in maps for number in found.numbers]
    boxes = np.concatenate([np.zeros((0, 4)), *(found.boxes for found in maps)])
    photo_of = np.repeat(np.arange(len(maps)), [len(found.numbers) for found in maps])
    _check_one_number(source, maps, findings)
    return Labels(
        root=source.root,
        class_names=(_class_name(source, findings),),
        photos=photos,
        photo_of=photo_of,
        boxes=boxes,
        extents=boxes[:, 2:] - boxes[:, :2],
        labels=np.zeros(len(boxes), dtype=np.int64),
        areas=np.full(len(boxes), np.nan),
        crowd=np.zeros(len(boxes), dtype=bool),
        difficult=np.zeros(len(boxes), dtype=bool),
        box_form="mask",
        location=lambda row: replace(photos[photo_of[row]].location, entry=f"object {numbers[row]}"),
        other_files=("classes.txt",),
        outline=_outlines(maps, photo_of),
    )


@dataclass(frozen=True, slots=True)
class _InstanceMap:
    """The objects of one map: their numbers, boxes and run lengths.

    in_parts: whether an object consists of several parts that do not touch
    """

    file: str
    size: Size
    numbers: list[int]
    boxes: NDArray[np.float32]
    runs: list[NDArray[np.int64]]
    in_parts: bool


def _read_map(source: Source, file: str, findings: Findings) -> _InstanceMap | None:
    """One map; None if it cannot be read, which is added to the findings."""
    path = source.root / file
    try:
        numbers, masks = read_instance_map(path)
    except (LabelError, PhotoError) as error:
        findings.add(finding_of_error(LABEL_MAP_UNREADABLE, path, error))
        return None
    in_parts = len(numbers) == 1 and any(scipy.ndimage.label(crop)[1] > 1 for crop in masks.crops())
    return _InstanceMap(file, masks.size, numbers, masks.boxes(), rle.encode(masks), in_parts)


def _outlines(maps: Sequence[_InstanceMap], photo_of: NDArray[np.int64]) -> Callable[[int], Outline | None]:
    masks = RleMasks.from_run_lengths([runs for found in maps for runs in found.runs])
    sizes = [found.size for found in maps]

    def outline(row: int) -> Outline | None:
        return RunLengths(masks.runs[masks.offsets[row] : masks.offsets[row + 1]], sizes[photo_of[row]])

    return outline


# ---------------------------------------------------------------- files


def _key(file: str, folder_names: Sequence[str]) -> str | None:
    """The path without its suffix, "*" for the last folder with such a name; None if there is none."""
    parts = without_suffix(normal_path(file)).split("/")
    positions = [position for position, part in enumerate(parts[:-1]) if part.lower() in folder_names]
    if not positions:
        return None
    parts[positions[-1]] = "*"
    return "/".join(parts)


def _mode(path: Path) -> str:
    """Pillow's mode of an image, from its header alone; "unreadable" if it has none."""
    try:
        with open_image(path) as image:
            return image.mode
    except PhotoError:
        return _UNREADABLE


def _match_photos(source: Source, files: Sequence[str], findings: Findings) -> dict[str, str | None]:
    """The photo of each map, None if there is none.

    Images of another kind, and maps that share their name with others or with several photos, are left out
    and added to the findings.
    """
    photos: dict[str | None, list[str]] = defaultdict(list)
    for photo in source.photos:
        photos[_key(photo, _PHOTO_FOLDERS)].append(photo)
    maps: dict[str | None, list[str]] = defaultdict(list)
    for file in files:
        mode = _mode(source.root / file)
        if mode in (*_INTEGER_MODES, _UNREADABLE):
            maps[_key(file, _MAP_FOLDERS)].append(file)
        else:
            location = Location(str(source.root / file))
            detail = f"{_MODE_NAMES.get(mode, mode)}, unlike the other instance maps. {_ADVICE_ON_MODES}"
            findings.add(Finding(LABEL_MAP_UNREADABLE, location, detail))
    matched: dict[str, str | None] = {}
    for key, (file, *others) in maps.items():
        candidates = photos.get(key, [])
        if others or len(candidates) > 1:
            detail = f"may belong to the same photo: {' and '.join([*others, *candidates])}"
            findings.add(Finding(PHOTO_AMBIGUOUS, Location(str(source.root / file)), detail))
        else:
            matched[file] = candidates[0] if candidates else None
    return matched


def _photo_entry(source: Source, found: _InstanceMap, photo: str | None) -> PhotoEntry:
    name = (_key(found.file, _MAP_FOLDERS) or found.file).replace("*", _PHOTO_FOLDERS[0], 1)
    missing_name = "" if photo else name
    photo = photo or missing_name
    split = split_from_folders(photo)
    location = Location(str(source.root / found.file))
    return PhotoEntry(photo, location, found.size, split, missing_name=missing_name)


def _class_name(source: Source, findings: Findings) -> str:
    """The name in `classes.txt`. A file with other than one name is added to the findings."""
    path = source.root / "classes.txt"
    if not path.is_file():
        return CLASS_NAME
    try:
        names = [class_name(line) for line in read_lines(path) if line.strip()]
    except LabelError as error:
        findings.add(finding_of_error(FILE_UNREADABLE, path, error))
        return CLASS_NAME
    if len(names) != 1:
        found = f"found {len(names)}: {', '.join(names[:5])}" if names else "found none"
        advice = "Instance maps do not tell the class of an object. Keep one line, or remove the file."
        detail = f"expected the name of one class, {found}. {advice}"
        findings.add(Finding(FILE_UNREADABLE, Location(str(path)), detail))
    return names[0] if names else CLASS_NAME


def _check_one_number(source: Source, maps: Sequence[_InstanceMap], findings: Findings) -> None:
    """Add the maps with separate parts if all maps hold the same number: probably a class, not an object."""
    found = {tuple(instance_map.numbers) for instance_map in maps if instance_map.numbers}
    if len(maps) < 2 or len(found) != 1 or len(next(iter(found))) != 1:
        return
    ((number,),) = found
    detail = f"{number} is the only number in all instance maps, also for parts that do not touch"
    for instance_map in maps:
        if instance_map.in_parts:
            location = Location(str(source.root / instance_map.file))
            findings.add(Finding(INSTANCE_NUMBERS_SAME, location, detail))
