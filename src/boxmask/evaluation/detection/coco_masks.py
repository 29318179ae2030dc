"""The outlines of labeled objects and of detections as they are judged, and in COCO's compressed form.

An object whose outline is not known can be neither found nor missed by its outline: it stands in as a crowd
region as large as its box. It then takes any detections that lie in it, which count neither for nor against;
were it matched by IoU, a perfect mask would overlap the box too little and count against.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from hotcoco import mask as hotcoco_mask
from numpy.typing import NDArray

from boxmask.data.detection.dataset import DetectionDataset
from boxmask.geometry.rle import encode
from boxmask.masks import Masks, Size

RunLengths = dict[str, Any]
"""pycocotools' run lengths: {"size": [height, width], "counts": compressed string}."""


def compressed(masks: Masks) -> list[RunLengths]:
    """Each mask as pycocotools reads it and as COCO's JSON holds it; one mask is looked at at a time."""
    return [_compressed(counts, masks.size) for counts in encode(masks)]


def _compressed(counts: NDArray[np.int64] | NDArray[np.int32], size: Size) -> RunLengths:
    plain = {"size": list(size), "counts": counts}
    return plain | {"counts": hotcoco_mask.rle_to_string(plain)}


def object_masks(dataset: DetectionDataset, photo: int) -> Masks:
    """The outlines of a photo's objects; the whole box where the outline is not known."""
    rows = dataset.rows(photo)
    height, width = dataset.sizes[photo].tolist()
    boxed = filled_boxes(dataset.boxes[rows], (height, width))
    outlines = dataset.masks(photo)
    if outlines is None:
        return boxed
    known = dataset.has_mask[rows]
    masks = Masks.concatenate([outlines, boxed], boxed.size)
    count = len(known)
    return masks[np.where(known, np.arange(count), np.arange(count) + count)]


def object_outlines(dataset: DetectionDataset, photo: int) -> list[RunLengths]:
    """The same as `object_masks`, compressed; known outlines as they are, without a look at their pixels."""
    rows = dataset.rows(photo)
    height, width = dataset.sizes[photo].tolist()
    known, spans = dataset.has_mask[rows], dataset.run_offsets[rows.start : rows.stop + 1].tolist()
    boxed = iter(compressed(filled_boxes(dataset.boxes[rows][~known], (height, width))))
    return [
        _compressed(dataset.runs[spans[i] : spans[i + 1]], (height, width)) if outlined else next(boxed)
        for i, outlined in enumerate(known.tolist())
    ]


def filled_boxes(boxes: NDArray[np.float32], size: Size) -> Masks:
    """Every pixel that a box (N, 4) touches."""
    low, high = np.floor(boxes[:, :2]).astype(int), np.ceil(boxes[:, 2:]).astype(int)
    sides = np.maximum(high - low, 0).tolist()
    crops = [np.ones((height, width), dtype=np.bool_) for width, height in sides]
    return Masks.from_crops(crops, [(x, y) for x, y in low.tolist()], size)


def found_masks(masks: Masks | None) -> Masks:
    """The masks of detections; ValueError where a detector has found boxes only."""
    if masks is None:
        raise ValueError("masks: expected one for each detection, found boxes only")
    return masks
