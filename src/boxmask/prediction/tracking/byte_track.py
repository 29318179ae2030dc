"""ByteTrack: Multi-Object Tracking by Associating Every Detection Box.
Zhang, Sun, Jiang, Yu, Weng, Yuan, Luo, Liu, Wang. ECCV 2022, arXiv:2110.06864.

    detections of a frame -> predicted boxes of the tracks -> 1. matches of high scores -> 2. matches of low
    scores -> new tracks

Detections with a high score are matched with the tracks first. Those with a low score are matched with the
tracks that are left: an object that is partly hidden has a low score, but its track says that it is there. A
low score never starts a track.

Different from the paper, which tracks pedestrians:

- A track has one class, and is matched with detections of that class.
- Time counts in seconds, so that the frame rate does not decide when a track ends.
- The minimum score for starting a track is that of a high score (the paper: 0.1 more), so that a video shows
  the same objects as its frames, predicted as photos.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy
from jaxtyping import Float, Int
from numpy.typing import NDArray

from boxmask.prediction.tracking.motion import BoxMotion

LOW_SCORE = 0.1  # lower ones are ignored (figure 2 and the authors' code)
MIN_IOU = 0.1  # of a detection with a high score and the predicted box of its track (the authors' code)
MIN_IOU_LOW = 0.5  # the same for a low score (the authors' code)
MAX_SECONDS_LOST = 1.0  # 30 frames of a video with 30 per second (section 4.1)


@dataclass(eq=False)
class Track:
    """One object over time.

    number:    counts the tracks from 1, in the order of their second detection; 0 before it
    label:     class index
    motion:    where the object is expected
    last_seen: time of its last detection, in seconds
    """

    label: int
    motion: BoxMotion
    last_seen: float
    number: int = 0


class ByteTracker:
    """Gives each object of a video a number that it keeps.

    min_scores:    for each class, the lowest score that starts a track
    frame_seconds: seconds between two frames, usually; the unit of the motion
    """

    def __init__(self, min_scores: Float[np.ndarray, " K"], frame_seconds: float = 1 / 30) -> None:
        self.min_scores, self.frame_seconds = min_scores, frame_seconds
        self.tracks: list[Track] = []
        self.num_confirmed = 0
        self._time: float | None = None

    def update(
        self,
        boxes: Float[np.ndarray, "N 4"],
        scores: Float[np.ndarray, " N"],
        labels: Int[np.ndarray, " N"],
        time: float,
    ) -> list[Track | None]:
        """Match the detections of the next frame, at `time` in seconds; returns the track of each, or None.

        A track gets its number with its second detection, so look at the numbers after the next frame:
        a detection that has none by then was seen once only, and is often a mistake.
        """
        self._predict(time)
        found: list[Track | None] = [None] * len(boxes)
        is_high = scores >= self.min_scores[labels]
        high, low = np.flatnonzero(is_high), np.flatnonzero(~is_high & (scores >= LOW_SCORE))
        confirmed = [track for track in self.tracks if track.number]
        for rows, tracks, min_iou in ((high, self.tracks, MIN_IOU), (low, confirmed, MIN_IOU_LOW)):
            free = [track for track in tracks if track not in found]
            for track, row in _match(free, boxes, labels, rows, min_iou):
                found[row] = track
                self._see(track, boxes[row], time)
        for row in high.tolist():
            if found[row] is None:
                found[row] = Track(int(labels[row]), BoxMotion(boxes[row]), time)
        self._end_tracks(found, time)
        return found

    def _predict(self, time: float) -> None:
        before, self._time = time if self._time is None else self._time, time
        for track in self.tracks:
            if track.last_seen < before:
                track.motion.keep_size()
            track.motion.predict(max(0.0, time - before) / self.frame_seconds)

    def _see(self, track: Track, box: Float[np.ndarray, " 4"], time: float) -> None:
        track.motion.update(box)
        track.last_seen = time
        if not track.number:
            self.num_confirmed += 1
            track.number = self.num_confirmed

    def _end_tracks(self, found: Sequence[Track | None], time: float) -> None:
        """Keep the tracks that were found, and those with a number that were lost a moment ago."""
        kept = [track for track in found if track is not None]
        for track in self.tracks:
            if track not in kept and track.number and time - track.last_seen <= MAX_SECONDS_LOST:
                kept.append(track)
        self.tracks = kept


def _match(
    tracks: Sequence[Track],
    boxes: Float[np.ndarray, "N 4"],
    labels: Int[np.ndarray, " N"],
    rows: Int[np.ndarray, " R"],
    min_iou: float,
) -> list[tuple[Track, int]]:
    """The pairs of track and row of `boxes` with the largest sum of IoU, each at least `min_iou`."""
    if not tracks or not len(rows):
        return []
    similarity = iou(np.stack([track.motion.box for track in tracks]), np.asarray(boxes[rows], np.float64))
    same_class = np.array([[track.label] for track in tracks]) == labels[rows]
    similarity[~same_class | (similarity < min_iou)] = 0
    pairs = zip(*scipy.optimize.linear_sum_assignment(similarity, maximize=True), strict=True)
    return [(tracks[first], int(rows[second])) for first, second in pairs if similarity[first, second] > 0]


def iou(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Intersection over union of boxes (A, 4) and (B, 4) -> (A, B); 0 for two boxes without area."""
    sides = np.minimum(a[:, None, 2:], b[:, 2:]) - np.maximum(a[:, None, :2], b[:, :2])
    shared = sides.clip(0).prod(axis=2)
    areas_a, areas_b = ((x[:, 2:] - x[:, :2]).prod(axis=1) for x in (a, b))
    union = areas_a[:, None] + areas_b - shared
    return np.asarray(shared / np.maximum(union, np.finfo(np.float64).tiny))
