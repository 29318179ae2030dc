"""Run a detector on every photo of a data set, or only the part of it that makes proposals."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import torch
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
        rpn = detector.boxes if isinstance(detector, MaskRCNN) else detector
        self._rpn = rpn if isinstance(rpn, FasterRCNN) else None

    @property
    def makes_proposals(self) -> bool:
        """Whether its detections are made from proposals that `propose` can give."""
        return self._cache is not None or self._rpn is not None

    def detect(self, photo: Path) -> Detections:
        """The detections in a photo. Raises PhotoError if it cannot be opened."""
        proposals = self._cache.boxes(photo) if self._cache is not None else None
        return self._detector.predict(to_image(photo), proposals=proposals)

    def propose(self, photo: Path) -> Tensor:
        """The proposals (P, 4) that the detections in a photo are made from, in its pixels.

        None, (0, 4), if it makes no proposals. Raises PhotoError if the photo cannot be opened.
        """
        if self._cache is not None:
            return self._cache.boxes(photo)
        if self._rpn is not None:
            return self._rpn.propose(to_image(photo))[: self._rpn.config.test_proposals[1]]
        return torch.zeros(0, 4)


def propose_all(
    detector: Detector, dataset: DetectionDataset, *, progress: Progress | None = None
) -> Iterator[Tensor] | None:
    """The proposals that the detections in each photo are made from, one photo at a time.

    None for detectors that make no proposals. An RPN is run once more. `progress(done, total)` is called
    after each photo. Raises PhotoError if a photo cannot be opened.
    """
    photo_detector = PhotoDetector(detector)
    return _propose_all(photo_detector, dataset, progress) if photo_detector.makes_proposals else None


def _propose_all(
    photo_detector: PhotoDetector, dataset: DetectionDataset, progress: Progress | None
) -> Iterator[Tensor]:
    for photo in range(len(dataset)):
        yield photo_detector.propose(dataset.path(photo))
        if progress is not None:
            progress(photo + 1, len(dataset))


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
