"""What crosses rooms: what the labels say of a photo, and what a model says of it.

Shapes, types and labels are checked at birth, so that a mistake is reported where it arises. Boxes are xyxy,
absolute pixels of the photo they belong to, float32, continuous edges (width = x2 - x1).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Bool, Float, Int, UInt8
from torch import Tensor

from boxmask.masks import Masks

if TYPE_CHECKING:
    import supervision


def _require(condition: bool, name: str, expected: str, found: object) -> None:
    if not condition:
        raise ValueError(f"{name}: expected {expected}, found {found}")


def _require_tensor(name: str, tensor: Tensor, dtype: torch.dtype, shape: tuple[int | None, ...]) -> None:
    """Check dtype and shape; None stands for any size."""
    fits = tensor.ndim == len(shape) and all(
        n is None or n == m for n, m in zip(shape, tensor.shape, strict=False)
    )
    wanted = "(" + ", ".join("any" if n is None else str(n) for n in shape) + ")"
    found = f"{tensor.dtype} {tuple(tensor.shape)}"
    _require(fits and tensor.dtype == dtype, name, f"{dtype} {wanted}", found)


@dataclass(frozen=True, slots=True)
class Target:
    """What the labels say of one photo.

    boxes:  (N, 4) xyxy in pixels of the photo, with x2 > x1 and y2 > y1
    labels: (N,) int64, 0..K-1
    ignore: (N,) bool, True for crowd regions and difficult objects: neither object nor background
    masks:  of the N objects, or None where only boxes are known; one without any pixel says the same of its
            object alone
    """

    boxes: Float[Tensor, "N 4"]
    labels: Int[Tensor, " N"]
    ignore: Bool[Tensor, " N"]
    masks: Masks | None = None

    def __post_init__(self) -> None:
        """Raise ValueError, with what was expected and what was found."""
        n = len(self.boxes)
        _require_tensor("boxes", self.boxes, torch.float32, (None, 4))
        _require_tensor("labels", self.labels, torch.int64, (n,))
        _require_tensor("ignore", self.ignore, torch.bool, (n,))
        if self.masks is not None:
            _require(len(self.masks) == n, "masks", str(n), len(self.masks))
        proper = (self.boxes[:, 2:] > self.boxes[:, :2]).all(dim=1)  # False for NaN too
        _require(bool(proper.all()), "boxes", "x2 > x1 and y2 > y1", self.boxes[~proper][:3].tolist())

    @staticmethod
    def of(boxes: object, labels: object, ignore: object = None) -> Target:
        """From anything that `torch.as_tensor` takes; nothing is ignored unless said."""
        rows = torch.as_tensor(boxes, dtype=torch.float32).reshape(-1, 4)
        flags = torch.zeros(len(rows)) if ignore is None else torch.as_tensor(ignore)
        return Target(rows, torch.as_tensor(labels, dtype=torch.int64).reshape(-1), flags.bool())

    def to(self, device: torch.device | str) -> Target:
        """The same labels on another device."""
        return Target(self.boxes.to(device), self.labels.to(device), self.ignore.to(device), self.masks)


@dataclass(frozen=True, slots=True)
class Detections:
    """What was found in one photo, best first.

    boxes:       (N, 4) xyxy in pixels of the photo, inside it
    scores:      (N,) float32 in 0..1, descending
    labels:      (N,) int64, 0..K-1
    class_names: the K names that `labels` counts
    size:        (height, width) of the photo
    masks:       of the N objects, in pixels of the photo; None from detectors that find boxes only
    """

    boxes: Float[Tensor, "N 4"]
    scores: Float[Tensor, " N"]
    labels: Int[Tensor, " N"]
    class_names: tuple[str, ...]
    size: tuple[int, int]
    masks: Masks | None = None

    def __post_init__(self) -> None:
        """Raise ValueError, with what was expected and what was found."""
        n, k = len(self.boxes), len(self.class_names)
        _require_tensor("boxes", self.boxes, torch.float32, (None, 4))
        _require_tensor("scores", self.scores, torch.float32, (n,))
        _require_tensor("labels", self.labels, torch.int64, (n,))
        if n:
            in_range = int(self.labels.min()) >= 0 and int(self.labels.max()) < k
            _require(in_range, "labels", f"0..{k - 1}", (int(self.labels.min()), int(self.labels.max())))
        if self.masks is not None:
            found = (len(self.masks), *self.masks.size)
            _require(found == (n, *self.size), "masks", str((n, *self.size)), found)

    def __len__(self) -> int:
        return len(self.boxes)

    @property
    def names(self) -> list[str]:
        """The class name of each detection."""
        return [self.class_names[label] for label in self.labels.tolist()]

    def above(self, score: float) -> Detections:
        """Only the detections with at least this score."""
        return self.rows(self.scores >= score)

    def rows(self, keep: Tensor) -> Detections:
        """Some of the detections: numbers or flags, in an order that keeps scores descending."""
        masks = None if self.masks is None else self.masks[keep.cpu().numpy()]
        parts = (self.boxes[keep], self.scores[keep], self.labels[keep])
        return Detections(*parts, self.class_names, self.size, masks)

    def to_supervision(self) -> supervision.Detections:
        """The same as `supervision.Detections`, with the class names in `data["class_name"]`."""
        import supervision

        return supervision.Detections(
            xyxy=self.boxes.cpu().numpy(),
            mask=None if self.masks is None else self.masks.dense(),
            confidence=self.scores.cpu().numpy(),
            class_id=self.labels.cpu().numpy(),
            data={"class_name": np.array(self.names, dtype=str)},
        )


IGNORED = 255  # of a pixel that nothing is said about


@dataclass(frozen=True, slots=True)
class SegmentationTarget:
    """What the labels say of every pixel of one photo.

    labels: (H, W) uint8, 0..K-1, or IGNORED
    """

    labels: UInt8[Tensor, "H W"]

    def __post_init__(self) -> None:
        """Raise ValueError, with what was expected and what was found."""
        _require_tensor("labels", self.labels, torch.uint8, (None, None))


@dataclass(frozen=True, slots=True)
class SegmentationMap:
    """The class of every pixel of one photo.

    labels:      (H, W) uint8, 0..K-1, as large as the photo
    class_names: the K names that `labels` counts
    """

    labels: UInt8[Tensor, "H W"]
    class_names: tuple[str, ...]

    def __post_init__(self) -> None:
        """Raise ValueError, with what was expected and what was found."""
        _require_tensor("labels", self.labels, torch.uint8, (None, None))
        highest, k = int(self.labels.max()) if self.labels.numel() else 0, len(self.class_names)
        _require(highest < k, "labels", f"0..{k - 1}", highest)

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of the photo."""
        return int(self.labels.shape[0]), int(self.labels.shape[1])

    def shares(self) -> dict[str, float]:
        """How much of the photo each class takes up, by name; the classes that occur, the largest first."""
        counts = torch.bincount(self.labels.flatten().long(), minlength=len(self.class_names))
        parts = dict(zip(self.class_names, (counts / max(1, self.labels.numel())).tolist(), strict=True))
        return {name: part for name, part in sorted(parts.items(), key=lambda item: -item[1]) if part}


