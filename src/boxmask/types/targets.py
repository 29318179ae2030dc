"""What the labels say about one photo."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, field

import torch
from jaxtyping import Bool, Float, Int, UInt8
from torch import Tensor

from boxmask.masks import Masks
from boxmask.types.checks import check_array, equal_fields, mismatch


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """The labeled objects of one photo.

    boxes:  (N, 4) xyxy in pixels of the photo, with x2 > x1 and y2 > y1
    labels: (N,) int64, 0..K-1
    ignore: (N,) bool, True for crowd regions and difficult objects: neither object nor background
    masks:  of the N objects, or None if only boxes are known. An empty mask means that the mask of this
            object is not known.
    """

    boxes: Float[Tensor, "N 4"]
    labels: Int[Tensor, " N"]
    ignore: Bool[Tensor, " N"]
    masks: Masks | None = None
    has_ignored: bool = field(init=False, repr=False, compare=False)  # known without waiting for a GPU

    def __post_init__(self) -> None:
        """Raise ValueError for fields that do not fit together."""
        n = len(self.boxes)
        check_array("boxes", self.boxes, torch.float32, (None, 4))
        check_array("labels", self.labels, torch.int64, (n,))
        check_array("ignore", self.ignore, torch.bool, (n,))
        if self.masks is not None and len(self.masks) != n:
            raise mismatch("masks", str(n), len(self.masks))
        valid = (self.boxes[:, 2:] > self.boxes[:, :2]).all(dim=1)  # False for NaN
        if not valid.all():
            raise mismatch("boxes", "x2 > x1 and y2 > y1", self.boxes[~valid][:3].tolist())
        object.__setattr__(self, "has_ignored", bool(self.ignore.any()))

    __eq__ = equal_fields
    __hash__ = None  # type: ignore[assignment]

    @staticmethod
    def of(boxes: object, labels: object, ignore: object = None) -> Target:
        """A target from anything that `torch.as_tensor` takes. By default, nothing is ignored."""
        rows = torch.as_tensor(boxes, dtype=torch.float32).reshape(-1, 4)
        flags = torch.zeros(len(rows)) if ignore is None else torch.as_tensor(ignore)
        return Target(rows, torch.as_tensor(labels, dtype=torch.int64).reshape(-1), flags.bool())

    def to(self, device: torch.device | str) -> Target:
        """The same target on another device."""
        non_blocking = torch.device(device).type != "cpu"
        fields = (self.boxes, self.labels, self.ignore)
        return self.moved(*(x.to(device, non_blocking=non_blocking) for x in fields))

    @property
    def ignored(self) -> Bool[Tensor, " N"] | None:
        """`ignore`, or None if it is False for all objects."""
        return self.ignore if self.has_ignored else None

    @property
    def counted_boxes(self) -> Float[Tensor, "M 4"]:
        """The boxes that are not ignored."""
        return self.boxes[~self.ignore] if self.has_ignored else self.boxes

    def moved(
        self, boxes: Float[Tensor, "N 4"], labels: Int[Tensor, " N"], ignore: Bool[Tensor, " N"]
    ) -> Target:
        """The same objects on another device or with their boxes scaled.

        Nothing is checked, because the host would wait for a GPU.
        """
        changed = copy(self)
        for name, value in (("boxes", boxes), ("labels", labels), ("ignore", ignore)):
            object.__setattr__(changed, name, value)
        return changed


@dataclass(frozen=True, slots=True, eq=False)
class SegmentationTarget:
    """The labeled class of every pixel of one photo.

    labels: (H, W) uint8, 0..K-1, or IGNORED
    """

    labels: UInt8[Tensor, "H W"]

    def __post_init__(self) -> None:
        """Raise ValueError for labels of another dtype or shape."""
        check_array("labels", self.labels, torch.uint8, (None, None))

    __eq__ = equal_fields
    __hash__ = None  # type: ignore[assignment]


@dataclass(frozen=True, slots=True)
class ClassificationTarget:
    """The labeled class of a whole photo, 0..K-1."""

    label: int

    def __post_init__(self) -> None:
        """Raise ValueError for a negative label."""
        if self.label < 0:
            raise mismatch("label", "0 or more", self.label)
