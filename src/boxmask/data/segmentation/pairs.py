"""Match photos with their label maps by folder and name.

images/x.jpg         masks/x.png               Tile 1/images/x.jpg   Tile 1/masks/x.png
images/train/x.jpg   masks/train/x.png         train/x.png           train_labels/x_L.png
JPEGImages/x.jpg     SegmentationClass/x.png   x.png                 x_mask.png
"""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from boxmask.data.archives import unpacked
from boxmask.data.findings import Finding, Findings, Kind, Location
from boxmask.data.formats.kinds import LABEL_MAP_UNREADABLE, NAME_INEXACT, PHOTO_AMBIGUOUS, PHOTO_MISSING
from boxmask.data.formats.source import Source, find_source
from boxmask.data.segmentation.label_map_file import SUFFIXES
from boxmask.data.split_words import split_from_name
from boxmask.file_kinds import is_folder
from boxmask.messages import MAX_LOCATIONS
from boxmask.names import NameIndex, normal_path, without_suffix
from boxmask.similar_names import did_you_mean

EXPECTED_LAYOUT = (
    "photos and label maps with the same name, such as images/x.jpg and masks/x.png, or x.jpg and x_mask.png"
)

_LABEL_WORDS = (
    r"masks?|labels?|annotations?|annots?|gt|ground[ _-]?truth|segmentations?|segmentation[ _-]?class|"
    r"(?:label|mask|annotation|segmentation)[ _-]?(?:images?|masks?|maps?)"
)
_PREFIX = r"(?:(?P<prefix>.+?)(?:[ _-]|(?=annot$)))?"  # "trainannot" is "train"
_LABEL_FOLDER = re.compile(rf"{_PREFIX}(?:{_LABEL_WORDS})", re.IGNORECASE)
_PHOTO_FOLDER = re.compile(rf"{_PREFIX}(?:jpegimages|images?|imgs?|photos?)", re.IGNORECASE)
_LABEL_STEM = re.compile(r"(?P<stem>.+)[ _-](?:masks?|labels?|gt|seg|segmentation|L)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Pair:
    """A photo and its label map, relative to the root, and the split that their folders name, or ""."""

    photo: str
    label_map: str
    split: str


LABEL_MAP_MISSING = Kind(
    "label-map-missing",
    "warning",
    "Photos without a label map",
    "These photos are not used. Add their label maps, or move the photos to another folder.",
)


def has_label_maps(path: Path) -> bool:
    """Whether a folder holds photos with label maps."""
    return is_folder(unpacked(path)) and bool(find_pairs(find_source(path), Findings()))


def find_pairs(source: Source, findings: Findings) -> list[Pair]:
    """All pairs of a folder, sorted by photo. No pairs if no file looks like a label map.

    Files without a partner, or with several, are left out and added to the findings. So are label maps that
    are JPEGs.
    """
    label_maps = _label_maps(source)
    used_as_labels = {file for files in label_maps.values() for file in files}
    photos: dict[str, list[str]] = defaultdict(list)
    for file in source.photos:
        if file not in used_as_labels:
            photos[_key(file, _PHOTO_FOLDER)].append(file)
    if not label_maps or not photos:
        return []
    label_maps = _resolve_inexact(source, label_maps, photos, findings)
    pairs = _match(source, label_maps, photos, findings)
    taken = {photo for key in label_maps for photo in photos.get(key, [])}
    folders = {PurePosixPath(photo).parent for photo in taken}
    beside = [file for files in photos.values() for file in files if PurePosixPath(file).parent in folders]
    for photo in sorted(set(beside) - taken):
        findings.add(Finding(LABEL_MAP_MISSING, _location(source, photo), photo=photo))
    return [pair for pair in pairs if _is_lossless(source, pair, findings)]


def _location(source: Source, file: str) -> Location:
    return Location(str(source.root / file))


def scene_folder(photo: str) -> str:
    """The folder above a photo's folder of photos: Tile 1 for Tile 1/images/x.jpg. "" is the root."""
    return _key(photo, _PHOTO_FOLDER).rpartition("/")[0]


def _label_maps(source: Source) -> dict[str, list[str]]:
    """Label maps by their key: those in folders for labels, else those called x_mask beside a photo x."""
    in_folders: dict[str, list[str]] = defaultdict(list)
    beside: dict[str, list[str]] = defaultdict(list)
    keys = {_key(file, _PHOTO_FOLDER) for file in source.photos}
    for file in source.photos:
        if _is_in_label_folder(file):
            key = _key(file, _LABEL_FOLDER)
            in_folders[key if key in keys else _without_mask_word(key)].append(file)
        else:
            key = _key(file, _PHOTO_FOLDER)
            if (photo_key := _without_mask_word(key)) != key and photo_key in keys:
                beside[photo_key].append(file)
    return in_folders or beside


def _key(file: str, folder_pattern: re.Pattern[str]) -> str:
    """The path without its suffix and without folder names that match: Tile 1/x for Tile 1/images/x.jpg."""
    *folders, name = normal_path(file).split("/")
    kept = []
    for folder in folders:
        match = folder_pattern.fullmatch(folder)
        kept.append((match["prefix"] or "") if match else folder)
    return "/".join([*filter(None, kept), without_suffix(name)])


def _is_in_label_folder(file: str) -> bool:
    return any(_LABEL_FOLDER.fullmatch(folder) for folder in PurePosixPath(file).parts[:-1])


def _without_mask_word(key: str) -> str:
    """x for x_mask."""
    match = _LABEL_STEM.fullmatch(key)
    return match["stem"] if match else key


def _is_lossless(source: Source, pair: Pair, findings: Findings) -> bool:
    if pair.label_map.lower().endswith(SUFFIXES):
        return True
    location = _location(source, pair.label_map)
    findings.add(Finding(LABEL_MAP_UNREADABLE, location, "a lossy format", photo=pair.photo))
    return False


def _resolve_inexact(
    source: Source,
    label_maps: Mapping[str, list[str]],
    photos: Mapping[str, list[str]],
    findings: Findings,
) -> dict[str, list[str]]:
    """The label maps by the key of their photo, also if the two are not spelled alike.

    Such a match counts only if it is the only one in the folder.
    """
    index = NameIndex(photos)
    resolved = {key: files for key, files in label_maps.items() if key in photos}
    for key, files in label_maps.items():
        if key in photos:
            continue
        found = [match.file for match in index.matches(key) if _folder(match.file) == _folder(key)]
        if len(found) == 1 and found[0] not in resolved:
            resolved[found[0]] = files
            photo = photos[found[0]][0]
            for file in files:
                detail = f"its photo is {photo}"
                findings.add(Finding(NAME_INEXACT, _location(source, file), detail, photo))
        else:
            resolved[key] = files
    return resolved


def _folder(key: str) -> str:
    return posixpath.dirname(key).casefold()


def _match(
    source: Source,
    label_maps: Mapping[str, list[str]],
    photos: Mapping[str, list[str]],
    findings: Findings,
) -> list[Pair]:
    unlabeled = [file for key, files in photos.items() if key not in label_maps for file in files]
    pairs, hints = [], 0
    for key, files in label_maps.items():
        candidates = photos.get(key, [])
        if len(files) == len(candidates) == 1:
            pairs.append(Pair(candidates[0], files[0], _split(candidates[0])))
        elif candidates:
            detail = f"{' or '.join([*files, *candidates])} do not match one to one"
            findings.add(Finding(PHOTO_AMBIGUOUS, _location(source, files[0]), detail, candidates[0]))
        else:
            for file in files:
                hint = did_you_mean(file, unlabeled) if hints < MAX_LOCATIONS else ""
                findings.add(Finding(PHOTO_MISSING, _location(source, file), f"no photo has its name{hint}"))
                hints += 1
    return sorted(pairs, key=lambda pair: pair.photo)


def _split(photo: str) -> str:
    """The split that the nearest folder names, or ""."""
    names = (parent.name for parent in PurePosixPath(photo).parents)
    return next((split for name in names if (split := split_from_name(name))), "")
