"""Where photos and their mask images lie: `images/cam1/train/a.jpg` and `masks/cam1/train/a.png`.

The folder of the split is the innermost, so that it decides whatever other folders are called.
"""

from __future__ import annotations

import posixpath
import re

_RESERVED = re.compile(
    r"(.*[ _-])?(images?|imgs?|photos?|jpegimages|masks?|labels?|label-maps|annot.*|gt|ground.*|segm.*)_*",
    re.IGNORECASE | re.DOTALL,
)
"""Folders that readers take for those of photos or of masks."""


def photo_file(file: str, split: str) -> str:
    """Where a photo lies."""
    *folders, name = file.split("/")
    marked = [f"{folder}_" if _RESERVED.fullmatch(folder) else folder for folder in folders]
    return posixpath.join("images", *marked, split, name)


def mask_file(file: str, split: str, folder: str) -> str:
    """Where the mask image of a photo lies.

    folder: of all mask images, such as "masks"
    """
    stem = posixpath.splitext(photo_file(file, split).removeprefix("images/"))[0]
    return f"{folder}/{stem}.png"
