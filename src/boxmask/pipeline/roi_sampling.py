"""The RoIs that a two-stage detector learns from, and what it should predict at each.

Fast R-CNN (Girshick 2015, arXiv:1504.08083), section 2.3, which Faster and Mask R-CNN take over.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional as F

from boxmask.geometry.boxes import encode
from boxmask.geometry.matching import BACKGROUND, IGNORE, match_boxes, sample
from boxmask.types import Target


class RoiSampling(NamedTuple):
    """How to sample RoIs for the loss.

    iou:               (low, high): an RoI is an object from IoU `high` on, background from `low` to `high`
    samples:           RoIs per photo
    positive_fraction: largest fraction of them that are objects
    background_label:  label of RoIs without an object, K
    """

    iou: tuple[float, float]
    samples: int
    positive_fraction: float
    background_label: int


class SampledRois(NamedTuple):
    """The RoIs of the loss and their targets.

    boxes:   of each photo, B x (S, 4)
    labels:  0..K-1, or K for background
    deltas:  from each RoI to its object; zeros for background
    objects: the row of the object in its photo's target, or BACKGROUND
    """

    boxes: list[Float[Tensor, "S 4"]]
    labels: Int[Tensor, " R"]
    deltas: Float[Tensor, "R 4"]
    objects: Int[Tensor, " R"]


@torch.no_grad()
def sample_rois(proposals: list[Tensor], targets: list[Target], sampling: RoiSampling) -> SampledRois:
    """Sample RoIs from the proposals of each photo, objects first.

    The ground truth is added to the proposals, so that there are objects early on (the authors' code).
    """
    boxes, labels, objects, pairs, counts = [], [], [], [], []
    for proposed, target in zip(proposals, targets, strict=True):
        candidates = torch.cat([proposed, target.counted_boxes])
        matched = match_rois(candidates, target, sampling.iou)
        positive, negative = sample(matched, sampling.samples, sampling.positive_fraction)
        rows = matched[positive]
        background = torch.full_like(negative, sampling.background_label)
        boxes.append(candidates[torch.cat([positive, negative])])
        labels.append(torch.cat([target.labels[rows], background]))
        pairs.append((candidates[positive], target.boxes[rows]))
        counts.append((len(positive), len(negative)))
        objects.append(torch.cat([rows, torch.full_like(negative, BACKGROUND)]))
    regions, their_objects = (torch.cat(column) for column in zip(*pairs, strict=True))
    to_object = encode(regions, their_objects).split([positive for positive, _ in counts])
    deltas = [F.pad(part, (0, 0, 0, rest)) for part, (_, rest) in zip(to_object, counts, strict=True)]
    return SampledRois(boxes, torch.cat(labels), torch.cat(deltas), torch.cat(objects))


def match_rois(boxes: Tensor, target: Target, iou: tuple[float, float]) -> Int[Tensor, " P"]:
    """A row of `target` for each box, BACKGROUND, or IGNORE if its IoU with every object is below `iou[0]`.

    Background near an object teaches more than background far from all (section 2.3: "a heuristic for hard
    example mining"). In a photo without objects everything is background.
    """
    low, high = iou
    matched = match_boxes(boxes, target.boxes, target.ignored, (high, high), allow_low_quality=False)
    if low > 0 and not target.ignore.all():
        near = match_boxes(boxes, target.boxes, target.ignored, (low, low), allow_low_quality=False) >= 0
        matched[(matched == BACKGROUND) & ~near] = IGNORE
    return matched
