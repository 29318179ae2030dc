"""What formats of drawing tools cannot hold about outlines, and their parts as they can hold them."""

from __future__ import annotations

import numpy as np

from boxmask.data.formats.contract import Losses, ObjectToWrite
from boxmask.data.outlines import Ellipse, Outline, Polygons, RotatedBox, RunLengths, fill
from boxmask.geometry import rle
from boxmask.masks import Masks, Size

_BOXES = "boxes that differ from their outlines by over a pixel are not written"
_EMPTY = "outlines without pixels are not written"
ELLIPSES = "ellipses are written as polygons"
HOLES_AS_PIXELS = "outlines with holes are written as masks of their pixels, without their points"


def needs_pixels(outline: Outline) -> bool:
    """Whether an outline is to be written as pixels: a mask, or polygons with holes."""
    return isinstance(outline, RunLengths) or (isinstance(outline, Polygons) and bool(outline.holes))


def pixels_of(outline: Outline, size: Size, losses: Losses, photo: str) -> Masks | None:
    """The pixels of an outline as one mask over a photo of (height, width); None if it covers none."""
    if isinstance(outline, Polygons) and outline.holes:
        losses.add(HOLES_AS_PIXELS, photo)
    masks = rle.decode([fill(outline, size, size).astype(np.int64)], size)
    if not masks.known[0]:
        losses.add(_EMPTY, photo)
        return None
    return masks


def polygons_of(outline: Polygons | Ellipse | RotatedBox, losses: Losses, photo: str) -> Polygons:
    """An outline as polygons."""
    if isinstance(outline, Ellipse):
        losses.add(ELLIPSES, photo)
    return outline.polygons()


def note_other_box(
    labeled: ObjectToWrite, size: Size, losses: Losses, photo: str, masks: Masks | None = None
) -> None:
    """Note a box that is not that of the outline within the photo, for formats that write either.

    masks: the pixels of the outline, if it is written so
    """
    outline = labeled.outline
    if masks is not None:
        bounds = masks.windows[0].astype(np.float64)
    elif outline is None or isinstance(outline, RunLengths):
        return
    else:
        bounds = np.clip(outline.bounds(), 0, (size[1], size[0], size[1], size[0]))
    if np.abs(np.array(labeled.box) - bounds).max() > 1:
        losses.add(_BOXES, photo)
