"""Match photos with their label maps by folder and name.

images/x.jpg         masks/x.png               Tile 1/images/x.jpg   Tile 1/masks/x.png
images/train/x.jpg   masks/train/x.png         train/x.png           train_labels/x_L.png
JPEGImages/x.jpg     SegmentationClass/x.png   x.png                 x_mask.png
"""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from boxmask.data.formats.source import Source, split_from_name
from boxmask.data.photo_checks import OnBadPhotos
from boxmask.data.segmentation.label_map_file import SUFFIXES
from boxmask.errors import LabelError
from boxmask.messages import add_hints, format_count, format_errors, format_note
from boxmask.names import NameIndex, normal_path, without_suffix
from boxmask.options import option

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


def find_pairs(source: Source, on_bad_photos: OnBadPhotos = "error") -> tuple[list[Pair], tuple[str, ...]]:
    """All pairs of a folder, sorted by photo, and notes. No pairs if no file looks like a label map.

    on_bad_photos: what to do with label maps without a photo

    Raises LabelError for label maps that are JPEGs, or that do not match photos one to one.
    """
    label_maps = _label_maps(source)
    used_as_labels = {file for files in label_maps.values() for file in files}
    photos: dict[str, list[str]] = defaultdict(list)
    for file in source.photos:
        if file not in used_as_labels:
            photos[_key(file, _PHOTO_FOLDER)].append(file)
    if not label_maps or not photos:
        return [], ()
    _check_lossless(sorted(used_as_labels))
    label_maps, notes = _resolve_inexact(label_maps, photos)
    pairs, alone = _match(label_maps, photos, on_bad_photos)
    paired = {pair.photo for pair in pairs}
    folders = {PurePosixPath(photo).parent for photo in paired}
    beside = [file for files in photos.values() for file in files if PurePosixPath(file).parent in folders]
    unlabeled = sorted(set(beside) - paired)
    return pairs, (
        *notes,
        *format_note(f"left out: {format_count(len(unlabeled), 'photo')} without a label map", unlabeled),
        *format_note(f"left out: {format_count(len(alone), 'label map')} without a photo", alone),
    )


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


def _check_lossless(files: Sequence[str]) -> None:
    lossy = [file for file in files if not file.lower().endswith(SUFFIXES)]
    if lossy:
        remedy = (
            "JPEG blurs the borders between classes into colors of no class, and this cannot be "
            f"undone. Export the label maps again, as PNG (or another of {', '.join(SUFFIXES)})."
        )
        raise LabelError(format_errors("Label maps in a lossy format", lossy, remedy))


def _resolve_inexact(
    label_maps: Mapping[str, list[str]], photos: Mapping[str, list[str]]
) -> tuple[dict[str, list[str]], tuple[str, ...]]:
    """The label maps by the key of their photo, also if the two are not spelled alike.

    Such a match counts only if it is the only one in the folder, and is noted.
    """
    index = NameIndex(photos)
    resolved = {key: files for key, files in label_maps.items() if key in photos}
    notes = []
    for key, files in label_maps.items():
        if key in photos:
            continue
        found = [match.file for match in index.matches(key) if _folder(match.file) == _folder(key)]
        if len(found) == 1 and found[0] not in resolved:
            resolved[found[0]] = files
            notes += [f"{file}: {photos[found[0]][0]}" for file in files]
        else:
            resolved[key] = files
    return resolved, format_note("label maps whose names are not spelled as those of their photos", notes)


def _folder(key: str) -> str:
    return posixpath.dirname(key).casefold()


def _match(
    label_maps: Mapping[str, list[str]], photos: Mapping[str, list[str]], on_bad_photos: OnBadPhotos
) -> tuple[list[Pair], list[str]]:
    """The pairs, and the label maps that are left out because they have no photo."""
    alone = [file for key, files in label_maps.items() if key not in photos for file in files]
    if alone and (on_bad_photos == "error" or label_maps.keys().isdisjoint(photos)):
        index = NameIndex(file for files in photos.values() for file in files)
        lines = add_hints(alone, alone, index.did_you_mean)
        remedy = (
            f"Add their photos, remove them, or leave them out with {option('on_bad_photos', 'skip')}. "
            f"Looked for {EXPECTED_LAYOUT}."
        )
        raise LabelError(format_errors("Label maps without a photo", lines, remedy))
    ambiguous = [
        " or ".join([*label_maps[key], *photos[key]])
        for key in label_maps
        if key in photos and (len(label_maps[key]) > 1 or len(photos[key]) > 1)
    ]
    if ambiguous:
        remedy = "Keep one label map and one photo of each name in this folder."
        heading = "Photos and label maps that do not match one to one"
        raise LabelError(format_errors(heading, ambiguous, remedy))
    keys = [key for key in label_maps if key in photos]
    pairs = [Pair(photos[key][0], label_maps[key][0], _split(photos[key][0])) for key in keys]
    return sorted(pairs, key=lambda pair: pair.photo), alone


def _split(photo: str) -> str:
    """The split that the nearest folder names, or ""."""
    names = (parent.name for parent in PurePosixPath(photo).parents)
    return next((split for name in names if (split := split_from_name(name))), "")
