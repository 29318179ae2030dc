"""The photos that the models are run on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np
from PIL import Image

from boxmask.exporting.parity.photos import generated_photos, validation_photos
from boxmask.messages import format_count
from boxmask.photos.find import find_photos
from boxmask.photos.read import load_photo
from boxmask.runtime.load import is_onnx_name

FEW = 4  # a pass of the slowest case over all photos has to fit into a minute
QUALITY = 90  # of generated JPEG files


class Origin(StrEnum):
    """Where photos come from that the user did not give."""

    GENERATED = "generated"
    VALIDATION = "validation photos of the training"


@dataclass(frozen=True)
class BenchmarkPhotos:
    """The photos of a benchmark.

    origin: where they come from, in words
    files:  the photos
    sizes:  (height, width) of each
    """

    origin: str
    files: tuple[Path, ...]
    sizes: tuple[tuple[int, int], ...]

    def __str__(self) -> str:
        """Number, origin and sizes: "4 generated photos, 640x480", "4 photos of holiday, 640x480"."""
        shown = [f"{width}x{height}" for height, width in sorted(set(self.sizes), key=np.prod)]
        sizes = shown[0] if len(shown) == 1 else f"{shown[0]} to {shown[-1]}"
        match self.origin:
            case Origin.GENERATED:
                photos = format_count(len(self.files), "generated photo")
            case Origin.VALIDATION:
                photos = f"{format_count(len(self.files), 'validation photo')} of the training"
            case folder:
                photos = f"{format_count(len(self.files), 'photo')} of {folder}"
        return f"{photos}, {sizes}"


def choose_photos(
    sources: Sequence[Path], given: Sequence[Path] | None, folder: Path, batches: Sequence[int]
) -> BenchmarkPhotos:
    """The photos of the user, else the validation photos of a run, else generated ones.

    sources: models; the first run among them whose validation photos are still there gives them
    given:   photos, folders and globs of the user
    folder:  for generated photos

    Raises PhotoError if there are no photos in `given`, or they cannot be read.
    """
    if given:
        origin, found = ", ".join(map(str, given)), find_photos(given)
    else:
        runs = [source for source in sources if not is_onnx_name(source)]
        found = next((files for run in runs if (files := validation_photos(run))), [])
        origin = Origin.VALIDATION.value
    if not found:
        origin, found = Origin.GENERATED.value, write_generated(folder)
    number = min(max(FEW, *batches), len(found))
    files = [found[index] for index in np.linspace(0, len(found) - 1, number, dtype=int)]
    sizes = [load_photo(file).shape[:2] for file in files]
    return BenchmarkPhotos(origin, tuple(files), tuple((height, width) for height, width in sizes))


def write_generated(folder: Path) -> list[Path]:
    """Four JPEG files of 640x480 pixels."""
    pixels = next(photo.pixels for photo in generated_photos() if photo.pixels.shape == (480, 640, 3))
    turned = (pixels, pixels[::-1], pixels[:, ::-1], pixels[::-1, ::-1])
    files = [folder / f"generated-{number}.jpg" for number in range(len(turned))]
    for file, photo in zip(files, turned, strict=True):
        Image.fromarray(photo).save(file, quality=QUALITY)
    return files
