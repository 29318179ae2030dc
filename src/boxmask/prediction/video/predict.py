"""Run a model on videos and cameras, and write annotated videos and tables."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from boxmask.errors import DiskFullError, OutputError, UsageError, VideoError
from boxmask.messages import format_count
from boxmask.prediction.contract import Predictor
from boxmask.prediction.video.frames import FrameRun, check_every
from boxmask.prediction.video.outputs import (
    DEFAULT_VIDEO_FORMATS,
    VideoOutputs,
    check_video_formats,
    video_files,
)
from boxmask.prediction.video.progress import FrameProgress
from boxmask.prediction.video.read import VideoReader
from boxmask.prediction.video.sources import find_videos, is_camera, source_name
from boxmask.prediction.video.times import format_time
from boxmask.results.file_names import picture_names
from boxmask.results.min_score import DEFAULT, MinScore
from boxmask.results.output_folder import prepare_folder
from boxmask.stop_signals import handle_stop_signals


@dataclass(frozen=True)
class VideoOptions:
    """How videos are predicted and what is written.

    formats: of "mp4" (the annotated video), "csv" and "jsonl"; None: mp4 and csv
    every:   predict every n-th frame only
    track:   whether each object gets a number that it keeps

    Raises UsageError for a value that an option does not have.
    """

    formats: tuple[str, ...] | None = None
    min_score: MinScore = DEFAULT
    every: int = 1
    track: bool = True

    def __post_init__(self) -> None:
        check_video_formats(self.chosen_formats)
        check_every(self.every)

    @property
    def chosen_formats(self) -> tuple[str, ...]:
        """The formats to write."""
        return DEFAULT_VIDEO_FORMATS if self.formats is None else self.formats


@dataclass(frozen=True)
class VideoPrediction:
    """The results of one or several videos.

    videos:    the videos whose files were written
    summaries: one line for each of them, with the number of its frames and objects
    files:     the files that were written
    errors:    one message per video that could not be read or whose files could not be written
    notes:     notes, for example on damaged parts
    finished:  False if a signal stopped the work; the files then end with the last predicted frame
    """

    videos: list[str]
    summaries: list[str]
    files: list[Path]
    errors: list[str]
    notes: list[str]
    finished: bool


def predict_videos(
    model: Predictor,
    videos: Sequence[str | Path],
    out: Path,
    options: VideoOptions,
    progress: FrameProgress | None = None,
) -> VideoPrediction:
    """Run a model on video files and cameras, one after the other, and write the results into `out`.

    A video that cannot be read becomes an error message, and the others are still processed. The files that
    an earlier call wrote into `out` are removed. A stop signal ends the work after the current frame, and the
    files are completed. Raises VideoError for a pattern that matches outputs only, UsageError if `out` is a
    file or if it would replace a file that boxmask did not write, and DiskFullError.
    """
    sources = find_videos(videos)
    originals = [Path(source) for source in sources if not is_camera(source)]
    names = picture_names([Path(f"{source_name(source)}.mp4") for source in sources], out)
    files = [video_files(name, options.chosen_formats, out) for name in names]
    notes = prepare_folder(out, [file for each in files for file in each], originals)
    job = _Job(model, options, progress, list(notes))
    with handle_stop_signals(job.stop):
        for source, its_files in zip(sources, files, strict=True):
            if not job.signals:
                job.predict(source, its_files)
    return VideoPrediction(job.videos, job.summaries, job.files, job.errors, job.notes, not job.signals)


class _Job:
    """Runs a model on one video after the other. The lists are those of `VideoPrediction`.

    signals: the number of stop signals that came
    """

    def __init__(
        self, model: Predictor, options: VideoOptions, progress: FrameProgress | None, notes: list[str]
    ) -> None:
        self._model, self._options, self._progress = model, options, progress
        self.videos: list[str] = []
        self.summaries: list[str] = []
        self.files: list[Path] = []
        self.errors: list[str] = []
        self.notes = notes
        self.signals = 0

    def stop(self, number: int, frame: FrameType | None) -> None:
        """Count a stop signal. The third one raises KeyboardInterrupt: then, no file is completed."""
        self.signals += 1
        if self.signals > 2:
            raise KeyboardInterrupt

    def predict(self, source: str, files: Sequence[Path]) -> None:
        """Write the files of one video. Raises DiskFullError; other errors are collected."""
        try:
            with VideoReader(source) as reader:
                summary = self._write(reader, files)
        except DiskFullError:
            raise
        except (VideoError, OutputError, UsageError) as error:
            self.errors.append(str(error))
        else:
            self.videos.append(source)
            self.summaries.append(f"{source}: {summary}")
            self.files.extend(files)

    def _write(self, reader: VideoReader, files: Sequence[Path]) -> str:
        """Write the files of an open video; returns what was found in it."""
        options = self._options
        total = None if reader.num_frames is None else math.ceil(reader.num_frames / options.every)
        run = FrameRun(self._model, reader, options.min_score, options.track, options.every)
        count, seconds, summary = 0, 0.0, ""
        outputs = VideoOutputs(files, reader, options.every)
        with outputs, closing(run.frames(outputs.write_sound)) as frames:
            for frame, results in frames:
                outputs.write(frame, results)
                results.count(frame)
                count, seconds, summary = count + 1, frame.time, results.summary()
                if self._progress is not None:
                    self._progress(count, total)
                if self.signals:
                    break
            if not count:
                raise VideoError(f"{reader.source}: no frame can be decoded. Replace it with an intact copy.")
        self.notes += () if self.signals else reader.notes()
        if reader.audio is not None and outputs.lacks_sound:
            self.notes.append(
                f"{reader.source}: the sound was left out, because MP4 does not support its format"
            )
        found = f", {summary}" if summary else ""
        return f"{format_count(count, 'frame')}, {format_time(seconds)}{found}"
