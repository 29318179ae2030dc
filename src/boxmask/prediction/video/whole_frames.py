"""Results for whole frames: the class of every pixel, or of the frame. Nothing is tracked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from boxmask.prediction.tracking.byte_track import Track
from boxmask.prediction.video.contract import PredictedFrame
from boxmask.types import Classification, SegmentationMap
from boxmask.visualization.name_tags import font_size_for
from boxmask.visualization.segmentation import tint_classes
from boxmask.visualization.style import DARK, LIGHT, RGBImage
from boxmask.visualization.text import draw_text, text_width


class LabelMapFrames:
    """The label map of each frame. See `FrameResults`."""

    columns: Sequence[str] = ("class", "share")

    def keep(self, result: SegmentationMap, time: float) -> tuple[SegmentationMap, list[Track | None] | None]:
        """The whole map."""
        return result, None

    def draw(self, frame: PredictedFrame) -> RGBImage:
        """The frame tinted by class."""
        return tint_classes(frame.pixels, frame.result.labels, frame.result.class_names)

    def rows(self, frame: PredictedFrame) -> list[list[Any]]:
        """One row per class that occurs."""
        return [[name, _rounded(share)] for name, share in frame.result.shares().items()]

    def entry(self, frame: PredictedFrame) -> Mapping[str, Any]:
        """The share of each class that occurs."""
        return {"shares": {name: _rounded(share) for name, share in frame.result.shares().items()}}

    def count(self, frame: PredictedFrame) -> None:
        """Count nothing."""

    def summary(self) -> str:
        """Always empty."""
        return ""


class ClassFrames:
    """The class of each frame. See `FrameResults`.

    first: the classification of the first frame
    """

    def __init__(self, first: Classification) -> None:
        self.columns: Sequence[str] = ("class", *first.class_names)
        self._counts: Counter[str] = Counter()

    def keep(self, result: Classification, time: float) -> tuple[Classification, list[Track | None] | None]:
        """The scores of all classes."""
        return result, None

    def draw(self, frame: PredictedFrame) -> RGBImage:
        """The frame with the class and its score in the upper left corner."""
        canvas = Image.fromarray(frame.pixels)
        pencil, size = ImageDraw.Draw(canvas), font_size_for(canvas.size, 1)
        text, pad = f"{frame.result.name} {frame.result.score:.2f}", max(1, size // 6)
        pencil.rectangle((0, 0, text_width(text, size) + 2 * pad, size + 2 * pad), fill=DARK)
        draw_text(pencil, (pad, pad + size // 2), text, LIGHT, size)
        return np.array(canvas)

    def rows(self, frame: PredictedFrame) -> list[list[Any]]:
        """The class, and the score of each class."""
        return [[frame.result.name, *(_rounded(float(score)) for score in frame.result.scores)]]

    def entry(self, frame: PredictedFrame) -> Mapping[str, Any]:
        """The class, and the score of each class by name."""
        result: Classification = frame.result
        scores = zip(result.class_names, map(float, result.scores), strict=True)
        return {"class": result.name, "scores": {name: _rounded(score) for name, score in scores}}

    def count(self, frame: PredictedFrame) -> None:
        """Count the class of the frame."""
        self._counts[frame.result.name] += 1

    def summary(self) -> str:
        """The number of frames of each class."""
        return ", ".join(f"{number} {name}" for name, number in self._counts.most_common())


def _rounded(share: float) -> float:
    return round(share, 4)
