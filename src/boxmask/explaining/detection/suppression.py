"""What NMS did: the boxes before it, those that it kept, and which box removed each of the others.

The method's own `postprocess` gives all of them. It runs with other limits in its config, so that nothing of
it is repeated here.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import torch
from jaxtyping import Int

from boxmask.detectors.contract import Detector
from boxmask.geometry.boxes import iou
from boxmask.pipeline.model import with_config
from boxmask.types import Detections

ALL = 10**9  # more boxes than any photo has
NO_NMS = 2.0  # an IoU that no two boxes exceed
KEPT, OVER_LIMIT = -1, -2

DetectorT = TypeVar("DetectorT", bound=Detector)


@dataclass(frozen=True, eq=False)
class Suppression:
    """NMS in one photo.

    candidates: the boxes before NMS, highest score first
    kept:       (M,) rows of the boxes that became detections, highest score first
    remover:    (N,) for each candidate the row of the box that removed it, KEPT, or OVER_LIMIT if it was kept
                by NMS and is beyond the limit of detections per photo
    """

    candidates: Detections
    kept: Int[np.ndarray, " M"]
    remover: Int[np.ndarray, " N"]

    @property
    def winners(self) -> Detections:
        """The detections before box voting, which is off by default."""
        return self.candidates[self.kept]

    def removed_by(self, row: int) -> Int[np.ndarray, " R"]:
        """The rows of the candidates that a kept one removed."""
        return np.flatnonzero(self.remover == row)


def explain_nms(model: DetectorT, postprocess: Callable[[DetectorT], Detections]) -> Suppression:
    """Run the method's last stage without NMS, with it, and compare.

    postprocess: the last stage of `model`, or of a copy of it with another config, for the photo
    """
    limits: dict[str, Any] = {"detections_per_image": ALL}
    if hasattr(model.config, "voting_iou"):
        limits["voting_iou"] = 0.0
    candidates = postprocess(with_config(model, nms_iou=NO_NMS, **limits))
    kept = rows_of(postprocess(with_config(model, **limits)), candidates)
    remover = find_removers(candidates, kept, float(model.config.nms_iou))
    limit = int(model.config.detections_per_image)
    remover[kept[limit:]] = OVER_LIMIT
    return Suppression(candidates, kept[:limit], remover)


def rows_of(some: Detections, candidates: Detections) -> Int[np.ndarray, " M"]:
    """The rows of some of the candidates: equal boxes, scores and labels have the same bits."""
    rows: dict[bytes, deque[int]] = defaultdict(deque)
    for row, key in enumerate(_keys(candidates)):
        rows[key].append(row)
    return np.array([rows[key].popleft() for key in _keys(some)], dtype=np.int64)


def _keys(detections: Detections) -> list[bytes]:
    columns = zip(detections.boxes, detections.scores, detections.labels, strict=True)
    return [box.tobytes() + score.tobytes() + label.tobytes() for box, score, label in columns]


def find_removers(
    candidates: Detections, kept: Int[np.ndarray, " M"], nms_iou: float
) -> Int[np.ndarray, " N"]:
    """For each candidate the kept box of its class that removed it, or KEPT.

    Greedy NMS: the first kept box, in the order of the scores, whose IoU is above the limit. Here boxes are
    in pixels of the photo, so that rounding may move an IoU across the limit: then the nearest kept box.
    """
    remover = np.full(len(candidates), KEPT, dtype=np.int64)
    removed = np.setdiff1d(np.arange(len(candidates)), kept)
    boxes = torch.from_numpy(candidates.boxes)
    for label in np.unique(candidates.labels[removed]).tolist():
        rows = removed[candidates.labels[removed] == label]
        by = kept[candidates.labels[kept] == label]
        overlaps = iou(boxes[rows], boxes[by]).numpy()
        overlaps[by > rows[:, None]] = -1.0  # a box is removed by one with a higher score
        over = overlaps > nms_iou
        first = np.where(over.any(axis=1), over.argmax(axis=1), overlaps.argmax(axis=1))
        remover[rows] = by[first]
    return remover
