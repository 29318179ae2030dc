"""Photos and their label images, matched by where they lie and what they are called.

images/x.jpg         masks/x.png               Tile 1/images/x.jpg   Tile 1/masks/x.png
images/train/x.jpg   masks/train/x.png         train/x.png           train_labels/x_L.png
JPEGImages/x.jpg     SegmentationClass/x.png   x.png                 x_mask.png
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from boxmask.data.formats.source import Source, split_in_name
from boxmask.data.messages import format_errors, format_note
from boxmask.data.segmentation.label_map_file import ENDINGS
from boxmask.errors import LabelError

_FOR_LABELS = (
    r"masks?|labels?|annotations?|annots?|gt|ground[ _-]?truth|segmentations?|segmentation[ _-]?class|"
    r"(?:label|mask|annotation|segmentation)[ _-]?(?:images?|masks?|maps?)"
)
_REST = r"(?:(?P<rest>.+?)(?:[ _-]|(?=annot$)))?"  # "trainannot" is "train"
_LABEL_FOLDER = re.compile(rf"{_REST}(?:{_FOR_LABELS})", re.IGNORECASE)
_PHOTO_FOLDER = re.compile(rf"{_REST}(?:jpegimages|images?|imgs?|photos?)", re.IGNORECASE)
_LABEL_STEM = re.compile(r"(?P<stem>.+)[ _-](?:masks?|labels?|gt|seg|segmentation|L)", re.IGNORECASE)

LOOKED_FOR = "photos and label images of one name, as images/x.jpg with masks/x.png, or x.jpg with x_mask.png"


@dataclass(frozen=True, slots=True)
class Pair:
    """A photo and its label image, relative to the root, and the split that their folders speak of, or ""."""

    photo: str
    label: str
    split: str


def find_pairs(source: Source) -> tuple[list[Pair], tuple[str, ...]]:
    """All pairs of a folder, sorted by photo, and notes; none where no file looks like a label image.

    Raises LabelError for label images that are JPEGs, lack their photo, or could be meant for several, and
    for photos with several label images.
    """
    labels = _labels(source)
    taken = {file for files in labels.values() for file in files}
    photos: dict[str, list[str]] = defaultdict(list)
    for file in source.photos:
        if file not in taken:
            photos[_key(file, _PHOTO_FOLDER)].append(file)
    if not labels or not photos:
        return [], ()
    _require_lossless(sorted(taken))
    pairs = _matched(labels, photos)
    used = [pair.photo for pair in pairs]
    places = {PurePosixPath(photo).parent for photo in used}
    rest = [file for files in photos.values() for file in files if PurePosixPath(file).parent in places]
    bare = sorted(set(rest) - set(used))
    return pairs, format_note(f"{len(bare)} photos have no label image and are left out", bare)


def _labels(source: Source) -> dict[str, list[str]]:
    """Label images by their key: those in folders for labels, and those called x_mask beside an x."""
    in_folders: dict[str, list[str]] = defaultdict(list)
    beside: dict[str, list[str]] = defaultdict(list)
    keys = {_key(file, _PHOTO_FOLDER) for file in source.photos}
    for file in source.photos:
        if _in_label_folder(file):
            key = _key(file, _LABEL_FOLDER)
            in_folders[_without_word(key) if key not in keys else key].append(file)
        else:
            key = _key(file, _PHOTO_FOLDER)
            if (stem := _without_word(key)) != key and stem in keys:
                beside[stem].append(file)
    return in_folders or beside


def _key(file: str, folder: re.Pattern[str]) -> str:
    """The path without ending and without what says what kind of picture it is: Tile 1/images/x: Tile 1/x."""
    *folders, name = PurePosixPath(file).parts
    kept = []
    for part in folders:
        match = folder.fullmatch(part)
        kept.append((match["rest"] or "") if match else part)
    return "/".join([*filter(None, kept), PurePosixPath(name).stem])


def folder_of(photo: str) -> str:
    """The folder that a photo belongs to: Tile 1/images/x.jpg lies in Tile 1; "" is the root."""
    return _key(photo, _PHOTO_FOLDER).rpartition("/")[0]


def _in_label_folder(file: str) -> bool:
    return any(_LABEL_FOLDER.fullmatch(part) for part in PurePosixPath(file).parts[:-1])


def _without_word(key: str) -> str:
    """The key of x for that of x_mask."""
    match = _LABEL_STEM.fullmatch(key)
    return match["stem"] if match else key


def _require_lossless(files: Sequence[str]) -> None:
    lossy = [file for file in files if not file.lower().endswith(ENDINGS)]
    if lossy:
        remedy = (
            "JPEG and its like blur the borders between classes into colors that stand for no class, which "
            f"cannot be undone. Export the label images anew, as PNG (or another of {', '.join(ENDINGS)})."
        )
        raise LabelError(format_errors("Label images in a format that changes colors", lossy, remedy))


def _matched(labels: dict[str, list[str]], photos: dict[str, list[str]]) -> list[Pair]:
    alone = [file for key, files in labels.items() if key not in photos for file in files]
    if alone:
        remedy = f"Put their photos there, or remove them. Looked for {LOOKED_FOR}."
        raise LabelError(format_errors("Label images whose photo is not there", alone, remedy))
    several = [
        " or ".join([*labels[key], *photos[key]])
        for key in labels
        if len(labels[key]) > 1 or len(photos[key]) > 1
    ]
    if several:
        remedy = "Keep one label image and one photo of each name in this folder."
        raise LabelError(
            format_errors("Photos and label images that do not pair one to one", several, remedy)
        )
    pairs = [Pair(photos[key][0], labels[key][0], _split(photos[key][0])) for key in labels]
    return sorted(pairs, key=lambda pair: pair.photo)


def _split(photo: str) -> str:
    """What the nearest folder that speaks of a split says."""
    names = (parent.name for parent in PurePosixPath(photo).parents)
    return next((split for name in names if (split := split_in_name(name))), "") or ""
