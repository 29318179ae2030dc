"""Matching of candidate boxes (anchors or proposals) to ground truth, and sampling of them for training."""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from boxmask.geometry import boxes as box
from boxmask.geometry.chunks import rows_per_chunk

BACKGROUND, IGNORE = -1, -2
CANDIDATES_PER_CHUNK = 16384  # on a CPU; with 300 ground-truth boxes, each matrix takes 20 MB
ROWS_PER_DRAW = 16  # up to this many rows per sampled one, a full shuffle is faster
CROWD_COVERAGE = 0.5  # a candidate that ignored regions cover to this fraction is not trained as background


def match(
    iou: Float[Tensor, "G N"], low: float, high: float, best_iou: Float[Tensor, " G"] | None = None
) -> Int[Tensor, " N"]:
    """Return the ground truth that each candidate overlaps most: (G, N) -> (N,), a row of `iou`.

    A candidate is BACKGROUND if its highest IoU is below `low`, and IGNORE if it is below `high`.

    best_iou: (G,) the highest IoU that any candidate has with each ground truth. If given, the candidates
              that reach it are matched even below `high`, ties included (Faster R-CNN, section 3.1.2,
              condition i).
    """
    if not iou.numel():
        return torch.full((iou.shape[1],), BACKGROUND, device=iou.device)
    highest, row = iou.max(dim=0)
    matched = row.masked_fill(highest < high, IGNORE).masked_fill_(highest < low, BACKGROUND)
    if best_iou is not None:
        is_best = ((iou == best_iou[:, None]) & (iou > 0)).any(dim=0)
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


def _match_chunks(
    boxes: Float[Tensor, "G 4"],
    chunks: tuple[Tensor, ...],
    thresholds: tuple[float, float],
    *,
    low_quality: bool,
) -> Int[Tensor, " N"]:
    """Match the candidates of all chunks to boxes that are not ignored."""
    if len(chunks) == 1:
        iou = box.iou(boxes, chunks[0])
        return match(iou, *thresholds, iou.amax(dim=1) if low_quality else None)
    best = None
    if low_quality:
        best = torch.stack([box.iou(boxes, chunk).amax(dim=1) for chunk in chunks]).amax(dim=0)
    return torch.cat([match(box.iou(boxes, chunk), *thresholds, best) for chunk in chunks])


def _in_crowd(ignored: Float[Tensor, "G 4"], candidates: Float[Tensor, "N 4"]) -> Bool[Tensor, " N"]:
    return (box.coverage(ignored, candidates) >= CROWD_COVERAGE).any(dim=0)


def sample(
    matched: Int[Tensor, " N"], count: int, positive_fraction: float, generator: torch.Generator | None = None
) -> tuple[Int[Tensor, " P"], Int[Tensor, " Q"]]:
    """Sample at most `count` candidates at random: (N,) -> (P,) positives, (Q,) negatives; rows of `matched`.

    At most `positive_fraction` of `count` are positive; the rest are negative.
    """
    positive = torch.where(matched >= 0)[0]
    negative = torch.where(matched == BACKGROUND)[0]
    num_positive = min(len(positive), int(count * positive_fraction))
    num_negative = min(len(negative), count - num_positive)
    return sample_rows(positive, num_positive, generator), sample_rows(negative, num_negative, generator)


def sample_rows(rows: Tensor, count: int, generator: torch.Generator | None = None) -> Tensor:
    """Sample `count` of the rows without replacement.

    Random numbers are generated on the CPU, so that every device gives the same sample.
    """
    many = len(rows) > ROWS_PER_DRAW * count
    if many:
        order = first_of_shuffle(len(rows), count, generator)
    else:
        order = torch.randperm(len(rows), generator=generator)[:count]
    return rows[order.to(rows.device, non_blocking=True)]


def first_of_shuffle(length: int, count: int, generator: torch.Generator | None = None) -> Int[Tensor, " C"]:
    """The first `count` of the numbers 0 to `length` - 1 in random order.

    Shuffling 150,000 anchors to sample 256 takes as long as a hundred launches of a kernel. This takes the
    first `count` steps of Fisher and Yates' shuffle: step n swaps the number at n with one at or after n.
    """
    draws = torch.randint(2**62, (count,), generator=generator)
    places = (torch.arange(count) + draws % torch.arange(length, length - count, -1)).tolist()
    moved: dict[int, int] = {}
    order = []
    for step, place in enumerate(places):
        order.append(moved.get(place, place))
        moved[place] = moved.get(step, step)
    return torch.tensor(order, dtype=torch.int64)
