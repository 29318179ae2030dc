"""Matching of candidate boxes (anchors or proposals) to ground truth."""

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from boxmask.geometry import boxes as box
from boxmask.geometry.chunks import rows_per_chunk

BACKGROUND, IGNORE = -1, -2
CANDIDATES_PER_CHUNK = 16384  # on a CPU; with 300 ground-truth boxes, each matrix takes 20 MB
CROWD_COVERAGE = 0.5  # a candidate that ignored regions cover to this fraction is not trained as background


def match(
    iou: Float[Tensor, "*B G N"], low: float, high: float, best_iou: Float[Tensor, "*B G"] | None = None
) -> Int[Tensor, "*B N"]:
    """Return the ground truth that each candidate overlaps most: (G, N) -> (N,), a row of `iou`.

    Any dimensions before are those of a batch.

    A candidate is BACKGROUND if its highest IoU is below `low`, and IGNORE if it is below `high`.

    best_iou: (G,) the highest IoU that any candidate has with each ground truth. If given, the candidates
              that reach it are matched even below `high`, ties included (Faster R-CNN, section 3.1.2,
              condition i).
    """
    if not iou.numel():
        return torch.full((*iou.shape[:-2], iou.shape[-1]), BACKGROUND, device=iou.device)
    highest, row = iou.max(dim=-2)
    matched = row.masked_fill(highest < high, IGNORE).masked_fill_(highest < low, BACKGROUND)
    if best_iou is not None:
        is_best = ((iou == best_iou[..., None]) & (iou > 0)).any(dim=-2)
        matched = torch.where(is_best, row, matched)
    return matched


def match_boxes(
    candidates: Float[Tensor, "N 4"],
    boxes: Float[Tensor, "G 4"],
    ignored: Bool[Tensor, " G"] | None,
    thresholds: tuple[float, float],
    *,
    allow_low_quality: bool,
) -> Int[Tensor, " N"]:
    """Match candidates to ground-truth boxes: (N, 4), (G, 4), (G,) -> (N,), a row of `boxes`.

    Candidates are matched only to boxes that are not ignored, by `match` with `thresholds` (low, high). A
    candidate inside an ignored box is IGNORE instead of BACKGROUND. The (G, N) matrix is computed in chunks
    of columns.

    ignored:           None if no box is ignored, for which the host need not ask a GPU
    allow_low_quality: match each box to its best candidates however low their IoU; with several chunks, this
                       computes every IoU twice
    """
    counted = boxes if ignored is None else boxes[~ignored]
    chunks = candidates.split(rows_per_chunk(candidates, CANDIDATES_PER_CHUNK, len(boxes)))
    low_quality = allow_low_quality and len(counted) > 0 and len(candidates) > 0
    matched = _match_chunks(counted, chunks, thresholds, low_quality=low_quality)
    if ignored is None or len(counted) == len(boxes):
        return matched
    in_crowd = torch.cat([_in_crowd(boxes[ignored], chunk) for chunk in chunks])
    matched[in_crowd & (matched == BACKGROUND)] = IGNORE
    rows = torch.where(~ignored)[0]
    return torch.where(matched >= 0, rows[matched.clamp(min=0)], matched) if len(rows) else matched


def match_each(
    candidates: Sequence[Float[Tensor, "N 4"]],
    boxes: Sequence[Float[Tensor, "G 4"]],
    ignored: Sequence[Bool[Tensor, " G"] | None],
    thresholds: tuple[float, float],
    *,
    allow_low_quality: bool,
) -> list[Int[Tensor, " N"]]:
    """`match_boxes` of each photo of a batch: B x (N, 4), B x (G, 4), B x (G,) -> B x (N,).

    A GPU matches all photos at once, unless boxes are ignored.
    """
    if candidates[0].device.type == "cpu" or any(flags is not None for flags in ignored):
        photos = zip(candidates, boxes, ignored, strict=True)
        return [match_boxes(*photo, thresholds, allow_low_quality=allow_low_quality) for photo in photos]
    shared = all(photo is candidates[0] for photo in candidates)
    in_batch, truth = candidates[0] if shared else box.pad(candidates), box.pad(boxes)
    rows = rows_per_chunk(in_batch, CANDIDATES_PER_CHUNK, truth[..., 0].numel())
    low_quality = allow_low_quality and truth.shape[1] > 0
    matched = _match_chunks(truth, in_batch.split(rows, dim=-2), thresholds, low_quality=low_quality)
    return [row[: len(photo)] for row, photo in zip(matched, candidates, strict=True)]


def _match_chunks(
    boxes: Float[Tensor, "*B G 4"],
    chunks: tuple[Tensor, ...],
    thresholds: tuple[float, float],
    *,
    low_quality: bool,
) -> Int[Tensor, "*B N"]:
    """Match the candidates of all chunks to boxes that are not ignored."""
    if len(chunks) == 1:
        iou = box.iou(boxes, chunks[0])
        return match(iou, *thresholds, iou.amax(dim=-1) if low_quality else None)
    best = None
    if low_quality:
        best = torch.stack([box.iou(boxes, chunk).amax(dim=-1) for chunk in chunks]).amax(dim=0)
    return torch.cat([match(box.iou(boxes, chunk), *thresholds, best) for chunk in chunks], dim=-1)


def _in_crowd(ignored: Float[Tensor, "G 4"], candidates: Float[Tensor, "N 4"]) -> Bool[Tensor, " N"]:
    return (box.coverage(ignored, candidates) >= CROWD_COVERAGE).any(dim=0)
