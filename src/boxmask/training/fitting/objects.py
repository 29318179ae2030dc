"""The training objects at the size at which the network sees them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from boxmask.data.detection.dataset import DetectionDataset
from boxmask.messages import format_percent
from boxmask.pipeline.images import Size, resized_size


@dataclass(frozen=True)
class Objects:
    """N objects of K classes in P photos.

    boxes:  (N, 4) xyxy in pixels of the photos as they are on disk
    labels: (N,) the class of each, 0..K-1
    photos: (N,) the photo of each, 0..P-1
    sizes:  (P, 2) (height, width) of the photos
    """

    boxes: Float[np.ndarray, "N 4"]
    labels: Int[np.ndarray, " N"]
    photos: Int[np.ndarray, " N"]
    sizes: Int[np.ndarray, "P 2"]

    @staticmethod
    def of(train: DetectionDataset) -> Objects:
        """The objects of a data set that count."""
        photos = np.repeat(np.arange(len(train)), np.diff(train.offsets))
        counted = train.counted
        return Objects(
            train.boxes[counted].astype(np.float64), train.labels[counted], photos[counted], train.sizes
        )

    def sample(self, count: int) -> Objects:
        """At most `count` of the objects, evenly spaced."""
        if len(self) <= count:
            return self
        rows = np.linspace(0, len(self) - 1, count).astype(np.int64)
        return replace(self, boxes=self.boxes[rows], labels=self.labels[rows], photos=self.photos[rows])

    def __len__(self) -> int:
        return len(self.boxes)

    @property
    def middle_shorter_side(self) -> float:
        """The median of the photos' shorter sides, in pixels."""
        return float(np.median(self.sizes.min(axis=1)))

    def input_sizes(self, config: Any) -> list[Size]:
        """(height, width) of each photo in the network, without padding. SSD's photos are square."""
        if hasattr(config, "default_box_strides"):
            return [(config.shorter_side, config.shorter_side)] * len(self.sizes)
        return [
            resized_size((int(height), int(width)), config.shorter_side, config.longer_side)
            for height, width in self.sizes
        ]

    def resized(self, config: Any) -> Float[np.ndarray, "N 4"]:
        """The boxes in pixels of the network's input."""
        scale = np.array(self.input_sizes(config)).reshape(-1, 2) / self.sizes
        boxes: Float[np.ndarray, "N 4"] = self.boxes * scale[self.photos][:, [1, 0, 1, 0]]
        return boxes


def sides(boxes: Float[np.ndarray, "N 4"]) -> Float[np.ndarray, " N"]:
    """The side of the square with the area of each box."""
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    return np.asarray(np.sqrt(areas))


def share_by_class(chosen: Bool[np.ndarray, " N"], labels: Int[np.ndarray, " N"]) -> float:
    """The share of chosen objects in each class, averaged over the classes that occur.

    AP is a mean over classes, too: a rare class counts as much as a frequent one.
    """
    counts = np.bincount(labels)
    if not len(labels):
        return 0.0
    hits = np.bincount(labels, weights=chosen)
    return float((hits[counts > 0] / counts[counts > 0]).mean())


def describe_share(share: float, num_classes: int) -> str:
    """A share from `share_by_class` in words: "7 % of the objects"."""
    whose = "the objects" if num_classes == 1 else "the objects of an average class"
    return f"{format_percent(share)} of {whose}"