@dataclass(frozen=True, slots=True)
class ClassificationTarget:
    """What the labels say of a photo as a whole: the number of its class, 0..K-1."""

    label: int

    def __post_init__(self) -> None:
        """Raise ValueError, with what was expected and what was found."""
        _require(self.label >= 0, "label", "0 or more", self.label)


@dataclass(frozen=True, slots=True)
class Classification:
    """What a photo as a whole shows.

    scores:      (K,) float32 in 0..1, one a class, that sum to 1
    class_names: the K names
    """

    scores: Float[Tensor, " K"]
    class_names: tuple[str, ...]

    def __post_init__(self) -> None:
        """Raise ValueError, with what was expected and what was found."""
        _require(len(self.class_names) > 0, "class_names", "at least one", 0)
        _require_tensor("scores", self.scores, torch.float32, (len(self.class_names),))
        total = float(self.scores.sum())
        sound = bool((self.scores >= 0).all()) and abs(total - 1) < 1e-3  # False for NaN, too
        _require(sound, "scores", "0 or more, and 1 in all", self.scores[:5].tolist())

    @property
    def label(self) -> int:
        """The number of the likeliest class; of equals the first."""
        return int(self.scores.argmax())

    @property
    def name(self) -> str:
        """The likeliest class."""
        return self.class_names[self.label]

    @property
    def score(self) -> float:
        """Of the likeliest class."""
        return float(self.scores[self.label])

    def top(self, count: int) -> list[tuple[str, float]]:
        """Names and scores of the `count` likeliest classes, the likeliest first; fewer if there are not so
        many.
        """
        order = self.scores.sort(descending=True, stable=True).indices[: max(0, count)]
        return [(self.class_names[label], float(self.scores[label])) for label in order.tolist()]
