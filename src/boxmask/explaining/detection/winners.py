"""One-stage detectors: which anchor or point each detection came from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from boxmask.explaining.contract import Stage
from boxmask.explaining.detection.origins import find_origins
from boxmask.explaining.detection.results import shown_count
from boxmask.explaining.photo_view import PhotoView
from boxmask.types import Detections


@dataclass(frozen=True, eq=False)
class Cells:
    """The outputs of all anchors or points of a photo, N of them, over all levels.

    starts:  (N, 4) anchors, or points as boxes without extent, in pixels of the photo
    scores:  (N, K)
    boxes:   (N, 4) predicted boxes in pixels of the photo
    strides: (N,) of the level
    """

    starts: Float[np.ndarray, "N 4"]
    scores: Float[np.ndarray, "N K"]
    boxes: Float[np.ndarray, "N 4"]
    strides: Int[np.ndarray, " N"]

    @property
    def are_points(self) -> bool:
        """Whether these are points, not anchors."""
        return bool((self.starts[:, :2] == self.starts[:, 2:]).all())

    def origins(self, detections: Detections) -> Int[np.ndarray, " M"]:
        """The row that each detection came from; the boxes are the same for all classes."""
        boxes = np.broadcast_to(self.boxes[:, None], (*self.scores.shape, 4))
        return find_origins(detections, self.scores, boxes)


def per_row(values: Sequence[int], levels: Sequence[Tensor]) -> Int[np.ndarray, " N"]:
    """A value of each level, repeated for each of its rows."""
    return np.repeat(np.array(values, dtype=np.int64), [len(level) for level in levels])


def winners_stage(view: PhotoView, cells: Cells, winners: Detections, title: str, text: str) -> Stage:
    """Where the first detections came from (thin), and their boxes (thick)."""
    count = shown_count(view, winners)
    shown = winners[:count]
    rows = cells.origins(shown)
    starts = cells.starts[rows].reshape(-1, 4)
    if cells.are_points:
        lines = distance_lines(starts[:, :2], shown.boxes)
        picture = view.draw_lines(lines, np.repeat(np.arange(count), 4).tolist())
    else:
        picture = view.draw(starts, list(range(count)))
    picture = view.draw(shown.boxes, list(range(count)), thick=True, on=picture)
    strides = cells.strides[rows]
    texts = [
        f"{name} {score:.2f}, stride {stride}"
        for name, score, stride in zip(shown.names, shown.scores.tolist(), strides.tolist(), strict=True)
    ]
    data = {
        "starts": starts,
        "boxes": shown.boxes,
        "names": shown.names,
        "scores": shown.scores,
        "strides": strides,
    }
    return Stage("winners", title, text, view.tag(picture, shown, texts), data)


def distance_lines(
    points: Float[np.ndarray, "M 2"], boxes: Float[np.ndarray, "M 4"]
) -> Float[np.ndarray, "L 4"]:
    """Lines from each point to the left, upper, right and lower edge of its box, L = 4 M."""
    (x, y), (x1, y1, x2, y2) = points.T, boxes.T
    ends = [(x1, y), (x, y1), (x2, y), (x, y2)]
    return np.stack([np.stack([x, y, *end], axis=1) for end in ends], axis=1).reshape(-1, 4)


def stacked(levels: Sequence[Tensor]) -> Tensor:
    """The rows of all levels."""
    return torch.cat([level.float() for level in levels])
