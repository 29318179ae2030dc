"""Run a detector on every photo of a data set, or only the part of it that makes proposals."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor

from boxmask.data.detection.dataset import DetectionDataset
from boxmask.detectors.contract import Detector
from boxmask.detectors.faster_rcnn import FasterRCNN
from boxmask.detectors.mask_rcnn import MaskRCNN
from boxmask.photos.read import to_image
from boxmask.pipeline.selective_search.cache import ProposalCache
from boxmask.progress import Progress
from boxmask.types import Detections


class PhotoDetector:
    """A detector for photo files. If it needs Selective Search, the proposals of each photo are cached."""

    def __init__(self, detector: Detector) -> None:
        self._detector = detector
        search = getattr(detector.config, "search", None)
        self._cache = ProposalCache(search) if search is not None else None

    def detect(self, photo: Path) -> Detections:
        """The detections in a photo. Raises PhotoError if it cannot be opened."""
        proposals = self._cache.boxes(photo) if self._cache is not None else None
        return self._detector.predict(to_image(photo), proposals=proposals)

    def propose(self, photo: Path) -> Tensor | None:
        """The proposals (P, 4) that the detections in a photo are made from, in its pixels.

        None for detectors that make no proposals. Raises PhotoError if the photo cannot be opened.
        """
        if self._cache is not None:
            return self._cache.boxes(photo)
        rpn = self._detector.boxes if isinstance(self._detector, MaskRCNN) else self._detector
        if not isinstance(rpn, FasterRCNN):
            return None
        return rpn.propose(to_image(photo))[: rpn.config.test_proposals[1]]


def propose_all(
    detector: Detector, dataset: DetectionDataset, *, progress: Progress | None = None
) -> list[Tensor] | None:
    """The proposals that the detections in each photo are made from, in the order of the data set.

    None for detectors that make no proposals. An RPN is run once more. `progress(done, total)` is called
    after each photo. Raises PhotoError if a photo cannot be opened.
    """
    photo_detector, proposals = PhotoDetector(detector), []
    for photo in range(len(dataset)):
        boxes = photo_detector.propose(dataset.path(photo))
        if boxes is None:
            return None
        proposals.append(boxes)
        if progress is not None:
            progress(photo + 1, len(dataset))
    return proposals


def detect_all(
    detector: Detector, dataset: DetectionDataset, *, progress: Progress | None = None
) -> list[Detections]:
    """The detections in each photo, in the order of the data set.

    Photos are processed one at a time, so that none is padded to the size of another. If the detector needs
    Selective Search, each photo is searched once and its proposals are cached. `progress(done, total)` is
    called after each photo. Raises PhotoError if a photo cannot be opened.
    """
    photo_detector = PhotoDetector(detector)
    detections = []
    for photo in range(len(dataset)):
        detections.append(photo_detector.detect(dataset.path(photo)))
        if progress is not None:
            progress(photo + 1, len(dataset))
    return detections
