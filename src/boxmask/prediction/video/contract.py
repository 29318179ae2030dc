"""A predicted frame of a video, and the interface for each kind of result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from jaxtyping import Int

from boxmask.prediction.tracking.byte_track import Track
from boxmask.visualization.style import RGBImage


@dataclass(frozen=True)
class PredictedFrame:
    """One frame of a video, and what a model found in it.

    number: of the frame in the video, from 0
    time:   seconds since the beginning of the video
    pixels: (H, W, 3) uint8 RGB, upright
    result: `Detections`, `SegmentationMap` or `Classification`
    tracks: (N,) int64, the number of the object that each of N detections shows, from 1; 0 for a detection
            that was seen in one frame only. None if nothing is tracked
    """

    number: int
    time: float
    pixels: RGBImage
    result: Any
    tracks: Int[np.ndarray, " N"] | None = None


class FrameResults(Protocol):
    """The results of one kind of model, frame by frame: which are kept, drawn and written."""

    @property
    def columns(self) -> Sequence[str]:
        """The columns of the table, besides the frame and its time."""

    def keep(self, result: Any, time: float) -> tuple[Any, list[Track | None] | None]:
        """What to keep of the result of the next frame, and the track of each object."""

    def draw(self, frame: PredictedFrame) -> RGBImage:
        """The frame with its result drawn on it, in the same size."""

    def rows(self, frame: PredictedFrame) -> list[list[Any]]:
        """The rows of one frame in the table."""

    def entry(self, frame: PredictedFrame) -> Mapping[str, Any]:
        """The result of one frame, as JSON can hold it."""

    def count(self, frame: PredictedFrame) -> None:
        """Count the objects of a frame for the summary."""

    def summary(self) -> str:
        """What was found in the video, or nothing."""
