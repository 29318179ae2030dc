"""Which labelled box each candidate box answers for, and which candidates are trained on."""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from boxmask.geometry import boxes as box

BACKGROUND, IGNORE = -1, -2
CROWD_COVERAGE = 0.5  # a candidate with this part of it in an ignored region is not taught to be background


def match(iou: Float[Tensor, "G N"], low: float, high: float, *, rescue: bool) -> Int[Tensor, "N"]:
    """Index of the ground truth of each candidate, or BACKGROUND (< low) or IGNORE (between).

    iou: (G, N) -> (N,). With `rescue`, the best candidates of every ground truth are kept although
    below `high`, ties too (Faster R-CNN, section 3.1.2, condition i).
    """
    if not iou.numel():
        return torch.full((iou.shape[1],), BACKGROUND, device=iou.device)
    best_iou, best = iou.max(dim=0)
    matched = best.clone()
    matched[best_iou < high] = IGNORE
    matched[best_iou < low] = BACKGROUND
    if rescue:
        top = iou.max(dim=1, keepdim=True).values
        rescued = ((iou == top) & (top > 0)).any(dim=0)
        matched[rescued] = best[rescued]
    return matched


def match_boxes(
    candidates: Float[Tensor, "N 4"],
    boxes: Float[Tensor, "G 4"],
    ignored: Bool[Tensor, "G"],
    thresholds: tuple[float, float],
    *,
    rescue: bool,
) -> Int[Tensor, "N"]:
    """Match candidates to the boxes that count; those inside ignored boxes are not background either.

    (N, 4), (G, 4), (G,) -> (N,): a row of `boxes`, BACKGROUND or IGNORE.
    """
    counted = torch.where(~ignored)[0]
    matched = match(box.iou(boxes[counted], candidates), *thresholds, rescue=rescue)
    if len(counted) < len(boxes):
        inside = (box.coverage(boxes[ignored], candidates) >= CROWD_COVERAGE).any(dim=0)
        matched[inside & (matched == BACKGROUND)] = IGNORE
    positive = matched >= 0
    matched[positive] = counted[matched[positive]]
    return matched


def sample(
    matched: Int[Tensor, "N"], count: int, positive_fraction: float, generator: torch.Generator | None = None
) -> tuple[Int[Tensor, "P"], Int[Tensor, "Q"]]:
    """Draw at most `count` candidates, at most `positive_fraction` of them positive: (N,) -> (P,), (Q,).

    Positives and negatives as rows of `matched`; the negatives fill what the positives leave.
    """
    positive = torch.where(matched >= 0)[0]
    negative = torch.where(matched == BACKGROUND)[0]
    num_positive = min(len(positive), int(count * positive_fraction))
    num_negative = min(len(negative), count - num_positive)
    return _draw(positive, num_positive, generator), _draw(negative, num_negative, generator)


def _draw(rows: Tensor, count: int, generator: torch.Generator | None) -> Tensor:
    """`count` of the rows at random, without repetition; the draw is made on the CPU on every device."""
    order = torch.randperm(len(rows), generator=generator)[:count]
    return rows[order.to(rows.device)]
