"""The RoIs that a two-stage detector learns from, and what it should predict at each.

Fast R-CNN (Girshick 2015, arXiv:1504.08083), section 2.3, which Faster and Mask R-CNN take over.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from boxmask.geometry.boxes import encode
from boxmask.geometry.matching import BACKGROUND, IGNORE, match_boxes, match_each
from boxmask.geometry.sampling import sample
from boxmask.pipeline.batch_objects import BatchObjects
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

    boxes:    of each photo, B x (S, 4)
    labels:   0..K-1, or K for background
    deltas:   from each RoI to its object; zeros for background
    objects:  the row of the object in its photo's target, or BACKGROUND
    positive: (Q,) which of the R are objects
    """

    boxes: list[Float[Tensor, "S 4"]]
    labels: Int[Tensor, " R"]
    deltas: Float[Tensor, "R 4"]
    objects: Int[Tensor, " R"]
    positive: Int[Tensor, " Q"]


@torch.no_grad()
def sample_rois(proposals: list[Tensor], targets: list[Target], sampling: RoiSampling) -> SampledRois:
    """Sample RoIs from the proposals of each photo, objects first.

    The ground truth is added to the proposals, so that there are objects early on (the authors' code).
    """
    candidates = [
        torch.cat([proposed, target.counted_boxes])
        for proposed, target in zip(proposals, targets, strict=True)
    ]
    matched = match_each_rois(candidates, targets, sampling.iou)
    samples = sample(matched, sampling.samples, sampling.positive_fraction)
    boxes, objects = torch.cat(candidates)[samples.places], torch.cat(matched)[samples.places]
    labeled, positive = BatchObjects.of(targets), samples.positive
    places = labeled.places(samples.photos[positive], objects[positive])
    labels = torch.full_like(objects, sampling.background_label)
    labels[positive] = labeled.labels[places]
    deltas = torch.zeros_like(boxes)
    deltas[positive] = encode(boxes[positive], labeled.boxes[places])
    return SampledRois(list(boxes.split(samples.counts)), labels, deltas, objects, positive)


def match_each_rois(
    candidates: list[Tensor], targets: list[Target], iou: tuple[float, float]
) -> list[Int[Tensor, " P"]]:
    """`match_rois` of each photo, without a lowest IoU for all photos at once."""
    low, high = iou
    if low > 0:
        return [match_rois(*photo, iou) for photo in zip(candidates, targets, strict=True)]
    boxes, ignored = [target.boxes for target in targets], [target.ignored for target in targets]
    return match_each(candidates, boxes, ignored, (high, high), allow_low_quality=False)


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
