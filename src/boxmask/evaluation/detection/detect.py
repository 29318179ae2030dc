"""Run a detector over every photo of a data set."""

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
    """What the detector finds in each photo, in the order of the data set.

    Photos go one at a time, so that none is padded to the size of another; each is searched once, where the
    detector waits for Selective Search, and its proposals are kept in the cache. `progress(done, photos)` is
    called after each. Raises PhotoError where a photo cannot be opened.
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
