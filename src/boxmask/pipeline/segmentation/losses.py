"""Losses of segmenters: cross-entropy per pixel, and two region losses.

Dice:           Milletari, Navab, Ahmadi 2016 (V-Net, arXiv:1606.04797), section 3.
Lovász-softmax: Berman, Rannen Triki, Blaschko 2018 (arXiv:1705.08790).

Pixels labeled IGNORED are left out. If no other pixel remains, every loss and its gradient are zero.
Shapes: B images, K classes, N labeled pixels.
"""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor
from torch.nn import functional as F

from boxmask.errors import UsageError
from boxmask.masks import nearest_indices
from boxmask.pipeline.images import Batch, Size, spatial_size
from boxmask.pipeline.segmentation.blocks import upsample
from boxmask.types import IGNORED, SegmentationTarget

REGION_LOSSES = ("none", "dice", "lovasz")
MAX_SORTED_PIXELS = 2**16  # that the Lovász loss sorts; far fewer are enough to estimate an IoU


def check_losses(config: Any) -> None:
    """Raise UsageError if class_weights, region_loss or class_names of a segmenter's config is invalid."""
    weights, num_classes = config.class_weights, len(config.class_names)
    if weights and (len(weights) != num_classes or min(weights) < 0 or not any(weights)):
        expected = f"{num_classes} weights, one per class {config.class_names}, 0 or more and not all 0"
        raise UsageError(f"class_weights: expected {expected}; found {weights}")
    if config.region_loss not in REGION_LOSSES:
        raise UsageError(f"region_loss {config.region_loss!r}: expected one of {', '.join(REGION_LOSSES)}")
    if not 0 < num_classes <= IGNORED:
        raise UsageError(f"class_names: expected 1 to {IGNORED} names, found {num_classes}")


def segmentation_losses(
    logits: Float[Tensor, "B K H W"],
    labels: UInt8[Tensor, "B H W"],
    config: Any,
    extra_weights: Float[Tensor, "B H W"] | None = None,
    auxiliary_logits: Float[Tensor, "B K h w"] | None = None,
) -> dict[str, Tensor]:
    """The losses that a segmenter's config asks for: pixel_class, pixel_region, auxiliary_class.

    extra_weights:    added to the class weight of each pixel in the cross-entropy
    auxiliary_logits: of a second head on an earlier map. Its cross-entropy, weighted by the config's
                      `auxiliary`, helps the layers before it to learn (Zhao et al. 2017, PSPNet,
                      arXiv:1612.01105, section 3.3)
    """
    weights = torch.tensor(config.class_weights, device=logits.device) if config.class_weights else None
    losses = {"pixel_class": cross_entropy(logits, labels, weights, extra_weights)}
    if config.region_loss != "none":
        region_loss = dice_loss if config.region_loss == "dice" else lovasz_softmax
        losses["pixel_region"] = region_loss(logits, labels)
    if auxiliary_logits is not None:
        upsampled = upsample(auxiliary_logits, spatial_size(labels))
        losses["auxiliary_class"] = config.auxiliary * cross_entropy(upsampled, labels, weights)
    return losses


# ---------------------------------------------------------------- labels


def batch_labels(targets: list[SegmentationTarget], batch: Batch, num_classes: int) -> UInt8[Tensor, "B H W"]:
    """Resize the labels like the photos of the batch; the padding is IGNORED.

    Each pixel takes the label of the pixel under its center. Raises ValueError if labels and photo differ in
    size, or a label is not 0..K-1 or IGNORED.
    """
    height, width = batch.pixels.shape[-2:]
    device = batch.pixels.device
    labels = torch.full((len(targets), height, width), IGNORED, dtype=torch.uint8, device=device)
    sizes = zip(batch.original_sizes, batch.sizes, strict=True)
    for image_labels, target, (original, (h, w)) in zip(labels, targets, sizes, strict=True):
        _check_labels(target.labels, original, num_classes)
        image_labels[:h, :w] = resize_labels(target.labels, (h, w)).to(device)
    return labels


def resize_labels(labels: UInt8[Tensor, "H W"], size: Size) -> UInt8[Tensor, "h w"]:
    """Nearest-neighbor resize: each new pixel takes the label of the old pixel under its center."""
    if tuple(labels.shape) == size:
        return labels
    rows, columns = (
        torch.from_numpy(nearest_indices(*sides)) for sides in zip(labels.shape, size, strict=True)
    )
    return labels[rows.to(labels.device)[:, None], columns.to(labels.device)]


