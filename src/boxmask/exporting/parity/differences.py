"""How far the results of a file are from those of its model."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Differences:
    """The largest differences on some photos.

    compared:   objects, or photos for segmenters and classifiers
    box:        pixels
    score:      0..1
    mask_iou:   the lowest IoU of a mask
    pixels:     the largest share of a label map's pixels with another class
    mismatches: objects that only one of the two found
    """

    compared: int = 0
    box: float = 0.0
    score: float = 0.0
    mask_iou: float = 1.0
    pixels: float = 0.0
    mismatches: int = 0

    def __or__(self, other: Differences) -> Differences:
        """The differences on the photos of both."""
        return Differences(
            self.compared + other.compared,
            max(self.box, other.box),
            max(self.score, other.score),
            min(self.mask_iou, other.mask_iou),
            max(self.pixels, other.pixels),
            self.mismatches + other.mismatches,
        )

    def without_objects(self) -> Differences:
        """The largest differences alone: its objects are not counted."""
        return replace(self, compared=0, mismatches=0)
