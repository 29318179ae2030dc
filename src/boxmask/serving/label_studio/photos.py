"""The photos that tasks of Label Studio name: files in one folder, and photos embedded in tasks."""

from __future__ import annotations

import base64
import binascii
import threading
import time
from collections.abc import Mapping
from pathlib import Path

from boxmask.data.formats.label_studio.references import EMBEDDED, paths_of, photo_key
from boxmask.data.formats.photo_finder import PhotoFinder
from boxmask.data.formats.source import Source
from boxmask.errors import LabelError, UsageError
from boxmask.options import option
from boxmask.photos.folders import visible_files
from boxmask.serving.errors import RequestError
from boxmask.serving.predict_request import UploadedPhoto, plain_name

RESCAN_SECONDS = 5
"""New photos are found after at most this time."""


class TaskPhotos:
    """Finds photos in a folder, and reads no other files. It is safe to use from several threads.

    folder: None: only photos that are embedded in tasks are read

    Raises UsageError if there is no such folder.
    """

    def __init__(self, folder: Path | None, max_bytes: int) -> None:
        if folder is not None and not folder.is_dir():
            raise UsageError(
                f"{option('label_studio_photos')} {folder}: there is no such folder. Check the path."
            )
        self._folder, self._max_bytes = folder, max_bytes
        self._lock = threading.Lock()
        self._finder: PhotoFinder | None = None
        self._scanned = 0.0

    def read(self, data: Mapping[str, object], key: str | None) -> UploadedPhoto:
        """The photo of a task. key: the field that names it; None: the likeliest

        Raises RequestError if there is no such photo.
        """
        field = key if key is not None and key in data else photo_key(data)
        name = None if field is None else data[field]
        if not isinstance(name, str) or not name:
            raise RequestError(422, "photo-missing", "the task names no photo")
        if name.startswith(EMBEDDED):
            return self._embedded(name)
        path = self._find(name)
        try:
            if path.stat().st_size > self._max_bytes:
                limit = f"{self._max_bytes / 1e6:g} MB"
                raise RequestError(413, "photo-too-large", f"{path.name}: at most {limit} are read")
            return UploadedPhoto(path.read_bytes(), plain_name(path.name))
        except OSError as error:
            raise RequestError(422, "photo-unreadable", f"{path.name}: it cannot be read") from error

    def _embedded(self, name: str) -> UploadedPhoto:
        try:
            return UploadedPhoto(base64.b64decode(name.partition(",")[2], validate=True), "embedded photo")
        except (binascii.Error, ValueError) as error:
            raise RequestError(
                422, "photo-unreadable", "the photo in the task is not valid Base64"
            ) from error

    def _find(self, name: str) -> Path:
        shown = plain_name(name)[:100]
        if self._folder is None:
            raise RequestError(
                422,
                "photo-missing",
                f"{shown}: this server knows no folder with the photos of Label Studio. Start it with "
                "--label-studio-photos DIR.",
            )
        path = self._search(name, shown, rescan=False) or self._search(name, shown, rescan=True)
        if path is None:
            raise RequestError(
                422,
                "photo-missing",
                f"{shown}: there is no such photo in the folder of --label-studio-photos",
            )
        return path

    def _search(self, name: str, shown: str, *, rescan: bool) -> Path | None:
        """The file that a task names, inside of the folder."""
        folder = self._folder
        if folder is None:
            return None
        finder = self._current_finder(folder, rescan=rescan)
        try:
            for path in paths_of(name):
                if (match := finder.find(path, "")) is not None:
                    file = folder / match.file
                    return file if file.resolve().is_relative_to(folder.resolve()) else None
        except LabelError as error:
            raise RequestError(
                422,
                "photo-ambiguous",
                f"{shown}: the folder of --label-studio-photos has several such photos",
            ) from error
        except (ValueError, OSError):  # a path with a NUL, or one that cannot be read
            return None
        return None

    def _current_finder(self, folder: Path, *, rescan: bool) -> PhotoFinder:
        with self._lock:
            is_old = time.monotonic() - self._scanned > RESCAN_SECONDS
            if self._finder is None or (rescan and is_old):
                files = tuple(file.relative_to(folder).as_posix() for file in visible_files(folder))
                self._finder = PhotoFinder(Source(folder, files, files))
                self._scanned = time.monotonic()
            return self._finder
