"""What the analyses of failures of all tasks have in common."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from rich.console import Group

from boxmask.evaluation.failures.calibration import Calibration
from boxmask.evaluation.failures.confusion import ConfusionMatrix

MAX_PHOTOS = 500
"""Photos that `to_dict` holds."""


@dataclass(frozen=True, slots=True)
class PhotoFailures:
    """How much labels and model disagree about one photo.

    photo:        index in the data set; for classifiers, that of the item
    disagreement: for detectors, the sum of the scores of wrong detections, plus the number of objects that
                  were not found; for segmenters, the share of wrong pixels; for classifiers, the score of the
                  predicted class less that of the labeled one
    suspicion:    how much speaks against the labels rather than the model; 0 if the labels are probably right
    description:  what they disagree about, in words
    """

    photo: int
    file: str
    disagreement: float
    suspicion: float
    description: str

    @property
    def is_suspect(self) -> bool:
        """Whether the labels are probably wrong."""
        return self.suspicion > 0

    def to_dict(self) -> dict[str, Any]:
        """The same as plain values."""
        return asdict(self)


class FailureAnalysis(Protocol):
    """What failed in an evaluation."""

    @property
    def confusion(self) -> ConfusionMatrix:
        """Labeled classes against predicted ones."""

    @property
    def calibration(self) -> Calibration | None:
        """How well scores tell how often they are right; None without scores."""

    @property
    def photos(self) -> Sequence[PhotoFailures]:
        """Every photo, those with suspect labels first, then by disagreement."""

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, texts and lists; long lists are cut."""

    def tables(self) -> Group:
        """The most frequent failures for the terminal."""
