"""Which labeled box each candidate box answers for, and which candidates are trained on."""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from boxmask.geometry import boxes as box

BACKGROUND, IGNORE = -1, -2
CANDIDATES_AT_ONCE = 16384  # matched; with 300 boxes that is 20 MB a matrix
CROWD_COVERAGE = 0.5  # a candidate with this part of it in an ignored region is not taught to be background


def match(
    iou: Float[Tensor, "G N"], low: float, high: float, rescued: Float[Tensor, " G"] | None = None
) -> Int[Tensor, " N"]:
    """Index of the ground truth of each candidate, or BACKGROUND (< low) or IGNORE (between).

    iou: (G, N) -> (N,). `rescued` is the best IoU of every ground truth: candidates that reach it are kept
    although below `high`, ties too (Faster R-CNN, section 3.1.2, condition i).
    """
    if not iou.numel():
        return torch.full((iou.shape[1],), BACKGROUND, device=iou.device)
    best_iou, best = iou.max(dim=0)
    matched = best.clone()
    matched[best_iou < high] = IGNORE
    matched[best_iou < low] = BACKGROUND
    if rescued is not None:
        reached = ((iou == rescued[:, None]) & (iou > 0)).any(dim=0)
        matched[reached] = best[reached]
    return matched


def match_boxes(
    candidates: Float[Tensor, "N 4"],
    boxes: Float[Tensor, "G 4"],
    ignored: Bool[Tensor, " G"],
    thresholds: tuple[float, float],
    *,
    rescue: bool,
) -> Int[Tensor, " N"]:
    """Match candidates to the boxes that count; those inside ignored boxes are not background either.

    (N, 4), (G, 4), (G,) -> (N,): a row of `boxes`, BACKGROUND or IGNORE. With `rescue`, each box keeps its
    best candidates, however low their IoU; every IoU is then computed twice. No more than
    CANDIDATES_AT_ONCE columns of the (G, N) matrix are held at a time.
    """
    counted = torch.where(~ignored)[0]
    parts = candidates.split(CANDIDATES_AT_ONCE)
    top = _best_iou(boxes[counted], parts) if rescue and len(counted) and len(candidates) else None
    matched = torch.cat([match(box.iou(boxes[counted], part), *thresholds, top) for part in parts])
    if len(counted) < len(boxes):
        inside = torch.cat([_in_crowd(boxes[ignored], part) for part in parts])
        matched[inside & (matched == BACKGROUND)] = IGNORE
    positive = matched >= 0
    matched[positive] = counted[matched[positive]]
    return matched


def _best_iou(boxes: Float[Tensor, "G 4"], parts: tuple[Tensor, ...]) -> Float[Tensor, " G"]:
    """The highest IoU that any candidate has with each box."""
    return torch.stack([box.iou(boxes, part).amax(dim=1) for part in parts]).amax(dim=0)


def _in_crowd(ignored: Float[Tensor, "G 4"], candidates: Float[Tensor, "N 4"]) -> Bool[Tensor, " N"]:
    return (box.coverage(ignored, candidates) >= CROWD_COVERAGE).any(dim=0)


def sample(
    matched: Int[Tensor, " N"], count: int, positive_fraction: float, generator: torch.Generator | None = None
) -> tuple[Int[Tensor, " P"], Int[Tensor, " Q"]]:
    """Draw at most `count` candidates, at most `positive_fraction` of them positive: (N,) -> (P,), (Q,).

    Positives and negatives as rows of `matched`; the negatives fill what the positives leave.
    """
    positive = torch.where(matched >= 0)[0]
    negative = torch.where(matched == BACKGROUND)[0]
    num_positive = min(len(positive), int(count * positive_fraction))
    num_negative = min(len(negative), count - num_positive)
    return draw(positive, num_positive, generator), draw(negative, num_negative, generator)


def draw(rows: Tensor, count: int, generator: torch.Generator | None = None) -> Tensor:
    """`count` of the rows at random, without repetition; the draw is made on the CPU on every device."""
    order = torch.randperm(len(rows), generator=generator)[:count]
    return rows[order.to(rows.device)]
