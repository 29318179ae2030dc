"""Run a model on the frames of a video, one after the other, and track what it finds."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from boxmask.errors import UsageError
from boxmask.options import option
from boxmask.prediction.contract import Predictor
from boxmask.prediction.threads import read_ahead, threads
from boxmask.prediction.tracking.byte_track import Track
from boxmask.prediction.video.contract import FrameResults, PredictedFrame
from boxmask.prediction.video.objects import ObjectFrames
from boxmask.prediction.video.read import Frame, SoundHandler, VideoReader
from boxmask.prediction.video.whole_frames import ClassFrames, LabelMapFrames
from boxmask.results.min_score import DEFAULT, MinScore
from boxmask.types import Classification, Detections, SegmentationMap

FRAMES_AHEAD = 3  # decoded frames that may wait for the model


def predict_frames(
    model: Predictor,
    video: str | Path,
    *,
    min_score: MinScore = DEFAULT,
    track: bool = True,
    every: int = 1,
) -> Iterator[PredictedFrame]:
    """Find objects in the frames of a video, one frame after the other.

        for frame in predict_frames(boxmask.load(run), "clip.mp4"):
            print(frame.time, frame.result.names, frame.tracks)

    video:     a file, or "camera:0" for the first camera
    min_score: minimum score of an object; a tracked one is kept with a lower score, too
    track:     whether each object gets a number that it keeps
    every:     predict every n-th frame only

    Each frame is yielded after the next one is predicted, because only a second detection confirms a track.
    Raises VideoError if the video is missing, damaged from the beginning, or not a video.
    """
    check_every(every)
    with VideoReader(video) as reader:
        run = FrameRun(model, reader, min_score, track, every)
        yield from (frame for frame, _ in run.frames())


class FrameRun:
    """One run of a model through an open video."""

    def __init__(
        self, model: Predictor, reader: VideoReader, min_score: MinScore, track: bool, every: int
    ) -> None:
        self.model, self.reader, self.every = model, reader, every
        self.min_score, self.track = min_score, track

    def frames(
        self, on_sound: SoundHandler | None = None
    ) -> Generator[tuple[PredictedFrame, FrameResults], None, None]:
        """The predicted frames, and how to draw and write them.

        A thread reads the next frames meanwhile. It calls `on_sound` with the sound in between.
        """
        with threads(1, "read") as pool:
            yield from self._predict(read_ahead(pool, self.reader.frames(self.every, on_sound), FRAMES_AHEAD))

    def _predict(self, frames: Iterator[Frame]) -> Iterator[tuple[PredictedFrame, FrameResults]]:
        results: FrameResults | None = None
        last: tuple[Frame, Any, list[Track | None] | None] | None = None
        for frame in frames:
            found = self.model.predict(frame.pixels)
            results = results or self._results_like(found)
            kept = results.keep(found, frame.time)
            if last is not None:  # its tracks have their numbers now
                yield _predicted(*last), results
            last = (frame, *kept)
        if last is not None and results is not None:
            yield _predicted(*last), results

    def _results_like(self, first: Any) -> FrameResults:
        match first:
            case Detections():
                seconds = float(self.every / self.reader.rate)
                return ObjectFrames(first, self.min_score, seconds if self.track else None)
            case SegmentationMap():
                return LabelMapFrames()
            case Classification():
                return ClassFrames(first)
        expected = "Detections, SegmentationMap or Classification"
        raise TypeError(f"expected {expected} from model.predict, found {type(first).__name__}")


def _predicted(frame: Frame, result: Any, tracks: list[Track | None] | None) -> PredictedFrame:
    numbers = None
    if tracks is not None:
        numbers = np.array([0 if track is None else track.number for track in tracks], dtype=np.int64)
    return PredictedFrame(frame.number, frame.time, frame.pixels, result, numbers)


def check_every(every: int) -> None:
    """Raise UsageError unless a frame step is 1 or more."""
    if every < 1:
        raise UsageError(f"{option('every')}: expected 1 or more, found {every}")
