"""The photos on which a file and its model are compared."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import UInt8
from PIL import ExifTags, Image

from boxmask.photos.find import find_photos
from boxmask.photos.read import load_photo, to_image
from boxmask.runs.photo_sides import split_photos
from boxmask.weights.published.manifest import is_published_name

FEW = 8  # photos of the user
LONGEST = 1600  # pixels of a side; larger photos are reduced, so that the check takes seconds


class NamedPhoto(NamedTuple):
    """A photo (H, W, 3) uint8 RGB, and what it is called in messages."""

    name: str
    pixels: UInt8[np.ndarray, "H W 3"]


def comparison_photos(source: Path, data: Path | None) -> tuple[str, list[NamedPhoto]]:
    """Where photos come from, and the photos, with special ones made from them.

    source: the run; its validation photos are used if there is no `data` and they are still there

    Raises PhotoError if there are no photos in `data`, or they cannot be read.
    """
    if data is not None:
        origin, files = f"photos of {data.resolve().name}", find_photos(data)
    else:
        origin, files = "validation photos of the training", validation_photos(source)
    if not files:
        origin, photos = "generated photos", generated_photos()
    else:
        chosen = [files[index] for index in np.linspace(0, len(files) - 1, min(FEW, len(files)), dtype=int)]
        photos = [NamedPhoto(file.name, reduced(load_photo(file))) for file in chosen]
    return origin, [*photos, *special_photos(photos[0])]


def few_photos(photos: Sequence[NamedPhoto]) -> list[NamedPhoto]:
    """Five of the comparison photos: Selective Search and R-CNN take seconds per photo."""
    return [*photos[:2], *photos[-3:]]


def is_blank(pixels: UInt8[np.ndarray, "H W 3"]) -> bool:
    """Whether all pixels have one color.

    All anchors have equal scores there, so rounding decides which objects are found.
    """
    return bool((pixels == pixels[:1, :1]).all())


def validation_photos(source: Path) -> list[Path]:
    """The validation photos of a run that are still where they were; none if it is not known."""
    if is_published_name(source):
        return []
    return [file for file in split_photos(source, "val") if file.is_file()]


def reduced(pixels: UInt8[np.ndarray, "H W 3"]) -> UInt8[np.ndarray, "h w 3"]:
    """A photo with its longer side at most LONGEST."""
    if max(pixels.shape) <= LONGEST:
        return pixels
    image = Image.fromarray(pixels)
    image.thumbnail((LONGEST, LONGEST))
    return np.asarray(image)


def generated_photos() -> list[NamedPhoto]:
    """Rectangles of random colors on noise, of six sizes."""
    numbers, photos = np.random.default_rng(0), []
    for height, width in ((240, 320), (320, 240), (333, 499), (97, 301), (480, 640), (64, 64)):
        pixels = numbers.integers(90, 160, (height, width, 3)).astype(np.uint8)
        for _ in range(6):
            y, x = numbers.integers(0, height * 3 // 4), numbers.integers(0, width * 3 // 4)
            pixels[y : y + height // 4, x : x + width // 5] = numbers.integers(0, 256, 3)
        photos.append(NamedPhoto(f"generated {width}x{height}", pixels))
    return photos


def special_photos(photo: NamedPhoto) -> list[NamedPhoto]:
    """A photo turned by its EXIF orientation, in gray and much smaller; a blank one, and one of one pixel."""
    file = io.BytesIO()
    sideways = Image.fromarray(np.rot90(photo.pixels))
    exif = sideways.getexif()
    exif[ExifTags.Base.Orientation] = 6
    sideways.save(file, "jpeg", exif=exif)
    return [
        NamedPhoto(f"{photo.name}, turned by EXIF", decode(file.getvalue())),
        NamedPhoto(
            f"{photo.name}, gray", np.asarray(Image.fromarray(photo.pixels).convert("L").convert("RGB"))
        ),
        NamedPhoto(f"{photo.name}, small", np.asarray(Image.fromarray(photo.pixels).resize((101, 67)))),
        NamedPhoto("blank", np.full((120, 90, 3), 128, dtype=np.uint8)),
        NamedPhoto("one pixel", np.full((1, 1, 3), 200, dtype=np.uint8)),
    ]


def decode(content: bytes) -> UInt8[np.ndarray, "H W 3"]:
    """Read a photo from memory, upright."""
    with Image.open(io.BytesIO(content)) as image:
        return to_image(image).permute(1, 2, 0).contiguous().numpy()
