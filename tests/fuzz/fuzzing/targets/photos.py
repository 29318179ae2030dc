"""Readers of photos and of the cache of proposals."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from boxmask.photos.find import find_photos
from boxmask.photos.read import to_image
from boxmask.photos.size import photo_size, stored_size
from boxmask.pipeline.selective_search.cache import ProposalCache
from boxmask.pipeline.selective_search.modes import MODES


def photo(folder: Path) -> None:
    """A photo that can be decoded has the size that its header announces."""
    for path in find_photos(folder):
        stored_size(path)
        size = photo_size(path)
        image = to_image(path)
        assert image.shape == (3, *size), f"{tuple(image.shape)} decoded, {size} announced"


def proposals_cache(folder: Path) -> None:
    """A damaged cache is searched again: there are always boxes."""
    cache = ProposalCache(MODES["single"], folder / "cache")
    photo = folder / "a.png"
    stored = folder / "boxes.npy"
    if photo.is_file() and stored.is_file():
        place = cache.path(photo)
        place.parent.mkdir(parents=True)
        stored.rename(place)
        boxes = cache.boxes(photo)
        assert boxes.shape == (len(boxes), 4)
        assert boxes.isfinite().all()


PHOTO_TARGETS: dict[str, Callable[[Path], None]] = {"photo": photo, "proposals-cache": proposals_cache}
