"""The stage that measures the mean and standard deviation of each class's regression targets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor

from boxmask.detectors.fast_rcnn import DEFAULT_DELTA_STD, FastRCNN
from boxmask.errors import PhotoError
from boxmask.geometry.boxes import encode
from boxmask.pipeline.roi_sampling import match_rois
from boxmask.training.session import Session, begin_clock, no_seconds
from boxmask.training.stages.selective_search import cached_proposals
from boxmask.types import Target

MIN_PAIRS = 10  # a class with fewer pairs keeps mean 0 and the default deviation
MIN_STD = 0.01  # targets are divided by no less


class DeltaStatistics:
    """Mean and standard deviation of each class's deltas, accumulated photo by photo.

    iou: the lowest IoU of a proposal with the object that it is matched to
    """

    def __init__(self, num_classes: int, iou: float) -> None:
        self.iou = iou
        self.count = torch.zeros(num_classes, dtype=torch.float64)
        self.sum = torch.zeros(num_classes, 4, dtype=torch.float64)
        self.squares = torch.zeros(num_classes, 4, dtype=torch.float64)

    def add(self, proposals: Float[Tensor, "P 4"], target: Target) -> int:
        """Add one photo; returns the number of proposals that are matched to an object."""
        matched = match_rois(proposals, target, (0.0, self.iou))
        positive = torch.where(matched >= 0)[0]
        deltas = encode(proposals[positive], target.boxes[matched[positive]]).double()
        labels = target.labels[matched[positive]]
        self.count.index_add_(0, labels, torch.ones(len(labels), dtype=torch.float64))
        self.sum.index_add_(0, labels, deltas)
        self.squares.index_add_(0, labels, deltas**2)
        return len(positive)

    def result(self) -> tuple[Float[Tensor, "K 4"], Float[Tensor, "K 4"]]:
        """Return mean and standard deviation. Classes with few pairs keep the defaults, mean 0 among them."""
        count = self.count.clamp(min=1)[:, None]
        mean = self.sum / count
        std = (self.squares / count - mean**2).clamp(min=MIN_STD**2).sqrt()
        few = (self.count < MIN_PAIRS)[:, None]
        default = torch.tensor(DEFAULT_DELTA_STD, dtype=torch.float64)
        return torch.where(few, 0.0, mean).float(), torch.where(few, default, std).float()


@dataclass
class NormalizeTargets:
    """Fast R-CNN, section 2.3: normalize the regression targets to mean 0 and variance 1, here per class."""

    name: str = "normalizing targets"
    time_share: float = 0.0
    with_validation: bool = False

    begin = staticmethod(begin_clock)
    seconds_needed = staticmethod(no_seconds)

    def fit(self, session: Session) -> bool:
        """Measure all training photos, and set the detector's mean and deviation."""
        detector, proposals = cast(FastRCNN, session.state.network), cached_proposals(session)
        statistics = DeltaStatistics(len(session.train.class_names), detector.config.roi_iou[1])
        for photo in range(len(session.train)):
            session.stop.check()
            try:
                statistics.add(proposals(session.train.path(photo)), session.train.target(photo))
            except PhotoError as error:
                session.leave_out(error)
            session.report.advance(photo + 1, len(session.train))
        mean, std = statistics.result()
        normalize_anew(detector, mean, std)
        return True


@torch.no_grad()
def normalize_anew(detector: FastRCNN, mean: Float[Tensor, "K 4"], std: Float[Tensor, "K 4"]) -> None:
    """Set mean and deviation. Weights that were trained with others are changed, so that boxes stay the same.

    New weights, whose mean is 0 and deviation the default, stay as they are.
    """
    default = torch.tensor(DEFAULT_DELTA_STD, device=detector.delta_std.device)
    is_trained = (detector.delta_mean != 0).any(1) | (detector.delta_std != default).any(1)
    mean, std = mean.to(default), std.to(default)
    weight = detector.box_head.deltas.weight.unflatten(0, (-1, 4))  # views: (K, 4, F) and (K, 4)
    bias = detector.box_head.deltas.bias.unflatten(0, (-1, 4))
    scaled = weight * (detector.delta_std / std)[..., None]
    shifted = (bias * detector.delta_std + detector.delta_mean - mean) / std
    weight[is_trained], bias[is_trained] = scaled[is_trained], shifted[is_trained]
    detector.delta_mean.copy_(mean)
    detector.delta_std.copy_(std)
