"""The photos of a data set, at their size and as thumbnails, which are kept in memory."""

from __future__ import annotations

import hashlib
import io
import threading
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from boxmask.errors import PhotoError
from boxmask.photos.errors import photo_errors
from boxmask.photos.formats import TRANSPOSITIONS
from boxmask.photos.read import load_photo, open_image, orientation
from boxmask.serving.errors import RequestError

THUMBNAIL_SIDE = 320
"""Longest side of a thumbnail in pixels, for screens of two pixels per point."""
MAX_CACHED = 64_000_000
"""Bytes of all thumbnails in memory: about 5,000."""

_SHOWN_FORMATS = {"JPEG": "image/jpeg", "MPO": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}
"""The formats that every browser shows, with the orientation that EXIF tells. Others are converted."""
_QUALITY = 75


@dataclass(frozen=True, slots=True)
class PictureFile:
    """A picture for a browser."""

    media_type: str
    content: bytes


class Thumbnails:
    """Makes thumbnails, and keeps those that were asked for last. For several threads.

    size: the bytes of those that are kept
    """

    def __init__(self, max_bytes: int = MAX_CACHED) -> None:
        self._max_bytes, self.size = max_bytes, 0
        self._kept: OrderedDict[str, bytes] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, path: Path, etag: str) -> bytes:
        """The thumbnail of a photo as WebP. Raises RequestError for a photo that cannot be read."""
        with self._lock:
            if etag in self._kept:
                self._kept.move_to_end(etag)
                return self._kept[etag]
        made = make_thumbnail(path)
        with self._lock:
            if etag not in self._kept:
                self._kept[etag] = made
                self.size += len(made)
            while self.size > self._max_bytes:
                _, dropped = self._kept.popitem(last=False)
                self.size -= len(dropped)
        return made


def make_thumbnail(path: Path, side: int = THUMBNAIL_SIDE) -> bytes:
    """A small WebP of a photo as shown. JPEGs are decoded at a reduced size."""
    try:
        with open_image(path) as image, photo_errors(path):
            turned = orientation(image)
            if image.format in ("JPEG", "MPO"):
                image.draft("RGB", (2 * side, 2 * side))
            if image.mode in ("I", "F") or image.mode.startswith("I;16"):
                image = Image.fromarray(load_photo(path))
                turned = 1
            small = image.convert("RGBA" if image.has_transparency_data else "RGB")
            small.thumbnail((side, side), Image.Resampling.BILINEAR, reducing_gap=2.0)
            if turned != 1:
                small = small.transpose(TRANSPOSITIONS[turned])
            return _webp(small)
    except PhotoError as error:
        raise _unreadable(error) from error


def picture(path: Path) -> PictureFile:
    """A photo at its size: the file itself if browsers show it, else a WebP of it."""
    try:
        with open_image(path) as image:
            media_type = _SHOWN_FORMATS.get(image.format or "")
        if media_type is not None:
            return PictureFile(media_type, path.read_bytes())
        return PictureFile("image/webp", _webp(Image.fromarray(load_photo(path))))
    except PhotoError as error:
        raise _unreadable(error) from error
    except OSError as error:
        raise _missing() from error


def etag_of(path: Path, kind: str) -> str:
    """A word that changes with a file. Raises RequestError if the photo is gone."""
    try:
        status = path.stat()
    except OSError as error:
        raise _missing() from error
    text = f"{path}\0{status.st_mtime_ns}\0{status.st_size}\0{kind}"
    return f'"{hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:32]}"'


def _webp(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", quality=_QUALITY, method=2)
    return buffer.getvalue()


def _unreadable(error: PhotoError) -> RequestError:
    return RequestError(422, "photo-unreadable", error.reason)


def _missing() -> RequestError:
    return RequestError(404, "photo-missing", "this photo is not there any more.")
