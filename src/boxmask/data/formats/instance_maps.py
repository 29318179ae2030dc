"""Label images: beside each photo an image whose pixels are numbers, 0 for ground, one for each object.

    images/a.jpg  labels/a.png        images/train/b.tif  labels/train/b.tif        test/images/c.png  ...

The folders are called as in `_PHOTO_FOLDERS` and `_LABEL_FOLDERS`; what else is in the path, and the name but
for its ending, are the same for a photo and its label image. All objects are of one class, "object", or the
one that a `classes.txt` in the folder of the set names. Only images of 16 or 32 bits a pixel are taken: those
of 8 bits, as those with colors, mostly hold a class for each pixel and do not tell objects apart.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

import numpy as np
from jaxtyping import Int
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from boxmask.data.detection.rle_masks import RleMasks
from boxmask.data.formats.labels import LabeledPhoto, Labels, ReadOutlines, left_out_photos
from boxmask.data.formats.source import Source, split_in_path
from boxmask.data.messages import format_errors
from boxmask.errors import LabelError, PhotoError
from boxmask.geometry import rle
from boxmask.masks import Masks
from boxmask.photos.read import photo_errors

NAME = "label images (16-bit images with a number for each object, in labels/ or masks/ beside images/)"
CLASS_NAME = "object"

_PHOTO_FOLDERS = ("images", "image", "imgs", "photos", "jpegimages")
_LABEL_FOLDERS = ("labels", "label", "label-maps", "masks", "mask")
_ENDINGS = (".png", ".tif", ".tiff")
_DEEP = ("I", "I;16", "I;16B", "I;16L", "I;16N")  # Pillow's modes of whole numbers of 16 and 32 bits
_HIGHEST = 65_535  # of 16 bits: up to here, objects are found without renumbering


def recognize(source: Source) -> list[str]:
    """The images in folders for labels, if any of them is of 16 or 32 bits and they have photos beside."""
    beside = {_key(photo, _PHOTO_FOLDERS) for photo in source.photos} - {None}
    candidates = [file for file in source.chosen if file.lower().endswith(_ENDINGS)]
    files = [file for file in candidates if _key(file, _LABEL_FOLDERS) is not None]
    matching = any(_key(file, _LABEL_FOLDERS) in beside for file in files)
    return files if matching and any(_mode(source.root / file) in _DEEP for file in files) else []


def read(source: Source, files: Sequence[str]) -> Labels:
    """Read the label images and find their photos.

    Raises LabelError for images of another kind among them, photos that are missing or that several label
    images are of, and a `classes.txt` that does not hold one name.
    """
    _refuse_other_kinds(source, files)
    photos = [_labeled(source, file, photo) for file, photo in _photos_of(source, files).items()]
    masks = [_masks(source.root / file) for file in files]
    numbers = [number for of_photo, _ in masks for number in of_photo]
    boxes = np.concatenate([np.zeros((0, 4)), *(found.boxes() for _, found in masks)])
    photo = np.repeat(np.arange(len(files)), [len(found) for _, found in masks])
    return Labels(
        root=source.root,
        class_names=(_class_name(source),),
        photos=photos,
        photo=photo,
        boxes=boxes,
        extents=boxes[:, 2:] - boxes[:, :2],
        labels=np.zeros(len(boxes), dtype=np.int64),
        areas=np.full(len(boxes), np.nan),
        crowd=np.zeros(len(boxes), dtype=bool),
        difficult=np.zeros(len(boxes), dtype=bool),
        place=lambda row: f"{photos[photo[row]].place}: number {numbers[row]}",
        notes=left_out_photos(source, [photo.file for photo in photos], "have no label image"),
        outlines=_outline_reader([found for _, found in masks], photos),
    )


# ---------------------------------------------------------------- files


def _key(file: str, folders: Sequence[str]) -> str | None:
    """The path without its ending, with a mark in place of the last folder called so; None without any."""
    parts = list(PurePosixPath(file).with_suffix("").parts)
    places = [place for place, part in enumerate(parts[:-1]) if part.lower() in folders]
    if not places:
        return None
    parts[places[-1]] = "*"
    return "/".join(parts)


def _mode(path: Path) -> str:
    """Pillow's name for the kind of pixels, from the header alone; "unreadable" where there is none."""
    try:
        with photo_errors(path), Image.open(path) as image:
            return image.mode
    except PhotoError:
        return "unreadable"


def _refuse_other_kinds(source: Source, files: Sequence[str]) -> None:
    kinds = ((file, _mode(source.root / file)) for file in files)
    others = [f"{source.root / file} ({mode})" for file, mode in kinds if mode not in _DEEP]
    if others:
        remedy = (
            "Label images hold the number of an object in each pixel and are saved as gray images of 16 or "
            "32 bits. Save these so too, or keep images of another kind in a folder of another name."
        )
        raise LabelError(format_errors("Images of another kind among the label images", others, remedy))


