"""Instance maps: beside each photo, an image whose pixels are object numbers, 0 for the background.

    images/a.jpg  labels/a.png        images/train/b.tif  labels/train/b.tif        test/images/c.png  ...

Folders are named as in `_PHOTO_FOLDERS` and `_MAP_FOLDERS`. The rest of the path, and the name without
suffix, are the same for a photo and its map. All objects have one class: "object", or the name in the
`classes.txt` of the data set's folder. Only images with 16 or 32 bits per pixel are taken, because those with
8 bits or with colors mostly hold classes and do not tell objects apart.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from boxmask.data.detection.rle_masks import RleMasks
from boxmask.data.findings import Findings, Location
from boxmask.data.formats.instance_map_file import read_instance_map
from boxmask.data.formats.labels import (
    LabeledPhoto,
    Labels,
    MaskReader,
    MaskReading,
    note_on_unlabeled_photos,
)
from boxmask.data.formats.source import Source, split_from_path
from boxmask.data.text import read_lines
from boxmask.errors import LabelError, PhotoError
from boxmask.geometry import rle
from boxmask.masks import Masks
from boxmask.messages import format_errors, format_note
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
    """Read the instance maps and find their photos.

    Raises LabelError for images of another kind among them, for several maps or photos with one name, and for
    a `classes.txt` that does not hold one name.
    """
    _check_modes(source, files)
    photos = [_labeled_photo(source, file, photo) for file, photo in _match_photos(source, files).items()]
    maps = [read_instance_map(source.root / file) for file in files]
    numbers = [number for numbers_in_map, _ in maps for number in numbers_in_map]
    boxes = np.concatenate([np.zeros((0, 4)), *(masks.boxes() for _, masks in maps)])
    photo_of = np.repeat(np.arange(len(files)), [len(masks) for _, masks in maps])
    return Labels(
        root=source.root,
        class_names=(_class_name(source),),
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
        notes=(
            *note_on_unlabeled_photos(source, [photo.file for photo in photos], "without an instance map"),
            *_note_on_one_number(maps, photos),
        ),
        other_files=("classes.txt",),
        read_masks=_mask_reader([masks for _, masks in maps], photos),
    )


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
        return "unreadable"


def _check_modes(source: Source, files: Sequence[str]) -> None:
    modes = ((file, _mode(source.root / file)) for file in files)
    others = [
        f"{source.root / file}: {_MODE_NAMES.get(mode, mode)}"
        for file, mode in modes
        if mode not in _INTEGER_MODES
    ]
    if others:
        remedy = (
            "Instance maps hold the number of an object in each pixel and are gray images of 16 or 32 bits. "
            "Save these in that form, or move images of another kind to a folder with another name."
        )
        raise LabelError(format_errors("Images of another kind among the instance maps", others, remedy))


def _match_photos(source: Source, files: Sequence[str]) -> dict[str, str | None]:
    """The photo of each map, None if there is none. Raises LabelError for several of one name."""
    photos: dict[str | None, list[str]] = defaultdict(list)
    for photo in source.photos:
        photos[_key(photo, _PHOTO_FOLDERS)].append(photo)
    maps: dict[str | None, list[str]] = defaultdict(list)
    for file in files:
        maps[_key(file, _MAP_FOLDERS)].append(file)
    several = [
        " and ".join(found[key]) for key in maps for found in (maps, photos) if len(found.get(key, [])) > 1
    ]
    if several:
        remedy = "Keep one photo and one instance map of each name."
        heading = f"{source.root}: files that may belong to the same photo"
        raise LabelError(format_errors(heading, several, remedy))
    return {file: photos[key][0] if key in photos else None for key, (file,) in maps.items()}


def _labeled_photo(source: Source, file: str, photo: str | None) -> LabeledPhoto:
    path = source.root / file
    missing_name = "" if photo else (_key(file, _MAP_FOLDERS) or file).replace("*", _PHOTO_FOLDERS[0], 1)
    photo = photo or missing_name
    with open_image(path) as image:
        declared_size = (image.height, image.width)
    folder = PurePosixPath(photo).parent.as_posix()
    split = split_from_path(folder)
    return LabeledPhoto(photo, Location(str(path)), declared_size, split, missing_name=missing_name)


def _class_name(source: Source) -> str:
    path = source.root / "classes.txt"
    if not path.is_file():
        return CLASS_NAME
    names = [class_name(line) for line in read_lines(path) if line.strip()]
    if len(names) != 1:
        found = f"found {len(names)}: {', '.join(names[:5])}" if names else "found none"
        advice = "Instance maps do not tell the class of an object. Keep one line, or remove the file."
        raise LabelError(f"{path}: expected the name of one class, {found}. {advice}")
    return names[0]


# ---------------------------------------------------------------- pixels


def _note_on_one_number(
    maps: Sequence[tuple[list[int], Masks]], photos: Sequence[LabeledPhoto]
) -> tuple[str, ...]:
    """A note if all maps hold the same number, in separate parts: probably a class, not an object."""
    found = {tuple(numbers) for numbers, _ in maps if numbers}
    if len(maps) < 2 or len(found) != 1 or len(next(iter(found))) != 1:
        return ()
    in_parts = [
        str(photo.location)
        for (_, masks), photo in zip(maps, photos, strict=True)
        if any(ndimage.label(crop)[1] > 1 for crop in masks.crops())
    ]
    ((number,),) = found
    heading = (
        f"{number} is the only number in all instance maps, also for parts that do not touch; if these are "
        "several objects, give each a number of its own"
    )
    return format_note(heading, in_parts)


def _mask_reader(masks: Sequence[Masks], photos: Sequence[LabeledPhoto]) -> MaskReader:
    """A function that checks the sizes of the maps. It keeps the masks as run lengths only."""
    rle_masks = RleMasks.from_run_lengths(
        [runs for masks_in_map in masks for runs in rle.encode(masks_in_map)]
    )
    map_sizes = [masks_in_map.size for masks_in_map in masks]

    def read(sizes: NDArray[np.int32], _: NDArray[np.int32]) -> MaskReading:
        pairs = zip(photos, map_sizes, sizes.tolist(), strict=True)
        errors = [
            f"{photo.location} is {map_size[1]} × {map_size[0]}, {photo.file} is {size[1]} × {size[0]}"
            for photo, map_size, size in pairs
            if list(map_size) != size
        ]
        if errors:
            remedy = "Save each instance map at the size (width × height) of its photo as it is shown."
            raise LabelError(
                format_errors("Instance maps that differ in size from their photo", errors, remedy)
            )
        return MaskReading(rle_masks, len(rle_masks))

    return read
