"""How well the class of every pixel is told: cross-entropy, and two that look at whole regions.

Dice:           Milletari, Navab, Ahmadi 2016 (V-Net, arXiv:1606.04797), section 3.
Lovász-softmax: Berman, Rannen Triki, Blaschko 2018 (arXiv:1705.08790).

Pixels labeled IGNORED count for nothing. Where there is no other pixel, every loss is zero, and so is its
gradient. K classes, N pixels that count.
"""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor
from torch.nn import functional as F

from boxmask.errors import UsageError
from boxmask.masks import nearest_indices
from boxmask.pipeline.images import Batch, Size
from boxmask.types import IGNORED, SegmentationTarget

REGION_LOSSES = ("none", "dice", "lovasz")
SORTED_PIXELS = 2**16  # the most that the Lovász loss sorts; an IoU is told by far fewer


def check_losses(config: Any) -> None:
    """Raise UsageError where `class_weights` or `region_loss` of a segmenter's config cannot be meant."""
    weights, classes = config.class_weights, len(config.class_names)
    if weights and (len(weights) != classes or min(weights) < 0 or not any(weights)):
        expected = f"{classes} numbers, none below zero and not all zero, one a class ({config.class_names})"
        raise UsageError(f"class_weights: expected {expected}, found {weights}")
    if config.region_loss not in REGION_LOSSES:
        raise UsageError(f"region_loss {config.region_loss!r}: expected one of {', '.join(REGION_LOSSES)}")
    if not 0 < classes <= IGNORED:
        raise UsageError(f"class_names: expected 1 to {IGNORED} of them, found {classes}")


def pixel_losses(
    logits: Float[Tensor, "B K H W"],
    labels: UInt8[Tensor, "B H W"],
    config: Any,
    pixel_weights: Float[Tensor, "B H W"] | None = None,
) -> dict[str, Tensor]:
    """The terms that `class_weights` and `region_loss` of a segmenter's config ask for."""
    losses = {"pixel_class": cross_entropy(logits, labels, _weights(config, logits), pixel_weights)}
    if config.region_loss != "none":
        of_regions = dice_loss if config.region_loss == "dice" else lovasz_softmax
        losses["pixel_region"] = of_regions(logits, labels)
    return losses


def auxiliary_loss(
    logits: Float[Tensor, "B K H W"], labels: UInt8[Tensor, "B H W"], config: Any
) -> dict[str, Tensor]:
    """That of a second head on an earlier map, which helps the layers below it to learn.

    Zhao et al. 2017 (PSPNet, arXiv:1612.01105), section 3.3.
    """
    loss = cross_entropy(logits, labels, _weights(config, logits))
    return {"auxiliary_class": config.auxiliary * loss}


def _weights(config: Any, logits: Tensor) -> Float[Tensor, " K"] | None:
    return torch.tensor(config.class_weights, device=logits.device) if config.class_weights else None


# ---------------------------------------------------------------- labels


def labels_of_batch(targets: list[SegmentationTarget], batch: Batch, classes: int) -> UInt8[Tensor, "B H W"]:
    """The photos' labels at the size that the photos have in the batch, IGNORED in the padding.

    Each pixel has the label of the one under its center. Raises ValueError where labels and photo are not
    of one size, or a label is of no class.
    """
    height, width = batch.pixels.shape[-2:]
    device = batch.pixels.device
    labels = torch.full((len(targets), height, width), IGNORED, dtype=torch.uint8, device=device)
    sizes = zip(batch.original_sizes, batch.sizes, strict=True)
    for slot, target, (given, wanted) in zip(labels, targets, sizes, strict=True):
        _check(target.labels, given, classes)
        slot[: wanted[0], : wanted[1]] = resized(target.labels, wanted).to(device)
    return labels


def resized(labels: UInt8[Tensor, "H W"], size: Size) -> UInt8[Tensor, "h w"]:
    """Labels at another size: each new pixel has that of the old one under its center."""
    if tuple(labels.shape) == size:
        return labels
    rows, columns = (
        torch.from_numpy(nearest_indices(*sides)) for sides in zip(labels.shape, size, strict=True)
    )
    return labels[rows.to(labels.device)[:, None], columns.to(labels.device)]


