"""The size that the labels of a photo are drawn on."""

from __future__ import annotations

from pathlib import Path

from boxmask.data.formats.labels import PhotoEntry
from boxmask.errors import PhotoError
from boxmask.masks import Size
from boxmask.photos.size import photo_size


def drawn_size(root: Path, photo: PhotoEntry) -> Size:
    """The declared size, else that of the photo. Raises ValueError if the photo cannot be read."""
    try:
        return photo.declared_size or photo_size(root / photo.file)
    except PhotoError as error:
        raise ValueError(f"the size of its photo is unknown ({error})") from error
