"""Outlines as the "segmentation" of COCO annotations."""

from __future__ import annotations

import numpy as np
from hotcoco import mask as hotcoco_mask
from jaxtyping import Int

from boxmask.data.formats.contract import Losses, ObjectToWrite
from boxmask.data.formats.numbers import short_number
from boxmask.data.formats.outline_losses import ELLIPSES, ROTATED_BOXES, needs_pixels
from boxmask.data.outlines import Ellipse, Polygons, RotatedBox, RunLengths, fill
from boxmask.masks import Size

_HOLES = "outlines with holes are written as run lengths of their pixels, without their points"


def segmentation(labeled: ObjectToWrite, size: Size, losses: Losses, photo: str) -> object:
    """Polygons as [[x, y, ...], ...]; outlines with holes and masks as run lengths; None without an outline.

    Run lengths are compressed, except those of crowd regions: COCO's own files write them so.
    """
    outline = labeled.outline
    if outline is None:
        return None
    if needs_pixels(outline):
        if isinstance(outline, Polygons):
            losses.add(_HOLES, photo)
        return _run_lengths(fill(outline, size, size), size, compressed=not labeled.crowd)
    assert not isinstance(outline, RunLengths)
    if isinstance(outline, Ellipse | RotatedBox):
        losses.add(ELLIPSES if isinstance(outline, Ellipse) else ROTATED_BOXES, photo)
    return [[short_number(value) for value in part.ravel().tolist()] for part in outline.polygons().parts]


def mask_area(labeled: ObjectToWrite, size: Size) -> int | None:
    """Pixels of an object's mask; None without an outline."""
    return None if labeled.outline is None else int(fill(labeled.outline, size, size)[1::2].sum())


def _run_lengths(counts: Int[np.ndarray, " R"], size: Size, *, compressed: bool) -> dict[str, object]:
    if not compressed:
        return {"size": list(size), "counts": counts.tolist()}
    text = hotcoco_mask.rle_to_string({"size": list(size), "counts": counts})
    return {"size": list(size), "counts": text}
