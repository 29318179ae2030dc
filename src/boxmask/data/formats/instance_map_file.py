"""The pixels of one instance map."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import scipy
from jaxtyping import Int

from boxmask.errors import LabelError
from boxmask.masks import Masks
from boxmask.photos.errors import photo_errors
from boxmask.photos.read import open_image

_MAX_DIRECT = 65_535
"""Maps up to this number are searched without renumbering their objects."""


def read_instance_map(path: Path) -> tuple[list[int], Masks]:
    """The object numbers in a map, ascending, and the mask of each object."""
    pixels = _read_pixels(path)
    numbers = np.arange(_MAX_DIRECT + 1)
    if pixels.max() > _MAX_DIRECT:
        # The appended 0 makes sure that the background comes first, even if no pixel shows it.
        numbers, indices = np.unique(np.append(pixels.ravel(), 0), return_inverse=True)
        pixels = indices[:-1].reshape(pixels.shape)
    windows = list(_object_windows(pixels))
    crops = [pixels[window] == index for index, window in windows]
    corners = [(columns.start, rows.start) for _, (rows, columns) in windows]
    masks = Masks.from_crops(crops, corners, (pixels.shape[0], pixels.shape[1]))
    return [int(numbers[index]) for index, _ in windows], masks


def _object_windows(pixels: Int[np.ndarray, "H W"]) -> Iterator[tuple[int, tuple[slice, slice]]]:
    """Each object's number, and the rows and columns that it spans."""
    for number, window in enumerate(scipy.ndimage.find_objects(pixels), start=1):
        if window is not None:
            yield number, window


def _read_pixels(path: Path) -> Int[np.ndarray, "H W"]:
    """Raises LabelError for several pages and for negative numbers."""
    with open_image(path) as image, photo_errors(path):
        pages = getattr(image, "n_frames", 1)
        pixels = np.array(image).astype(np.int64)
    if pages > 1 or pixels.ndim != 2:
        found = f"{pages} pages" if pages > 1 else f"an array of shape {pixels.shape}"
        raise LabelError.in_file(
            path, f"expected an instance map of one page, found {found}. Save the right one."
        )
    if pixels.min() < 0:
        raise LabelError.in_file(
            path,
            f"expected object numbers of 0 or more, found {pixels.min()}. Use 0 for the background, "
            "1, 2, ... for objects.",
        )
    return pixels
