"""Compare the detections of a file with those of its model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from boxmask.exporting.parity.differences import Differences

MAX_BOX, MAX_SCORE, MIN_MASK_IOU = 0.1, 1e-3, 0.99
FEW_PIXELS = 2  # of a mask, which differ at the threshold: the IoU of a tiny mask falls by much


@dataclass(frozen=True)
class Objects:
    """The N objects of one photo. masks: (N, H, W) bool, or None."""

    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    labels: NDArray[np.int64]
    masks: NDArray[np.bool_] | None = None


def from_model(detections: Any) -> Objects:
    """The result of a detector."""
    return Objects(
        np.asarray(detections.boxes),
        np.asarray(detections.scores),
        np.asarray(detections.labels),
        None if detections.masks is None else detections.masks.dense(),
    )


def from_file(outputs: dict[str, Any], row: int, size: tuple[int, int]) -> Objects:
    """The objects of one photo of a batch, from the outputs of a file."""
    rows = rows_of(outputs, row)
    masks = outputs["masks"][rows, : size[0], : size[1]] if "masks" in outputs else None
    boxes, scores, labels = (outputs[name][rows] for name in ("boxes", "scores", "labels"))
    return Objects(boxes, scores, labels, masks)


def rows_of(outputs: dict[str, Any], photo: int) -> slice:
    """The rows of the outputs that belong to a photo of a batch."""
    counts = outputs["counts"]
    return slice(int(counts[:photo].sum()), int(counts[: photo + 1].sum()))


def compare(expected: Objects, found: Objects, config: Any) -> Differences:
    """Match the objects of both, then measure the largest differences.

    An object without a counterpart is a mismatch, except for near-ties: a score at the threshold, or at that
    of the last of as many detections as a photo may have.
    """
    pairs = match(expected, found)
    boxes = [np.abs(expected.boxes[i] - found.boxes[j]).max() for i, j in pairs]
    scores = [abs(float(expected.scores[i] - found.scores[j])) for i, j in pairs]
    missing = set(range(len(expected.scores))) - {i for i, _ in pairs}
    extra = set(range(len(found.scores))) - {j for _, j in pairs}
    limits = [config.score_threshold]
    if len(expected.scores) >= config.detections_per_image:
        limits.append(float(expected.scores[-1]))
    lone = [*expected.scores[sorted(missing)], *found.scores[sorted(extra)]]
    alone = sum(min(abs(float(score) - limit) for limit in limits) > MAX_SCORE for score in lone)
    return Differences(
        compared=len(expected.scores),
        box=float(max(boxes, default=0.0)),
        score=max(scores, default=0.0),
        mask_iou=mask_iou(expected, found, pairs, 2 * getattr(config, "mask_pool_size", 0)),
        mismatches=alone,
    )


def match(expected: Objects, found: Objects) -> list[tuple[int, int]]:
    """Pairs of equal objects: the same label, and the nearest box and score within the limits."""
    free, pairs = np.ones(len(found.scores), dtype=np.bool_), []
    for i, (box, score, label) in enumerate(
        zip(expected.boxes, expected.scores, expected.labels, strict=True)
    ):
        if not len(free):
            break
        apart = np.maximum(
            np.abs(found.boxes - box).max(axis=1) / MAX_BOX, np.abs(found.scores - score) / MAX_SCORE
        )
        apart[~free | (found.labels != label)] = np.inf
        j = int(apart.argmin())
        if apart[j] <= 1:
            free[j] = False
            pairs.append((i, j))
    return pairs


def mask_iou(expected: Objects, found: Objects, pairs: list[tuple[int, int]], cells: int) -> float:
    """The lowest IoU of the masks of a pair; 1 without masks.

    Pairs whose boxes cover different whole pixels, by the last digits, are left out: all of the mask moves.

    cells: of the mask branch's map along each axis
    """
    if expected.masks is None or found.masks is None:
        return 1.0
    ious = [1.0]
    for i, j in pairs:
        a, b = expected.masks[i], found.masks[j]
        if not np.array_equal(pixel_span(expected.boxes[i], cells), pixel_span(found.boxes[j], cells)):
            continue
        if (a != b).sum() > FEW_PIXELS:
            ious.append(float((a & b).sum() / (a | b).sum()))
    return min(ious)


def pixel_span(box: NDArray[np.float32], cells: int) -> NDArray[np.int64]:
    """The first and last pixels that a mask is resized to; see `boxmask.kernels.masks.paste_masks`."""
    half = (box[2:] - box[:2]) * np.float32(0.5) * np.float32((cells + 2) / cells)
    middle = (box[2:] + box[:2]) * np.float32(0.5)
    return np.concatenate([middle - half, middle + half]).astype(np.int64)
