"""The stage between two steps of alternating training: the RPN's proposals of every training photo."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch import Tensor

from boxmask.detectors.faster_rcnn import FasterRCNN
from boxmask.pipeline.photos import to_image
from boxmask.training.schedule import Clock
from boxmask.training.session import BoxesOf, Session
from boxmask.writing import replacing


@dataclass
class Propose:
    """Faster R-CNN, section 3.2: the RPN as it is now proposes, for the step of Fast R-CNN that follows.

    step: of alternating training, so that the proposals of one step are not taken for another's
    """

    step: int
    name: str = "proposing"
    share: float = 0.0

    def begin(self, session: Session, minutes: float) -> None:
        """Nothing but a clock."""
        session.state.begin_stage(Clock(None, 0.0))

    def fit(self, session: Session) -> bool:
        """Propose in each photo that it was not done for before."""
        detector = cast(FasterRCNN, session.state.detector).eval()
        for photo in range(len(session.train)):
            if session.stop.asked:
                return False
            path = session.train.path(photo)
            kept = _kept(session.run.kept, self.step, path)
            if not kept.is_file():
                boxes = detector.propose(to_image(path)).cpu()
                with replacing(kept) as partial, partial.open("wb") as file:
                    np.save(file, boxes.numpy(), allow_pickle=False)
            session.report.count(photo + 1, len(session.train))
        return True

    def boxes(self, session: Session) -> BoxesOf:
        """What `fit` found."""
        return KeptBoxes(session.run.kept, self.step)


@dataclass(frozen=True)
class KeptBoxes:
    """Proposals of a step, by photo."""

    folder: Path
    step: int

    def __call__(self, photo: Path) -> Tensor:
        """(P, 4) xyxy in pixels of the photo, likeliest objects first."""
        return torch.from_numpy(np.load(_kept(self.folder, self.step, photo), allow_pickle=False))


def _kept(folder: Path, step: int, photo: Path) -> Path:
    name = hashlib.sha256(str(photo).encode()).hexdigest()[:32]
    return folder / f"proposals-{step}" / f"{name}.npy"
