"""The stage that measures the spread of each class's deltas, which Fast R-CNN's targets are divided by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor

from boxmask.detectors.fast_rcnn import DEFAULT_DELTA_STD, FastRCNN
from boxmask.geometry.boxes import encode
from boxmask.pipeline.roi_sampling import match_rois
from boxmask.training.session import Session, only_a_clock
from boxmask.training.stages.selective_search import selective_search_boxes
from boxmask.types import Target

LEAST_PAIRS, LEAST_SPREAD = 10, 0.01  # below these a class keeps the usual spread, or is not divided by less


class DeltaStatistics:
    """Mean and standard deviation of each class's deltas, gathered photo by photo.

    iou: from which a proposal answers for an object
    """

    def __init__(self, num_classes: int, iou: float) -> None:
        self.iou = iou
        self.count = torch.zeros(num_classes, dtype=torch.float64)
        self.sum = torch.zeros(num_classes, 4, dtype=torch.float64)
        self.squares = torch.zeros(num_classes, 4, dtype=torch.float64)

    def add(self, proposals: Float[Tensor, "P 4"], target: Target) -> int:
        """Take in a photo; gives how many of its proposals answer for an object."""
        matched = match_rois(proposals, target, (0.0, self.iou))
        positive = torch.where(matched >= 0)[0]
        deltas = encode(proposals[positive], target.boxes[matched[positive]]).double()
        labels = target.labels[matched[positive]]
        self.count.index_add_(0, labels, torch.ones(len(labels), dtype=torch.float64))
        self.sum.index_add_(0, labels, deltas)
        self.squares.index_add_(0, labels, deltas**2)
        return len(positive)

    def result(self) -> tuple[Float[Tensor, "K 4"], Float[Tensor, "K 4"]]:
        """Mean and standard deviation; a class with few pairs keeps mean 0 and the usual spread."""
        count = self.count.clamp(min=1)[:, None]
        mean = self.sum / count
        std = (self.squares / count - mean**2).clamp(min=LEAST_SPREAD**2).sqrt()
        few = (self.count < LEAST_PAIRS)[:, None]
        usual = torch.tensor(DEFAULT_DELTA_STD, dtype=torch.float64)
        return torch.where(few, 0.0, mean).float(), torch.where(few, usual, std).float()


@dataclass
class NormalizeTargets:
    """Fast R-CNN, section 2.3: the regression targets get mean 0 and variance 1; here in each class."""

    name: str = "normalizing targets"
    share: float = 0.0

    begin = staticmethod(only_a_clock)

    def fit(self, session: Session) -> bool:
        """Go over all training photos, and put mean and deviation into the detector."""
        detector = cast(FastRCNN, session.state.network)
        boxes_of = selective_search_boxes(session)
        spread = DeltaStatistics(len(session.train.class_names), detector.config.roi_iou[1])
        for photo in range(len(session.train)):
            if session.stop.asked:
                return False
            spread.add(boxes_of(session.train.path(photo)), session.train.target(photo))
            session.report.count(photo + 1, len(session.train))
        mean, std = spread.result()
        detector.delta_mean.copy_(mean)
        detector.delta_std.copy_(std)
        return True