def _check_labels(labels: Tensor, size: Size, num_classes: int) -> None:
    if tuple(labels.shape) != size:
        raise ValueError(f"labels: expected the photo's size {size}, found {tuple(labels.shape)}")
    valid = labels[labels != IGNORED]
    if valid.numel() and int(valid.max()) >= num_classes:
        raise ValueError(f"labels: expected 0..{num_classes - 1} or {IGNORED}, found {int(valid.max())}")


# ---------------------------------------------------------------- losses


def cross_entropy(
    logits: Float[Tensor, "B K H W"],
    labels: UInt8[Tensor, "B H W"],
    class_weights: Float[Tensor, " K"] | None = None,
    extra_weights: Float[Tensor, "B H W"] | None = None,
) -> Float[Tensor, ""]:
    """-log softmax(logits)[label]: the weighted mean over all labeled pixels.

    The weight of a pixel is that of its class, by default 1, plus its extra weight (U-Net, equation 2).
    """
    logits, classes = logits.float(), labels.long()
    valid = labels != IGNORED
    if class_weights is None and extra_weights is None:
        total = F.cross_entropy(logits, classes, ignore_index=IGNORED, reduction="sum")
        return total / valid.sum().clamp(min=1)
    weights = torch.ones_like(valid, dtype=logits.dtype)
    if class_weights is not None:
        weights = class_weights[classes.where(valid, 0)]
    if extra_weights is not None:
        weights = weights + extra_weights
    weights = weights * valid
    per_pixel = F.cross_entropy(logits, classes, ignore_index=IGNORED, reduction="none")
    return (per_pixel * weights).sum() / weights.sum().clamp(min=torch.finfo(torch.float32).eps)


def dice_loss(logits: Float[Tensor, "B K H W"], labels: UInt8[Tensor, "B H W"]) -> Float[Tensor, ""]:
    """1 - 2 sum(p g) / (sum(p^2) + sum(g^2)), the mean over the classes present in the batch.

    p is the softmax score of a class at a pixel, g is 1 if the pixel is labeled with the class, else 0.
    """
    scores, classes = _labeled_pixels(logits, labels)
    truth = F.one_hot(classes, scores.shape[1]).to(scores.dtype)
    overlap, sizes = (scores * truth).sum(0), (scores**2).sum(0) + truth.sum(0)
    present = truth.any(0)
    per_class: Tensor = (1 - 2 * overlap / sizes.clamp(min=1)) * present
    return per_class.sum() / present.sum().clamp(min=1)


def lovasz_softmax(logits: Float[Tensor, "B K H W"], labels: UInt8[Tensor, "B H W"]) -> Float[Tensor, ""]:
    """The Lovász extension of 1 - IoU, the mean over the classes present in the batch.

    A batch with more than MAX_SORTED_PIXELS labeled pixels is thinned to every second, third ... pixel.
    """
    scores, classes = _labeled_pixels(logits, labels, MAX_SORTED_PIXELS)
    present = classes.unique()
    truth = (classes == present[:, None]).float()
    errors, order = (truth - scores.T[present]).abs().sort(dim=1, descending=True)
    total: Tensor = (errors * _jaccard_steps(truth.gather(1, order))).sum()
    return total / max(1, len(present))


def _jaccard_steps(truth: Float[Tensor, "C N"]) -> Float[Tensor, "C N"]:
    """How much each pixel, largest error first, raises 1 - IoU of a class if it is wrong as well.

    Wrong pixels of the class leave the intersection; wrong pixels of other classes enter the union.
    """
    size = truth.sum(1, keepdim=True)
    missed, added = truth.cumsum(1), (1 - truth).cumsum(1)
    jaccard_loss = 1 - (size - missed) / (size + added)
    return jaccard_loss.diff(dim=1, prepend=jaccard_loss.new_zeros(len(jaccard_loss), 1))


def _labeled_pixels(
    logits: Tensor, labels: Tensor, max_pixels: int | None = None
) -> tuple[Float[Tensor, "N K"], Int[Tensor, " N"]]:
    """Scores and labels of the labeled pixels, evenly thinned to at most `max_pixels`."""
    indices = torch.where(labels.flatten() != IGNORED)[0]
    if max_pixels is not None:
        indices = indices[:: -(-max(1, len(indices)) // max_pixels)]
    flat = logits.permute(0, 2, 3, 1).flatten(0, 2)
    return flat[indices].float().softmax(dim=1), labels.flatten()[indices].long()
