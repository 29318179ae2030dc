"""Small pictures of photos, as data URIs that together stay below a number of bytes."""

from __future__ import annotations

import base64
import io
import posixpath
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from boxmask.data.findings import Box
from boxmask.errors import PhotoError
from boxmask.pages.regions import Region, region_around
from boxmask.photos.errors import photo_errors
from boxmask.photos.read import load_photo, open_image
from boxmask.visualization.style import PALETTE, rgb

MAX_BYTES = 6_000_000
"""All pictures of a page together."""

PHOTO_SIDE = 480
"""Longest side of a picture of a whole photo, in pixels."""

CROP_SIDE = 320
"""Longest side of a picture of a part of a photo, in pixels."""

_QUALITY = 70
_THREADS = 4


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture of a region of a photo."""

    id: str
    region: Region
    uri: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class PhotoPictures:
    """The pictures of one photo.

    size:  (width, height) of the photo as shown
    whole: the photo
    crops: by region
    """

    size: tuple[int, int]
    whole: Picture
    crops: Mapping[Region, Picture]

    def all(self) -> tuple[Picture, ...]:
        """The whole photo and its parts."""
        return self.whole, *self.crops.values()


@dataclass(frozen=True)
class Album:
    """The pictures of a page.

    photos:     by file
    unreadable: files that cannot be shown
    is_full:    whether photos are missing because the page would grow too large
    """

    photos: Mapping[str, PhotoPictures]
    unreadable: frozenset[str]
    is_full: bool

    def pictures(self) -> list[Picture]:
        """All pictures."""
        return [picture for photo in self.photos.values() for picture in photo.all()]


def make_album(
    root: Path,
    boxes: Mapping[str, Sequence[Box]],
    label_maps: Collection[str] = (),
    max_bytes: int = MAX_BYTES,
    name: str = "photo",
    paint: Callable[[Path], Image.Image] | None = None,
) -> Album:
    """Make pictures of photos, and of the parts around boxes, until they are too large together.

    boxes:      of each photo, by file, those to show first in front
    label_maps: the files that hold a class per pixel
    name:       with which the ids of the pictures begin
    paint:      makes the picture of a label map; None for its own colors
    """

    def load(file: str) -> Callable[[Path], Image.Image]:
        return (paint or _paint_label_map) if file in label_maps else _open_photo

    photos: dict[str, PhotoPictures] = {}
    unreadable, num_bytes = set(), 0
    with ThreadPoolExecutor(_THREADS) as pool:
        jobs = [
            (file, pool.submit(_make_pictures, root, file, f"{name}-{number}", drawn, load(file)))
            for number, (file, drawn) in enumerate(boxes.items(), start=1)
        ]
        for file, job in jobs:
            pictures = job.result()
            if pictures is None:
                unreadable.add(file)
                continue
            num_bytes += sum(len(picture.uri) for picture in pictures.all())
            if num_bytes > max_bytes:
                pool.shutdown(wait=False, cancel_futures=True)
                return Album(photos, frozenset(unreadable), is_full=True)
            photos[file] = pictures
    return Album(photos, frozenset(unreadable), is_full=False)


def _make_pictures(
    root: Path, file: str, name: str, boxes: Sequence[Box], load: Callable[[Path], Image.Image]
) -> PhotoPictures | None:
    """None for a photo that cannot be read, and for a path that leads out of the data set."""
    if posixpath.isabs(file) or ".." in file.split("/"):
        return None
    try:
        photo = load(root / file)
    except PhotoError:
        return None
    whole = Picture(name, (0, 0, *photo.size), encode_picture(photo, PHOTO_SIDE))
    crops = {
        region: Picture(f"{name}-{number}", region, encode_picture(_crop(photo, region), CROP_SIDE))
        for number, region in enumerate(_regions(boxes, photo.size), start=1)
    }
    return PhotoPictures(photo.size, whole, crops)


def _open_photo(path: Path) -> Image.Image:
    """Raises PhotoError."""
    return Image.fromarray(load_photo(path))


def _paint_label_map(path: Path) -> Image.Image:
    """A label map in color: in its own colors, or in those of the palette for class numbers.

    Raises PhotoError if it cannot be read.
    """
    with open_image(path) as image:
        is_gray = image.mode in ("1", "L", "I") or image.mode.startswith("I;16")
        if not is_gray:
            return _open_photo(path)
        with photo_errors(path):
            numbers = np.asarray(image).astype(np.int64)
    colors = np.array([rgb(color) for color in PALETTE], dtype=np.uint8)
    colored = colors[(numbers - 1) % len(colors)]
    colored[numbers == 0] = 0
    return Image.fromarray(colored)


def _regions(boxes: Sequence[Box], size: tuple[int, int]) -> list[Region]:
    """The parts that need a picture, because that of the whole photo is coarser than the photo."""
    regions = (region_around(box, size) for box in boxes)
    return list(dict.fromkeys(region for region in regions if region)) if max(size) > PHOTO_SIDE else []


def _crop(photo: Image.Image, region: Region) -> Image.Image:
    x, y, width, height = region
    return photo.crop((x, y, x + width, y + height))


def encode_picture(photo: Image.Image, longest_side: int) -> str:
    """A data URI of the photo, made smaller if it is larger."""
    small = photo.copy()
    small.thumbnail((longest_side, longest_side), Image.Resampling.LANCZOS, reducing_gap=2.0)
    buffer = io.BytesIO()
    small.save(buffer, "WEBP", quality=_QUALITY, method=4)
    return f"data:image/webp;base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"
