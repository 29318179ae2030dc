"""Analyze what failed in the detections of many photos."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from boxmask.data.detection.dataset import DetectionDataset
from boxmask.evaluation.detection.arrays import Kind
from boxmask.evaluation.detection.failures.analysis import DetectionFailures
from boxmask.types import Detections


def analyze_failures(
    dataset: DetectionDataset,
    detections: Sequence[Detections],
    kind: Kind = "bbox",
    *,
    proposals: Sequence[Tensor] | None = None,
) -> DetectionFailures:
    """What failed in the detections. `detections[i]` belongs to photo i of `dataset`.

    kind:      what IoU compares: boxes ("bbox") or masks ("segm")
    proposals: the proposals (P, 4) that the detections of each photo were made from

    Classes that the detector does not know, and those that the data set does not have, are left out.
    """
    raise NotImplementedError
