"""Several views of a photo by detectors, fused to one list of objects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from torch import Tensor

from boxmask.detectors.contract import Detector
from boxmask.detectors.mask_rcnn import MaskRCNNConfig
from boxmask.photos.read import accepts_photos
from boxmask.pipeline.images import spatial_size
from boxmask.prediction.fusion.boxes import fuse_detections
from boxmask.prediction.fusion.class_names import JoinedClasses
from boxmask.prediction.fusion.views import View
from boxmask.types import Detections


class FusedDetector:
    """One or several detectors that predict several views of each photo; see `fuse_detections`.

    It finds the classes that at least one of them knows, and masks if all of them find masks. `config` is
    that of the first detector (the first without masks, if there is one), with these classes.
    """

    def __init__(self, views: Sequence[View[Detector]]) -> None:
        self.views = list(views)
        configs = [view.model.config for view in views]
        self._classes = JoinedClasses.of([config.class_names for config in configs])
        self._limit = max(config.detections_per_image for config in configs)
        without_masks = [config for config in configs if not isinstance(config, MaskRCNNConfig)]
        first = (without_masks or configs)[0]
        self.config: Any = replace(first, class_names=self._classes.names)

    @property
    def class_names(self) -> tuple[str, ...]:
        """The names of the classes, in the order of the labels."""
        return self._classes.names

    @accepts_photos
    def predict(self, images: list[Tensor], proposals: list[Tensor] | None = None) -> list[Detections]:
        """Photos -> the objects in each, as `Detector.predict`.

        Given proposals are for the detectors with the Selective Search of `config`; others find their own.
        """
        given = [None] * len(images) if proposals is None else proposals
        return [self._detect(image, boxes) for image, boxes in zip(images, given, strict=True)]

    def _detect(self, image: Tensor, proposals: Tensor | None) -> Detections:
        found = [self._look(view, image, proposals) for view in self.views]
        return fuse_detections(found, self._classes, self._limit)

    def _look(self, view: View[Detector], image: Tensor, proposals: Tensor | None) -> Detections:
        """The detections of one view, in pixels of the photo as it is."""
        if _search(view.model.config) != _search(self.config):
            proposals = None
        width = spatial_size(image)[1]
        if view.is_mirrored and proposals is not None:
            proposals = proposals[:, [2, 1, 0, 3]] * proposals.new_tensor([-1, 1, -1, 1])
            proposals = proposals + proposals.new_tensor([width, 0, width, 0])
        found = view.model.predict(view.image(image), proposals=proposals)
        return hflip(found) if view.is_mirrored else found


def hflip(detections: Detections) -> Detections:
    """Mirror detections left to right, with their photo."""
    x1, y1, x2, y2 = detections.boxes.T
    width = np.float32(detections.size[1])
    masks = detections.masks and detections.masks.hflip()
    boxes = np.stack([width - x2, y1, width - x1, y2], axis=1)
    return replace(detections, boxes=boxes, masks=masks)


def _search(config: Any) -> Any:
    """The settings of Selective Search; None for detectors without it."""
    return getattr(config, "search", None)
