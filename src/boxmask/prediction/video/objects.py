"""The objects in the frames of a video, and their tracks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from boxmask.geometry.rle import compress, encode
from boxmask.messages import format_count
from boxmask.prediction.tracking.byte_track import ByteTracker, Track
from boxmask.prediction.video.contract import PredictedFrame
from boxmask.results.min_score import MinScore, min_scores_of_classes
from boxmask.results.short_floats import shortest
from boxmask.types import Detections
from boxmask.visualization.style import RGBImage
from boxmask.visualization.tracks import draw_tracks


class ObjectFrames:
    """See `FrameResults`.

    first:         the detections of the first frame
    min_score:     minimum score of an object; a tracked one is kept with a lower score, too
    frame_seconds: seconds between two predicted frames; None: no tracking
    """

    def __init__(self, first: Detections, min_score: MinScore, frame_seconds: float | None) -> None:
        self._min_scores = min_scores_of_classes(min_score, first.class_names)
        self._tracker = None if frame_seconds is None else ByteTracker(self._min_scores, frame_seconds)
        self._has_masks = first.masks is not None
        self._tracks: dict[int, str] = {}
        self._num_detections = 0

    @property
    def columns(self) -> Sequence[str]:
        """Track, class, score and box, and with masks, the area in pixels."""
        box = ("x1", "y1", "x2", "y2")
        return ("track", "class", "score", *box, *(("area",) if self._has_masks else ()))

    def keep(self, result: Detections, time: float) -> tuple[Detections, list[Track | None] | None]:
        """The detections with the minimum score, and those that continue a track with a lower one."""
        scores, labels = result.scores, result.labels
        kept = scores >= self._min_scores[labels]
        if self._tracker is None:
            return result[kept], None
        tracks = self._tracker.update(result.boxes, scores, labels, time)
        kept = kept | np.array([track is not None for track in tracks], dtype=np.bool_)
        return result[kept], [track for track, is_kept in zip(tracks, kept, strict=True) if is_kept]

    def draw(self, frame: PredictedFrame) -> RGBImage:
        """Masks or boxes; a track keeps its color."""
        return draw_tracks(frame.pixels, frame.result, frame.tracks)

    def rows(self, frame: PredictedFrame) -> list[list[Any]]:
        """One row per detection."""
        return [
            [found["track"], found["class"], found["score"], *found["box"]]
            + ([found["area"]] if self._has_masks else [])
            for found in self._objects(frame)
        ]

    def entry(self, frame: PredictedFrame) -> Mapping[str, Any]:
        """A list of objects; masks are COCO's compressed run lengths."""
        objects = self._objects(frame)
        if self._has_masks:
            size = list(frame.result.size)
            for found, counts in zip(objects, encode(frame.result.masks), strict=True):
                found["mask"] = {"size": size, "counts": compress(counts)} if found["area"] else None
        return {"objects": objects}

    def count(self, frame: PredictedFrame) -> None:
        """Count detections, and tracks by class."""
        self._num_detections += len(frame.result)
        if frame.tracks is not None:
            pairs = zip(frame.tracks.tolist(), frame.result.names, strict=True)
            self._tracks.update({track: name for track, name in pairs if track})

    def summary(self) -> str:
        """The number of objects by class, or without tracking, of detections."""
        if self._tracker is None:
            return format_count(self._num_detections, "detection")
        counts = Counter(self._tracks.values()).most_common()
        by_class = f" ({', '.join(f'{number} {name}' for name, number in counts)})" if counts else ""
        return f"{format_count(len(self._tracks), 'object')}{by_class}"

    def _objects(self, frame: PredictedFrame) -> list[dict[str, Any]]:
        detections: Detections = frame.result
        boxes, scores = detections.boxes, detections.scores
        tracks = [0] * len(detections) if frame.tracks is None else frame.tracks.tolist()
        objects: list[dict[str, Any]] = [
            {
                "track": track or None,
                "class": name,
                "score": shortest(score),
                "box": [shortest(edge) for edge in box],
            }
            for track, name, score, box in zip(tracks, detections.names, scores, boxes, strict=True)
        ]
        if detections.masks is not None:
            for found, area in zip(objects, detections.masks.areas().tolist(), strict=True):
                found["area"] = area
        return objects
