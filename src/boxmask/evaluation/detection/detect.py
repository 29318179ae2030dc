"""Run a detector on every photo of a data set."""

from __future__ import annotations

from collections.abc import Callable

from boxmask.data.detection.dataset import DetectionDataset
from boxmask.detectors.contract import Detector
from boxmask.photos.read import to_image
from boxmask.pipeline.selective_search.cache import ProposalCache
from boxmask.types import Detections


def detect_all(
    detector: Detector, dataset: DetectionDataset, *, progress: Callable[[int, int], None] | None = None
) -> list[Detections]:
    """The detections in each photo, in the order of the data set.

    Photos are processed one at a time, so that none is padded to the size of another. If the detector needs
    Selective Search, each photo is searched once and its proposals are cached. `progress(done, total)` is
    called after each photo. Raises PhotoError if a photo cannot be opened.
    """
    detections = []
    search = getattr(detector.config, "search", None)
    cache = ProposalCache(search) if search is not None else None
    for photo in range(len(dataset)):
        path = dataset.path(photo)
        proposals = cache.boxes(path) if cache is not None else None
        detections.append(detector.predict(to_image(path), proposals=proposals))
        if progress is not None:
            progress(photo + 1, len(dataset))
    return detections
