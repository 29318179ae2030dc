"""The types that cross rooms: what labels say about a photo, and what a model finds in it.

Shapes, dtypes and labels are validated when an object is made, so that a mistake is reported where it arises.
Boxes are xyxy in absolute pixels of their photo, float32, with continuous edges (width = x2 - x1).
Results hold numpy arrays and need no torch. Targets, which training reads, hold tensors; torch is imported
with them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from boxmask.masks import IGNORED
from boxmask.types.classification import Classification
from boxmask.types.detections import Detection, Detections
from boxmask.types.segmentation_map import ClassRegion, SegmentationMap

if TYPE_CHECKING:
    from boxmask.types.targets import ClassificationTarget, SegmentationTarget, Target

__all__ = [
    "IGNORED",
    "ClassRegion",
    "Classification",
    "ClassificationTarget",
    "Detection",
    "Detections",
    "SegmentationMap",
    "SegmentationTarget",
    "Target",
]

_TARGETS = ("ClassificationTarget", "SegmentationTarget", "Target")


def __getattr__(name: str) -> object:
    """Import the targets, and torch with them, when they are first used."""
    if name in _TARGETS:
        return getattr(import_module("boxmask.types.targets"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
