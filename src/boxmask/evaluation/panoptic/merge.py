"""Divide a photo into segments: objects ("things") and background classes ("stuff").

A panoptic map is made from labels, or from the results of a detector and a segmenter. The latter follows
Kirillov, Girshick, He, Dollár, "Panoptic Feature Pyramid Networks", CVPR 2019, arXiv 1901.02446 (section 3,
"Panoptic inference"), after Kirillov et al., arXiv 1801.00868: where objects overlap, the one with the higher
score keeps the pixels; objects lie above stuff; small stuff segments are dropped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int, Int32, UInt8

from boxmask.evaluation.detection.coco_masks import require_masks
from boxmask.masks import Masks
from boxmask.types import IGNORED, Detections, SegmentationMap, SegmentationTarget, Target

VOID = 0  # the segment number of pixels outside all segments
NOT_STUFF = -1


@dataclass(frozen=True)
class PanopticConfig:
    """What is kept of the results of a detector and a segmenter. Defaults are those of panopticapi."""

    min_score: float = 0.5  # of a detection
    max_hidden: float = 0.5  # share of a detection hidden by higher scores; it is dropped above that
    min_stuff_area: int = 64 * 64  # pixels of a stuff class in a photo; void below that
    void_classes: tuple[str, ...] = ()  # classes of the segmenter that become void


@dataclass(frozen=True, eq=False)
class PanopticMap:
    """S segments of one photo.

    segments:    (H, W) int32, VOID or 1..S
    labels:      (S,) int64, the class of each segment
    crowd:       (S,) bool, crowd regions; only in maps from labels
    class_names: the K names that `labels` index: things first, then stuff
    things:      (K,) whether each class is a thing
    """

    segments: Int[np.ndarray, "H W"]
    labels: Int[np.ndarray, " S"]
    crowd: Bool[np.ndarray, " S"]
    class_names: tuple[str, ...]
    things: tuple[bool, ...]


def panoptic_map(
    detections: Detections, label_map: SegmentationMap, config: PanopticConfig | None = None
) -> PanopticMap:
    """Merge the detections, with masks, and the label map of one photo.

    Classes are matched by name. Pixels that the label map assigns to a class of the detector, but where no
    object lies, become void. Raises ValueError if the sizes differ, or if the detector found boxes only.
    """
    config = PanopticConfig() if config is None else config
    kept = detections.filter(min_score=config.min_score)
    masks = require_masks(kept.masks)
    _check_size(masks, label_map.size)
    segments, rows = _paint(masks, np.arange(len(masks)), config.max_hidden)
    labels, crowd = kept.labels[rows], np.zeros(len(rows), dtype=np.bool_)
    classes = _Classes(detections.class_names, label_map.class_names, config.void_classes)
    return _add_stuff(segments, labels, crowd, label_map.labels, classes, config.min_stuff_area)


def panoptic_map_from_labels(
    target: Target,
    class_names: Sequence[str],
    label_map: SegmentationTarget,
    label_map_names: Sequence[str],
    void_classes: Sequence[str] = (),
) -> PanopticMap:
    """Merge the labeled objects and the labeled pixels of one photo.

    Where objects overlap, the smaller one lies on top. Ignored objects become crowd regions. Objects without
    a mask, pixels of an object's class and ignored pixels stay void. Raises ValueError if the sizes differ.
    """
    height, width = label_map.labels.shape
    masks = Masks.unknown(len(target.labels), (height, width)) if target.masks is None else target.masks
    _check_size(masks, (height, width))
    smallest_first = np.argsort(masks.areas(), kind="stable")
    segments, rows = _paint(masks, smallest_first, max_hidden=1.0)
    labels, crowd = target.labels.cpu().numpy()[rows], target.ignore.cpu().numpy()[rows]
    classes = _Classes(tuple(class_names), tuple(label_map_names), tuple(void_classes))
    return _add_stuff(segments, labels, crowd, label_map.labels.cpu().numpy(), classes, min_area=0)


@dataclass(frozen=True)
class _Classes:
    """The classes of the objects, those of the label map, and which of the latter are void."""

    objects: tuple[str, ...]
    label_map: tuple[str, ...]
    void: tuple[str, ...]

    @property
    def stuff(self) -> tuple[str, ...]:
        return tuple(name for name in self.label_map if name not in self.objects and name not in self.void)


def _check_size(masks: Masks, size: tuple[int, int]) -> None:
    if masks.size != size:
        raise ValueError(f"masks: expected the size of the label map {size}, found {masks.size}")


def _paint(
    masks: Masks, order: Int[np.ndarray, " N"], max_hidden: float
) -> tuple[Int32[np.ndarray, "H W"], Int[np.ndarray, " S"]]:
    """Paint masks below one another as segments 1..S. Returns the segments and the mask of each."""
    segments = np.full(masks.size, VOID, dtype=np.int32)
    crops, windows = masks.crops(), masks.windows.tolist()
    kept: list[int] = []
    for row in order.tolist():
        x1, y1, x2, y2 = windows[row]
        view = segments[y1:y2, x1:x2]
        free = crops[row] & (view == VOID)
        area, visible = int(crops[row].sum()), int(free.sum())
        if visible and area - visible <= max_hidden * area:
            kept.append(row)
            view[free] = len(kept)
    return segments, np.array(kept, dtype=np.int64)


def _add_stuff(
    segments: Int32[np.ndarray, "H W"],
    labels: Int[np.ndarray, " S"],
    crowd: Bool[np.ndarray, " S"],
    pixels: UInt8[np.ndarray, "H W"],
    classes: _Classes,
    min_area: int,
) -> PanopticMap:
    """Fill the pixels outside all objects with one segment per stuff class, in place."""
    num_things, names = len(classes.objects), classes.objects + classes.stuff
    table = np.full(IGNORED + 1, NOT_STUFF, dtype=np.int64)
    for label, name in enumerate(classes.label_map):
        table[label] = names.index(name) if name in classes.stuff else NOT_STUFF
    stuff = np.where(segments == VOID, table[pixels], NOT_STUFF)
    added: list[int] = []
    for label in range(num_things, len(names)):
        area = stuff == label
        if area.sum() >= max(1, min_area):
            added.append(label)
            segments[area] = len(labels) + len(added)
    return PanopticMap(
        segments,
        np.concatenate([labels, np.array(added, dtype=np.int64)]),
        np.concatenate([crowd, np.zeros(len(added), dtype=np.bool_)]),
        names,
        tuple(label < num_things for label in range(len(names))),
    )
