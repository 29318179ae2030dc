"""The stage between two steps of alternating training: the RPN's proposals for every training photo."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from torch import Tensor

from boxmask.detectors.faster_rcnn import FasterRCNN
from boxmask.errors import PhotoError, TrainingError
from boxmask.messages import format_count
from boxmask.photos.read import to_image
from boxmask.pipeline.stored_boxes import read_boxes, write_boxes
from boxmask.training.clock import work_time
from boxmask.training.session import Session, begin_clock

MEASURED_PHOTOS = 3  # for the speed
LONG_SHARE = 0.2  # of the minutes: a stage that takes more is reported


@dataclass
class ProposeWithRPN:
    """Faster R-CNN, section 3.2: store the proposals of the current RPN for the next step, Fast R-CNN.

    step: number in the folder's name, which keeps the proposals of two steps apart
    """

    step: int
    name: str = "proposing"
    time_share: float = 0.0
    with_validation: bool = False
    _seconds_per_photo: float | None = field(default=None, init=False, repr=False)

    begin = staticmethod(begin_clock)

    def seconds_needed(self, session: Session) -> float:
        """Return the seconds for all photos, measured on a few; long ones are reported."""
        minutes, total = session.recipe.minutes, len(session.train)
        if minutes is None:
            return 0.0
        if self._seconds_per_photo is None:
            self._seconds_per_photo = _measure_speed(session)
            needed = self._seconds_per_photo * total / 60
            if needed > LONG_SHARE * minutes:
                session.report.message(
                    f"note: {self.name} for {format_count(total, 'photo')} take about {needed:.1f} of the "
                    f"{minutes:g} minutes"
                )
        return self._seconds_per_photo * total

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


def _measure_speed(session: Session) -> float:
    """Return the seconds per photo. Photos that cannot be read are left to the stage."""
    detector, seconds = cast(FasterRCNN, session.state.network).eval(), 0.0
    for photo in range(min(MEASURED_PHOTOS, len(session.train))):
        session.stop.check()
        began = work_time()
        with suppress(PhotoError):
            detector.propose(to_image(session.train.path(photo)))
            seconds = work_time() - began  # of the last one that can be read: the first one is slower
    return seconds


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
