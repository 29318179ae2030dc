"""The second stage of R-CNN and its successors: scores and refined boxes of every proposal of a photo."""

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
from boxmask.explaining.photo_view import PhotoView, in_photo
from boxmask.geometry.boxes import clip, decode
from boxmask.messages import format_count
from boxmask.pipeline.images import Batch
from boxmask.types import Detections
from boxmask.visualization.bars import Bar, BarRow, draw_bars
from boxmask.visualization.style import PALETTE

NUM_ROWS = 6  # regions that are shown in detail
MAX_BARS = 6  # classes per region
GRAY = "#808080"


@dataclass(frozen=True, eq=False)
class Regions:
    """The proposals of one photo after the heads, P of them, and K classes.

    boxes:   (P, 4) proposals in pixels of the photo
    scores:  (P, K)
    refined: (P, K, 4) boxes after the regression of each class, in pixels of the photo
    """

    boxes: Float[np.ndarray, "P 4"]
    scores: Float[np.ndarray, "P K"]
    refined: Float[np.ndarray, "P K 4"]

    @staticmethod
    def of(boxes: Tensor, scores: Tensor, deltas: Tensor, batch: Batch) -> Regions:
        """From proposals (P, 4) in pixels of the resized photo, scores (P, K) and deltas (P, K, 4)."""
        num_classes = scores.shape[1]
        flat = decode(boxes.float().repeat_interleave(num_classes, 0), deltas.float().flatten(0, 1))
        refined = in_photo(clip(flat, batch.sizes[0]), batch)
        shape = (len(boxes), num_classes, 4)
        return Regions(in_photo(boxes, batch), scores.float().numpy(force=True), refined.reshape(shape))

    def origins(self, detections: Detections) -> Int[np.ndarray, " M"]:
        """The proposal that each detection came from."""
        return find_origins(detections, self.scores, self.refined)

    def examples(self, detections: Detections) -> list[int]:
        """Proposals to show in detail: those of the first detections, and others from first to last."""
        rows = list(dict.fromkeys(self.origins(detections[: NUM_ROWS - 2]).tolist()))
        best = np.argsort(-self.scores.max(axis=1, initial=0.0), kind="stable")
        if not rows:
            rows = best[: NUM_ROWS - 2].tolist()
        spread = np.linspace(0, len(best) - 1, 2 * NUM_ROWS).round().astype(int)[::-1]
        others = [row for row in best[spread].tolist() if row not in rows] if len(best) else []
        return [*rows, *dict.fromkeys(others)][:NUM_ROWS]


def class_bars(scores: Float[np.ndarray, " K"], class_names: Sequence[str]) -> tuple[Bar, ...]:
    """The classes with the highest values, highest first."""
    order = np.argsort(-scores, kind="stable")[:MAX_BARS].tolist()
    return tuple(
        Bar(class_names[label], float(scores[label]), PALETTE[label % len(PALETTE)]) for label in order
    )


def scores_stage(
    view: PhotoView,
    regions: Regions,
    rows: Sequence[int],
    class_names: Sequence[str],
    text: str,
    background: bool = True,
) -> Stage:
    """The class scores of some regions, as bars.

    background: whether the scores of the classes and of the background sum to 1
    """
    bar_rows = []
    for row in rows:
        bars = class_bars(regions.scores[row], class_names)
        if background:
            rest = max(0.0, 1.0 - float(regions.scores[row].sum()))
            bars = (*bars, Bar("(background)", rest, GRAY))
        bar_rows.append(BarRow((view.crop(regions.boxes[row]),), bars))
    data = {
        "boxes": regions.boxes,
        "scores": regions.scores,
        "class_names": list(class_names),
        "shown": np.array(rows, dtype=np.int64),
    }
    return Stage("scores", "Class scores", text, draw_bars(bar_rows, (0.0, 1.0)), data)


def refinement_stage(view: PhotoView, regions: Regions, winners: Detections, text: str) -> Stage:
    """The proposals behind the first detections (thin), and their boxes after the regression (thick)."""
    count = shown_count(view, winners)
    shown = winners[:count]
    rows = regions.origins(shown)
    before = regions.boxes[rows].reshape(-1, 4)
    picture = view.draw(before, list(range(count)))
    picture = view.draw(shown.boxes, list(range(count)), thick=True, on=picture)
    moved = np.abs(shown.boxes - before).max(axis=1) if count else np.zeros(0)
    if count:
        text += (
            f" The picture shows the proposals of {format_count(count, 'box')} (thin) and what became of "
            f"them (thick). Their edges moved by up to {float(moved.max()):.0f} pixels of the photo."
        )
    data = {
        "rows": rows,
        "before": before,
        "after": shown.boxes,
        "names": shown.names,
        "scores": shown.scores,
    }
    return Stage("box-regression", "Box regression", text, picture, data)


def split_scores(class_logits: Tensor) -> Tensor:
    """Logits (P, K + 1), background last -> scores (P, K)."""
    return torch.softmax(class_logits.float(), dim=1)[:, :-1]
