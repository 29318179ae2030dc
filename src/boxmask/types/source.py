"""The photo that a result belongs to."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from PIL import Image

ResultT = TypeVar("ResultT")


def attach_photo(result: ResultT, photo: object) -> ResultT:
    """Remember the photo of a new result if it is a path or a PIL image; gives the same result.

    Arrays and tensors are not kept: a program that collects the results for a video would keep every frame.
    """
    if isinstance(photo, str | Path | Image.Image):
        object.__setattr__(result, "photo", photo)  # results are frozen, and this one was just made
    return result
