"""The types that cross rooms: what labels say about a photo, and what a model finds in it.

Shapes, dtypes and labels are validated when an object is made, so that a mistake is reported where it arises.
Boxes are xyxy in absolute pixels of their photo, float32, with continuous edges (width = x2 - x1).
"""

from boxmask.masks import IGNORED
from boxmask.types.classification import Classification
from boxmask.types.detections import Detection, Detections
from boxmask.types.segmentation_map import ClassRegion, SegmentationMap
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
