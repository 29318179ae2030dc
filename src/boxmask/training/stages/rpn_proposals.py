"""The stage between two steps of alternating training: the RPN's proposals for every training photo."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from torch import Tensor

from boxmask.detectors.faster_rcnn import FasterRCNN
from boxmask.errors import PhotoError, TrainingError
from boxmask.photos.read import to_image
from boxmask.pipeline.stored_boxes import read_boxes, write_boxes
from boxmask.training.session import Session, begin_clock


@dataclass
class ProposeWithRPN:
    """Faster R-CNN, section 3.2: store the proposals of the current RPN for the next step, Fast R-CNN.

    step: number in the folder's name, which keeps the proposals of two steps apart
    """

    step: int
    name: str = "proposing"
    time_share: float = 0.0

    begin = staticmethod(begin_clock)

    def fit(self, session: Session) -> bool:
        """Store the proposals of each photo that has none yet. Raises StopRequested at a stop."""
        detector = cast(FasterRCNN, session.state.network).eval()
        stored = self.stored(session)
        for photo in range(len(session.train)):
            session.stop.check()
            path = session.train.path(photo)
            file = stored.file(path)
            if not file.is_file():
                try:
                    boxes = detector.propose(to_image(path))
                except PhotoError as error:
                    session.leave_out(error)
                    continue
                write_boxes(file, boxes)
            session.report.advance(photo + 1, len(session.train))
        return True

    def stored(self, session: Session) -> StoredProposals:
        """Return the proposals that `fit` stores."""
        return StoredProposals(session.run.intermediate / f"proposals-{self.step}", session.train.root)


@dataclass(frozen=True)
class StoredProposals:
    """The proposals of one step, one file per photo.

    root: the data set's folder. Files are named after the photo's path below it, so that the data set may
          move before training is resumed.
    """

    folder: Path
    root: Path

    def __call__(self, photo: Path) -> Tensor:
        """Return the photo's proposals (P, 4), xyxy in its pixels, highest objectness first.

        Raises PhotoError for a photo that was left out, and TrainingError for a damaged file.
        """
        if not self.file(photo).is_file():
            raise PhotoError(f"{photo}: this photo has no proposals, because it could not be read before.")
        try:
            return read_boxes(self.file(photo))
        except (OSError, ValueError) as error:
            raise TrainingError(
                f"{error}: these proposals of an earlier stage are damaged. Train again with another --out."
            ) from error

    def file(self, photo: Path) -> Path:
        """Return the file with the photo's proposals."""
        name = hashlib.sha256(photo.relative_to(self.root).as_posix().encode()).hexdigest()[:32]
        return self.folder / f"{name}.npy"
