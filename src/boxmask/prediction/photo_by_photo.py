"""Run a model on one photo after the other. Threads read the next photos and write the last results."""

from __future__ import annotations

import zlib
from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from boxmask.errors import BoxmaskError, DiskFullError, OutputError, PhotoError, UsageError
from boxmask.outputs import add_to_job, remove_outputs
from boxmask.photos.read import load_photo
from boxmask.prediction.contract import Predictor, ResultWriter
from boxmask.prediction.journal import Journal, PhotoToPredict
from boxmask.prediction.threads import READERS, threads, work_ahead
from boxmask.progress import Progress
from boxmask.visualization.style import RGBImage

UNWRITTEN = 2  # results that may wait for the thread that writes: each holds a decoded photo


@dataclass(frozen=True)
class PhotoInMemory:
    """A decoded photo.

    identity: of its file, taken before it was read: a photo that changes later is predicted again by --resume
    """

    item: PhotoToPredict
    identity: Mapping[str, Any]
    pixels: RGBImage

    @staticmethod
    def read(item: PhotoToPredict) -> PhotoInMemory:
        """Read a photo. Raises PhotoError as `load_photo` does."""
        try:
            identity = item.identity()
        except OSError:  # reading the photo reports it
            identity = {}
        return PhotoInMemory(item, identity, load_photo(item.photo))


class ResultFiles:
    """Writes the results of photos, in the order of the calls, which one thread makes.

    photos: those whose files are written
    files:  the files of these photos
    errors: one message per photo that could not be read or whose files could not be written, and per photo
            whose entry in the journal could not be written
    """

    def __init__(self, out: Path, writer: ResultWriter[Any], journal: Journal) -> None:
        self._out, self._writer, self._journal = out, writer, journal
        self.photos: list[Path] = []
        self.files: list[Path] = []
        self.errors: list[str] = []
        self._disk_is_full = False

    def write(self, photo: PhotoInMemory, result: Any) -> None:
        """Write the files of one photo. Raises DiskFullError; other errors are collected."""
        if self._disk_is_full:
            return
        item = photo.item
        files = self._writer.files(item.name, result)
        try:
            add_to_job(self._out, files[len(self._writer.files(item.name)) :])
            self._writer.write(item.name, item.photo, photo.pixels, result)
        except (PhotoError, OutputError, UsageError) as error:
            remove_outputs(files)
            self._collect(error)
            return
        self._add(item, files)
        try:
            self._journal.add(photo.identity, files, self._writer.last_entry())
        except OutputError as error:
            self._collect(error)

    def restore(self, item: PhotoToPredict, entry: Mapping[str, Any]) -> None:
        """Take the result of a photo whose files are complete. Raises OutputError for a damaged entry."""
        try:
            self._writer.restore(item.photo, entry["result"])
        except (ValueError, KeyError, TypeError, zlib.error) as error:
            raise self._journal.damaged() from error
        self._add(item, self._journal.files(entry))

    def leave_out(self, error: BoxmaskError) -> None:
        """Report a photo that could not be read."""
        self.errors.append(str(error))

    def _collect(self, error: BoxmaskError) -> None:
        if isinstance(error, DiskFullError):
            self._disk_is_full = True
            raise error
        self.errors.append(str(error))

    def _add(self, item: PhotoToPredict, files: Sequence[Path]) -> None:
        self.photos.append(item.photo)
        self.files.extend(files)


def predict_in_order(
    model: Predictor,
    items: Sequence[PhotoToPredict],
    entries: Mapping[PhotoToPredict, Mapping[str, Any]],
    results: ResultFiles,
    progress: Progress | None = None,
) -> None:
    """Run the model on each photo, in this thread, and write the results.

    entries: of the photos that are finished already

    Only a few decoded photos are in memory at a time. Raises DiskFullError.
    """

    unwritten: deque[tuple[int, Future[None]]] = deque()

    def wait_for_writing(limit: int) -> None:
        while len(unwritten) > limit:
            number, written = unwritten.popleft()
            written.result()
            if progress is not None:
                progress(number, len(items))

    unread = (item for item in items if item not in entries)
    with threads(READERS, "read") as reading, threads(1, "write") as writing:
        photos = work_ahead(reading, PhotoInMemory.read, unread, READERS)
        for number, item in enumerate(items, start=1):
            if item in entries:
                step = partial(results.restore, item, entries[item])
            else:
                step = _predict(model, next(photos), results)
            unwritten.append((number, writing.submit(step)))
            wait_for_writing(UNWRITTEN)
        wait_for_writing(0)


def _predict(model: Predictor, reading: Future[PhotoInMemory], results: ResultFiles) -> partial[None]:
    """Run the model on a photo; returns the call that writes the result, or reports the error."""
    try:
        photo = reading.result()
        return partial(results.write, photo, model.predict(photo.pixels))
    except (PhotoError, UsageError) as error:
        return partial(results.leave_out, error)
