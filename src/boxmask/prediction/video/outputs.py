"""The files of one video: the annotated video, a table, and lines of JSON."""

from __future__ import annotations

import csv
import json
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import ExitStack, suppress
from fractions import Fraction
from pathlib import Path
from typing import Any, Protocol, TextIO

from boxmask.atomic_write import output_error
from boxmask.errors import OutputError, UsageError
from boxmask.outputs import write_output
from boxmask.prediction.threads import threads
from boxmask.prediction.video.contract import FrameResults, PredictedFrame
from boxmask.prediction.video.read import VideoReader
from boxmask.prediction.video.write import VideoWriter

VIDEO_FORMATS = ("mp4", "csv", "jsonl")
DEFAULT_VIDEO_FORMATS = ("mp4", "csv")
UNWRITTEN = 2  # predicted frames that may wait for the thread that writes


def check_video_formats(formats: Sequence[str]) -> None:
    """Raise UsageError if a video's results cannot be written in one of these formats."""
    unknown = [name for name in formats if name not in VIDEO_FORMATS]
    if unknown or not formats:
        found = ", ".join(unknown) or "nothing"
        raise UsageError(f"--save: expected mp4, csv or jsonl for videos, found {found}")


def video_files(name: str, formats: Sequence[str], folder: Path) -> list[Path]:
    """The files of a video called `name`."""
    return [folder / f"{name}.{each}" for each in formats]


class FrameFile(Protocol):
    """A file that gets one frame after the other."""

    def write(self, frame: PredictedFrame, results: FrameResults) -> None:
        """Append a frame."""


class VideoOutputs:
    """Writes the files of one video, in a thread. Use it as a context; its end completes the files.

    If the block fails, none is written. Raises UsageError for a file that boxmask did not write, and
    OutputError, maybe at a later frame than the one that could not be written.
    """

    def __init__(self, files: Sequence[Path], reader: VideoReader, every: int) -> None:
        self._files: list[tuple[Path, FrameFile]] = []
        self._video: _AnnotatedVideo | None = None
        with ExitStack() as stack:
            for file in files:
                partial = stack.enter_context(write_output(file))
                if file.suffix == ".mp4":
                    writer = VideoWriter(partial, reader.rate / every, reader.audio, file)
                    self._video = _AnnotatedVideo(stack.enter_context(writer))
                    self._files.append((file, self._video))
                else:
                    text = stack.enter_context(partial.open("w", newline="", encoding="utf-8"))
                    self._files.append((file, _Table(text) if file.suffix == ".csv" else _Lines(text)))
            self._thread = stack.enter_context(threads(1, "write"))
            self._unwritten: deque[Future[None]] = deque()
            self._sound: deque[Future[None]] = deque()
            self._stack = stack.pop_all()

    def __enter__(self) -> VideoOutputs:
        return self

    def __exit__(self, failure: type[BaseException] | None, *_: object) -> None:
        if failure is not None:
            # With the failure itself, `write_output` would take an OSError of the model for one of its file.
            with suppress(_Incomplete), self._stack:
                raise _Incomplete
            return
        with self._stack:
            self._wait_for_writing(0)
            self._wait_for_sound()

    def write(self, frame: PredictedFrame, results: FrameResults) -> None:
        """Append a frame to all files."""
        self._unwritten.append(self._thread.submit(self._write, frame, results))
        self._wait_for_writing(UNWRITTEN)
        self._wait_for_sound(done_only=True)

    def write_sound(self, packet: Any, start: Fraction) -> None:
        """Append sound to the video."""
        if self._video is not None:
            self._sound.append(self._thread.submit(self._video.writer.write_sound, packet, start))

    def _write(self, frame: PredictedFrame, results: FrameResults) -> None:
        for path, file in self._files:
            try:
                file.write(frame, results)
            except OutputError:
                raise
            except OSError as error:
                raise output_error(path, error) from error

    def _wait_for_writing(self, limit: int) -> None:
        while len(self._unwritten) > limit:
            self._unwritten.popleft().result()

    def _wait_for_sound(self, done_only: bool = False) -> None:
        while self._sound and (self._sound[0].done() or not done_only):
            self._sound.popleft().result()

    @property
    def lacks_sound(self) -> bool:
        """Whether the video is written without sound because its format cannot hold it."""
        return self._video is not None and not self._video.writer.copies_sound


class _Incomplete(Exception):
    """The files are incomplete, and are removed."""


class _AnnotatedVideo:
    def __init__(self, writer: VideoWriter) -> None:
        self.writer = writer

    def write(self, frame: PredictedFrame, results: FrameResults) -> None:
        self.writer.write(results.draw(frame), frame.time)


class _Table:
    """A CSV file: a header, and the rows of each frame with its number and time."""

    def __init__(self, file: TextIO) -> None:
        self._writer, self._has_header = csv.writer(file), False

    def write(self, frame: PredictedFrame, results: FrameResults) -> None:
        if not self._has_header:
            self._writer.writerow(["frame", "time", *results.columns])
            self._has_header = True
        self._writer.writerows([frame.number, _seconds(frame), *row] for row in results.rows(frame))


class _Lines:
    """One JSON object per frame, on a line each."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def write(self, frame: PredictedFrame, results: FrameResults) -> None:
        entry = {"frame": frame.number, "time": _seconds(frame), **results.entry(frame)}
        self._file.write(json.dumps(entry, ensure_ascii=False) + "\n")


def _seconds(frame: PredictedFrame) -> float:
    return round(frame.time, 6)
