"""The stage between two steps of alternating training: the RPN's proposals of every training photo."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch import Tensor

from boxmask.atomic_write import atomic_write
from boxmask.detectors.faster_rcnn import FasterRCNN
from boxmask.photos.read import to_image
from boxmask.training.session import Session, only_a_clock


@dataclass
class ProposeWithRPN:
    """Faster R-CNN, section 3.2: the RPN as it is now proposes, for the step of Fast R-CNN that follows.

    step: of alternating training, so that the proposals of one step are not taken for another's
    """

    step: int
    name: str = "proposing"
    share: float = 0.0

    begin = staticmethod(only_a_clock)

    def fit(self, session: Session) -> bool:
        """ProposeWithRPN in each photo that it was not done for before."""
        detector = cast(FasterRCNN, session.state.network).eval()
        for photo in range(len(session.train)):
            if session.stop.asked:
                return False
            path = session.train.path(photo)
            kept = self.boxes(session).path(path)
            if not kept.is_file():
                boxes = detector.propose(to_image(path)).cpu()
                with atomic_write(kept) as partial, partial.open("wb") as file:
                    np.save(file, boxes.numpy(), allow_pickle=False)
            session.report.count(photo + 1, len(session.train))
        return True

    def boxes(self, session: Session) -> StoredProposals:
        """What `fit` found."""
        return StoredProposals(session.run.intermediate / f"proposals-{self.step}", session.train.root)


@dataclass(frozen=True)
class StoredProposals:
    """Proposals of a step, by photo.

    root: the data set's, which may have moved when a training goes on
    """

    folder: Path
    root: Path

    def __call__(self, photo: Path) -> Tensor:
        """(P, 4) xyxy in pixels of the photo, likeliest objects first."""
        return torch.from_numpy(np.load(self.path(photo), allow_pickle=False))

    def path(self, photo: Path) -> Path:
        """Where the boxes of a photo are kept."""
        name = hashlib.sha256(photo.relative_to(self.root).as_posix().encode()).hexdigest()[:32]
        return self.folder / f"{name}.npy"
