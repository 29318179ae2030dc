"""The stage that measures the spread of each class's deltas, which Fast R-CNN's targets are divided by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from boxmask.detectors.fast_rcnn import DeltaSpread, FastRCNN
from boxmask.training.schedule import Clock
from boxmask.training.searching import searched_boxes
from boxmask.training.session import Session


@dataclass
class Normalise:
    """Fast R-CNN, section 2.3: the regression targets get mean 0 and variance 1; here in each class."""

    name: str = "normalising targets"
    share: float = 0.0

    def begin(self, session: Session, minutes: float) -> None:
        """Nothing but a clock."""
        session.state.begin_stage(Clock(None, 0.0))

    def fit(self, session: Session) -> bool:
        """Go over all training photos, and put mean and deviation into the detector."""
        detector = cast(FastRCNN, session.state.detector)
        boxes_of = searched_boxes(session)
        spread = DeltaSpread(len(session.train.class_names), detector.config.roi_iou[1])
        for photo in range(len(session.train)):
            if session.stop.asked:
                return False
            spread.add(boxes_of(session.train.path(photo)), session.train.target(photo))
            session.report.count(photo + 1, len(session.train))
        mean, std = spread.result()
        detector.delta_mean.copy_(mean)
        detector.delta_std.copy_(std)
        return True