def _check(labels: Tensor, size: Size, classes: int) -> None:
    if tuple(labels.shape) != size:
        raise ValueError(f"labels: expected the photo's size {size}, found {tuple(labels.shape)}")
    counted = labels[labels != IGNORED]
    if counted.numel() and int(counted.max()) >= classes:
        expected = f"0..{classes - 1} or {IGNORED}"
        raise ValueError(f"labels: expected {expected}, found {int(counted.max())}")


# ---------------------------------------------------------------- losses


def cross_entropy(
    logits: Float[Tensor, "B K H W"],
    labels: UInt8[Tensor, "B H W"],
    class_weights: Float[Tensor, " K"] | None = None,
    pixel_weights: Float[Tensor, "B H W"] | None = None,
) -> Float[Tensor, ""]:
    """-log softmax(logits)[label], the mean over all pixels that count, weighted where weights are given."""
    logits, answers = logits.float(), labels.long()
    counted = labels != IGNORED
    if class_weights is None and pixel_weights is None:
        total = F.cross_entropy(logits, answers, ignore_index=IGNORED, reduction="sum")
        return total / counted.sum().clamp(min=1)
    weights = counted.float() if pixel_weights is None else counted * pixel_weights
    if class_weights is not None:
        weights = weights * class_weights[answers.where(counted, 0)]
    each = F.cross_entropy(logits, answers, ignore_index=IGNORED, reduction="none")
    return (each * weights).sum() / weights.sum().clamp(min=torch.finfo(torch.float32).eps)


def dice_loss(logits: Float[Tensor, "B K H W"], labels: UInt8[Tensor, "B H W"]) -> Float[Tensor, ""]:
    """1 - 2 sum(p g) / (sum(p^2) + sum(g^2)), the mean of the classes that occur in the batch.

    p is what softmax gives a class at a pixel, g whether the pixel is of it.
    """
    scores, answers = _counted(logits, labels)
    truth = F.one_hot(answers, scores.shape[1]).to(scores.dtype)
    overlap, sizes = (scores * truth).sum(0), (scores**2).sum(0) + truth.sum(0)
    occurs = truth.any(0)
    lost: Tensor = (1 - 2 * overlap / sizes.clamp(min=1)) * occurs
    return lost.sum() / occurs.sum().clamp(min=1)


def lovasz_softmax(logits: Float[Tensor, "B K H W"], labels: UInt8[Tensor, "B H W"]) -> Float[Tensor, ""]:
    """1 - IoU, made continuous by its Lovász extension, the mean of the classes that occur in the batch.

    Of a batch with more than SORTED_PIXELS pixels every second, third... one is looked at.
    """
    scores, answers = _counted(logits, labels, SORTED_PIXELS)
    present = answers.unique()
    truth = (answers == present[:, None]).float()
    errors, order = (truth - scores.T[present]).abs().sort(dim=1, descending=True)
    total: Tensor = (errors * _jaccard_steps(truth.gather(1, order))).sum()
    return total / max(1, len(present))


def _jaccard_steps(truth: Float[Tensor, "C N"]) -> Float[Tensor, "C N"]:
    """By how much each further error raises 1 - IoU of its class, worst error first.

    If the first n pixels are wrong, those of the class among them are lost, and the others join the union.
    """
    size = truth.sum(1, keepdim=True)
    lost, added = truth.cumsum(1), (1 - truth).cumsum(1)
    jaccard = 1 - (size - lost) / (size + added)
    return jaccard.diff(dim=1, prepend=jaccard.new_zeros(len(jaccard), 1))


def _counted(
    logits: Tensor, labels: Tensor, most: int | None = None
) -> tuple[Float[Tensor, "N K"], Int[Tensor, " N"]]:
    """Scores and labels of the pixels that count, evenly thinned to at most so many."""
    rows = torch.where(labels.flatten() != IGNORED)[0]
    if most is not None:
        rows = rows[:: -(-max(1, len(rows)) // most)]
    flat = logits.permute(0, 2, 3, 1).flatten(0, 2)
    return flat[rows].float().softmax(dim=1), labels.flatten()[rows].long()
