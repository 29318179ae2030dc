"""One pass over the pixels of all photos, in parallel."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from boxmask.data.photo_records.one_photo import PhotoRecord, examine_photo
from boxmask.data.photo_records.records import NO_CAMERA, PERCENTILES, THUMBNAIL_SIDE, PhotoRecords
from boxmask.progress import Progress

_MAX_THREADS = 8
_BLOCK = 256
"""Photos whose results may wait for those before them; it bounds the memory."""


def examine_photos(root: Path, files: Sequence[str], progress: Progress | None = None) -> PhotoRecords:
    """Decode every photo once, and keep a record of fixed size of each. Raises nothing for damaged photos.

    files: relative to `root`, with "/"; the records are in their order

    Pillow decodes without holding Python's lock, so that threads suffice.
    """
    columns = _Columns(root, files)
    with ThreadPoolExecutor(min(_MAX_THREADS, os.cpu_count() or 1)) as pool:
        for index, record in enumerate(_in_blocks(pool, root, files)):
            columns.set(index, record)
            if progress is not None:
                progress(index + 1, len(files))
    return columns.records()


def _in_blocks(pool: ThreadPoolExecutor, root: Path, files: Sequence[str]) -> Iterator[PhotoRecord]:
    """The records of all photos, in order. The next block is under way while one is handed out."""
    blocks = [files[start : start + _BLOCK] for start in range(0, len(files), _BLOCK)]
    under_way: Iterator[PhotoRecord] = iter(())
    for block in [*blocks, []]:
        following = pool.map(examine_photo, [root / file for file in block])
        yield from under_way
        under_way = following


class _Columns:
    """The columns of `PhotoRecords`, filled row by row."""

    def __init__(self, root: Path, files: Sequence[str]) -> None:
        self._root, self._files = root, tuple(files)
        self._errors: dict[int, str] = {}
        self._cameras: dict[str, int] = {}
        self._rows = np.zeros(
            len(files),
            dtype=[
                ("state", np.uint8),
                ("format", "<U8"),
                ("mode", "<U6"),
                ("transparent", np.bool_),
                ("size", np.int32, 2),
                ("orientation", np.uint8),
                ("captured", np.float64),
                ("camera", np.int32),
                ("digest", np.uint64, 2),
                ("brightness", np.float32, len(PERCENTILES)),
                ("sharpness", np.float32),
                ("thumbnail", np.uint8, (THUMBNAIL_SIDE, THUMBNAIL_SIDE)),
            ],
        )

    def set(self, index: int, record: PhotoRecord) -> None:
        """Store the record of one photo."""
        camera = self._cameras.setdefault(record.camera, len(self._cameras)) if record.camera else NO_CAMERA
        if record.error:
            self._errors[index] = record.error
        self._rows[index] = (
            record.state,
            record.format,
            record.mode,
            record.transparent,
            record.size,
            record.orientation,
            record.captured,
            camera,
            np.frombuffer(record.digest, np.uint64),
            record.brightness,
            record.sharpness,
            record.thumbnail,
        )

    def records(self) -> PhotoRecords:
        """All records. The columns are views of the rows."""
        rows = self._rows
        return PhotoRecords(
            root=self._root,
            files=self._files,
            states=rows["state"],
            errors=self._errors,
            formats=rows["format"],
            modes=rows["mode"],
            transparent=rows["transparent"],
            sizes=rows["size"],
            orientations=rows["orientation"],
            captured=rows["captured"],
            cameras=rows["camera"],
            camera_names=tuple(self._cameras),
            digests=rows["digest"],
            brightness=rows["brightness"],
            sharpness=rows["sharpness"],
            thumbnails=rows["thumbnail"],
        )
