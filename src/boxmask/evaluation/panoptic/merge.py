"""A photo divided into segments: objects one by one, and grounds; made from labels, or from what was found.

Two models are combined as in Kirillov, Girshick, He, Dollár, "Panoptic Feature Pyramid Networks", CVPR 2019,
arXiv 1901.02446 (section 3, "Panoptic inference"), after Kirillov et al., arXiv 1801.00868: of objects that
overlap the surer one keeps the pixels, objects come before grounds, and small grounds are dropped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int
from numpy.typing import NDArray

from boxmask.evaluation.detection.coco_masks import found_masks
from boxmask.masks import Masks
from boxmask.types import IGNORED, Detections, SegmentationMap, SegmentationTarget, Target

VOID = 0  # the segment of pixels that belong to none
NO_GROUND = -1


@dataclass(frozen=True)
class PanopticConfig:
    """What is kept of a detector's and a segmenter's findings; the numbers of the authors' panopticapi."""

    min_score: float = 0.5  # of a detection
    max_hidden: float = 0.5  # of a detection's pixels, by surer ones; more, and it is dropped
    min_ground: int = 64 * 64  # pixels of a ground in a photo; fewer, and they become void
    other: tuple[str, ...] = ()  # grounds that mean nothing in particular: they become void


@dataclass(frozen=True, eq=False)
class PanopticMap:
    """S segments of one photo.

    segments:    (H, W) int32, VOID or 1..S
    labels:      (S,) int64, the class of each segment
    crowd:       (S,) bool, regions of uncounted objects; only labels have them
    class_names: the K names that `labels` counts: things first, then stuff
    things:      (K,) which classes are objects
    """

    segments: Int[np.ndarray, "H W"]
    labels: Int[np.ndarray, " S"]
    crowd: Bool[np.ndarray, " S"]
    class_names: tuple[str, ...]
    things: tuple[bool, ...]


def combine(
    detections: Detections, grounds: SegmentationMap, config: PanopticConfig | None = None
) -> PanopticMap:
    """What a detector with masks and a segmenter say of the same photo, as one map.

    Classes are matched by name: where the segmenter sees a class of the detector and no object lies, nothing
    is said. Raises ValueError where the sizes differ, or the detector has found boxes only.
    """
    config = PanopticConfig() if config is None else config
    kept = detections.filter(min_score=config.min_score)
    masks = found_masks(kept.masks)
    _require_size(masks, grounds.size)
    canvas, rows = _painted(masks, np.arange(len(masks)), config.max_hidden)
    labels, flags = kept.labels.cpu().numpy()[rows], np.zeros(len(rows), dtype=np.bool_)
    classes = (detections.class_names, grounds.class_names, config.other)
    return _with_grounds(canvas, labels, flags, grounds.labels.cpu().numpy(), classes, config.min_ground)


def labeled_map(
    target: Target,
    class_names: Sequence[str],
    pixels: SegmentationTarget,
    pixel_names: Sequence[str],
    other: Sequence[str] = (),
) -> PanopticMap:
    """What the labels say of a photo: its objects and the class of each pixel.

    Of objects that overlap the smaller one lies on top. Those of `ignore` become crowd regions; an object
    without outline, and pixels whose class is an object's or not known, stay void. Raises ValueError where
    the sizes differ.
    """
    height, width = pixels.labels.shape
    masks = Masks.unknown(len(target.labels), (height, width)) if target.masks is None else target.masks
    _require_size(masks, (height, width))
    canvas, rows = _painted(masks, np.argsort(masks.areas(), kind="stable"), max_hidden=1.0)
    labels, crowd = target.labels.cpu().numpy()[rows], target.ignore.cpu().numpy()[rows]
    classes = (tuple(class_names), tuple(pixel_names), tuple(other))
    return _with_grounds(canvas, labels, crowd, pixels.labels.cpu().numpy(), classes, min_ground=0)


def _require_size(masks: Masks, size: tuple[int, int]) -> None:
    if masks.size != size:
        raise ValueError(f"size: expected that of the pixels, {size}, found masks of {masks.size}")


def _painted(
    masks: Masks, order: NDArray[np.int64], max_hidden: float
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Segments 1..S painted under one another, and the row of each."""
    canvas = np.full(masks.size, VOID, dtype=np.int32)
    crops, windows, kept = masks.crops(), masks.windows.tolist(), []
    for row in order.tolist():
        x1, y1, x2, y2 = windows[row]
        view = canvas[y1:y2, x1:x2]
        free = crops[row] & (view == VOID)
        pixels, seen = int(crops[row].sum()), int(free.sum())
        if seen and pixels - seen <= max_hidden * pixels:
            kept.append(row)
            view[free] = len(kept)
    return canvas, np.array(kept, dtype=np.int64)


def _with_grounds(
    canvas: NDArray[np.int32],
    labels: NDArray[np.int64],
    crowd: NDArray[np.bool_],
    pixels: NDArray[np.uint8],
    classes: tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]],
    min_ground: int,
) -> PanopticMap:
    """Fill what the objects have left with one segment for each class of ground."""
    objects, seen, other = classes
    stuff = tuple(name for name in seen if name not in objects and name not in other)
    names = objects + stuff
    place = np.full(IGNORED + 1, NO_GROUND, dtype=np.int64)
    place[: len(seen)] = [names.index(name) if name in stuff else NO_GROUND for name in seen]
    grounds = np.where(canvas == VOID, place[pixels], NO_GROUND)
    found = []
    for label in range(len(objects), len(names)):
        here = grounds == label
        if here.sum() >= max(1, min_ground):
            found.append(label)
            canvas[here] = len(labels) + len(found)
    return PanopticMap(
        canvas,
        np.concatenate([labels, np.array(found, dtype=np.int64)]),
        np.concatenate([crowd, np.zeros(len(found), dtype=np.bool_)]),
        names,
        (True,) * len(objects) + (False,) * len(stuff),
    )
