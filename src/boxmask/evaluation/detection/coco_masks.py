"""Masks of objects and detections in COCO's compressed form.

An object whose mask is unknown can be neither found nor missed by its mask. It becomes a crowd region as
large as its box: detections inside it count neither for nor against. If it were matched by IoU instead, even
a perfect mask could overlap the box too little and count against.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from hotcoco import mask as hotcoco_mask
from jaxtyping import Float, Int

from boxmask.data.detection.dataset import DetectionDataset
from boxmask.geometry.rle import encode
from boxmask.masks import Masks, Size

CocoRle = dict[str, Any]
"""pycocotools' run lengths: {"size": [height, width], "counts": compressed string}."""


def to_coco_rle(masks: Masks) -> list[CocoRle]:
    """Each mask as pycocotools reads it and COCO's JSON holds it."""
    return [_compress(counts, masks.size) for counts in encode(masks)]


def _compress(counts: Int[np.ndarray, " R"], size: Size) -> CocoRle:
    uncompressed = {"size": list(size), "counts": counts}
    return uncompressed | {"counts": hotcoco_mask.rle_to_string(uncompressed)}


def object_masks(dataset: DetectionDataset, photo: int) -> Masks:
    """The masks of the objects of a photo. An object whose mask is unknown has its whole box."""
    rows = dataset.rows(photo)
    height, width = dataset.sizes[photo].tolist()
    boxes = filled_boxes(dataset.boxes[rows], (height, width))
    masks = dataset.masks(photo)
    if masks is None:
        return boxes
    known = dataset.has_mask[rows]
    index = np.arange(len(known))
    return Masks.concatenate([masks, boxes], boxes.size)[np.where(known, index, index + len(known))]


def object_rles(dataset: DetectionDataset, photo: int) -> list[CocoRle]:
    """`object_masks`, compressed. The run lengths of known masks are used as they are, without decoding."""
    rows = dataset.rows(photo)
    height, width = dataset.sizes[photo].tolist()
    known, spans = dataset.has_mask[rows], dataset.run_offsets[rows.start : rows.stop + 1].tolist()
    boxes = iter(to_coco_rle(filled_boxes(dataset.boxes[rows][~known], (height, width))))
    return [
        _compress(dataset.runs[spans[i] : spans[i + 1]], (height, width)) if is_known else next(boxes)
        for i, is_known in enumerate(known.tolist())
    ]


def filled_boxes(boxes: Float[np.ndarray, "N 4"], size: Size) -> Masks:
    """Masks of every pixel that a box touches: (N, 4) -> N masks."""
    low, high = np.floor(boxes[:, :2]).astype(int), np.ceil(boxes[:, 2:]).astype(int)
    sides = np.maximum(high - low, 0).tolist()
    crops = [np.ones((height, width), dtype=np.bool_) for width, height in sides]
    return Masks.from_crops(crops, [(x, y) for x, y in low.tolist()], size)


def require_masks(masks: Masks | None) -> Masks:
    """The masks of detections. Raises ValueError if the detector found boxes only."""
    if masks is None:
        raise ValueError("masks: expected one per detection, found boxes only")
    return masks