def _photos_of(source: Source, files: Sequence[str]) -> dict[str, str]:
    """The photo of each label image. Raises LabelError where there is none, or several are possible."""
    photos: dict[str | None, list[str]] = defaultdict(list)
    for photo in source.photos:
        photos[_key(photo, _PHOTO_FOLDERS)].append(photo)
    shared: dict[str | None, list[str]] = defaultdict(list)
    for file in files:
        shared[_key(file, _LABEL_FOLDERS)].append(file)
    missing = [str(source.root / files[0]) for key, files in shared.items() if key not in photos]
    if missing:
        remedy = (
            "Put each photo under the same name in a folder called images/ beside the folder of the labels."
        )
        raise LabelError(format_errors("Label images without a photo", missing, remedy))
    several = [
        f"{' and '.join(both[key])}" for key in shared for both in (shared, photos) if len(both[key]) > 1
    ]
    if several:
        remedy = "Keep one photo and one label image of each name."
        raise LabelError(
            format_errors(f"{source.root}: files that could be of the same photo", several, remedy)
        )
    return {file: photos[key][0] for key, (file,) in shared.items()}


def _labeled(source: Source, file: str, photo: str) -> LabeledPhoto:
    place = source.root / file
    with photo_errors(place), Image.open(place) as image:
        declared = (image.height, image.width)
    folder = PurePosixPath(photo).parent.as_posix()
    return LabeledPhoto(photo, str(place), declared, split_in_path(folder))


def _class_name(source: Source) -> str:
    path = source.root / "classes.txt"
    if not path.is_file():
        return CLASS_NAME
    names = [line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines() if line.strip()]
    if len(names) != 1:
        found = f"found {len(names)}: {', '.join(names[:5])}" if names else "found none"
        advice = "Label images do not say of which class an object is. Keep one line, or remove the file."
        raise LabelError(f"{path}: expected the name of one class, {found}. {advice}")
    return names[0]


# ---------------------------------------------------------------- pixels


def _masks(path: Path) -> tuple[list[int], Masks]:
    """The numbers in a label image, ascending, and the mask of each."""
    pixels = _pixels(path)
    numbers = np.arange(_HIGHEST + 1)
    if pixels.max() > _HIGHEST:
        # The 0 that is appended is the ground's, which may not have a pixel.
        numbers, places = np.unique(np.append(pixels.ravel(), 0), return_inverse=True)
        pixels = places[:-1].reshape(pixels.shape)
    found = list(_windows(pixels))
    crops = [pixels[window] == number for number, window in found]
    corners = [(columns.start, rows.start) for _, (rows, columns) in found]
    masks = Masks.from_crops(crops, corners, (pixels.shape[0], pixels.shape[1]))
    return [int(numbers[number]) for number, _ in found], masks


def _windows(pixels: Int[np.ndarray, "H W"]) -> Iterator[tuple[int, tuple[slice, slice]]]:
    """The number of each object, and the rows and columns that it takes up."""
    for number, window in enumerate(ndimage.find_objects(pixels), start=1):
        if window is not None:
            yield number, window


def _pixels(path: Path) -> Int[np.ndarray, "H W"]:
    """Raises LabelError for what does not hold numbers from 0 on in one image."""
    with photo_errors(path), Image.open(path) as image:
        pages = getattr(image, "n_frames", 1)
        pixels = np.array(image).astype(np.int64)
    if pages > 1 or pixels.ndim != 2:
        raise LabelError(
            f"{path}: a label image should be one image, found {pages}. Save the one that counts."
        )
    if pixels.min() < 0:
        raise LabelError(f"{path}: found the number {pixels.min()}. Number the objects from 1, the ground 0.")
    return pixels


def _outline_reader(masks: Sequence[Masks], photos: Sequence[LabeledPhoto]) -> ReadOutlines:
    """Packs the outlines, which are read already, so that only run lengths are kept."""
    outlines = RleMasks.of([runs for found in masks for runs in rle.encode(found)])
    found_sizes = [found.size for found in masks]

    def read(sizes: NDArray[np.int32]) -> tuple[RleMasks, tuple[str, ...]]:
        pairs = zip(photos, found_sizes, sizes.tolist(), strict=True)
        differing = [
            f"{photo.place} is {found[1]} × {found[0]}, {photo.file} is {size[1]} × {size[0]}"
            for photo, found, size in pairs
            if list(found) != size
        ]
        if differing:
            remedy = "Save each label image in the size (width × height) of its photo as it is shown."
            raise LabelError(
                format_errors("Label images of another size than their photo", differing, remedy)
            )
        return outlines, ()

    return read
