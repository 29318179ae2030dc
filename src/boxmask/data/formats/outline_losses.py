"""Outlines in the forms that label formats can hold, and what is lost on the way."""

from __future__ import annotations

import numpy as np

from boxmask.data.formats.contract import Losses, ObjectToWrite
from boxmask.data.formats.losses import SEVERAL_PARTS
from boxmask.data.outline_tracing import single_ring
from boxmask.data.outlines import Ellipse, Outline, Points, Polygons, RotatedBox, RunLengths, fill
from boxmask.geometry import rle
from boxmask.masks import Masks, Size

ELLIPSES = "ellipses are written as polygons"
HOLES_AS_PIXELS = "outlines with holes are written as masks of their pixels, without their points"
HOLES_JOINED = "holes in outlines are joined to their edge by thin lines"
MASKS = "masks are written as polygons along the edges of their pixels"
NO_PIXELS = "outlines without pixels are not written, only boxes"
OTHER_BOXES = "boxes that differ from their outlines by over a pixel are not written"
ROTATED_BOXES = "rotated boxes are written as polygons"


def needs_pixels(outline: Outline | None, *, holds_parts: bool = True) -> bool:
    """Whether an outline must be written as pixels: a mask, or polygons that the format cannot hold.

    holds_parts: whether the format holds outlines of several polygons. None holds polygons with holes.
    """
    if isinstance(outline, Polygons):
        return bool(outline.holes) or (len(outline.parts) > 1 and not holds_parts)
    return isinstance(outline, RunLengths)


def pixels_of(
    outline: Outline, size: Size, losses: Losses, photo: str, polygons_as_pixels: str = HOLES_AS_PIXELS
) -> Masks | None:
    """The pixels of an outline as one mask over a photo of (height, width); None if it covers none.

    polygons_as_pixels: the loss if the outline consists of polygons
    """
    if isinstance(outline, Polygons):
        losses.add(polygons_as_pixels, photo)
    masks = rle.decode([fill(outline, size, size).astype(np.int64)], size)
    if not masks.known[0]:
        losses.add(NO_PIXELS, photo)
        return None
    return masks


def polygons_of(outline: Polygons | Ellipse | RotatedBox, losses: Losses, photo: str) -> Polygons:
    """An outline as polygons."""
    if isinstance(outline, Ellipse):
        losses.add(ELLIPSES, photo)
    return outline.polygons()


def ring_of(outline: Outline, size: Size, losses: Losses, photo: str) -> Points | None:
    """An outline as one ring of points, for formats that hold one polygon per object.

    Returns None if the outline covers no pixel of a photo of (height, width).
    """
    ring = single_ring(outline, size)
    if not len(ring):
        losses.add(NO_PIXELS, photo)
        return None
    if isinstance(outline, Polygons):
        if outline.holes:
            losses.add(HOLES_JOINED, photo)
        if len(outline.parts) > 1:
            losses.add(SEVERAL_PARTS, photo)
    elif isinstance(outline, Ellipse):
        losses.add(ELLIPSES, photo)
    elif isinstance(outline, RunLengths):
        losses.add(MASKS, photo)
    return ring


def note_other_box(
    labeled: ObjectToWrite, size: Size, losses: Losses, photo: str, masks: Masks | None = None
) -> None:
    """Note a box that differs from the bounds of its outline, for formats that write one of the two.

    masks: the pixels of the outline, if it is written as a mask
    """
    outline = labeled.outline
    if masks is not None:
        bounds = masks.windows[0].astype(np.float64)
    elif outline is None or isinstance(outline, RunLengths):
        return
    else:
        bounds = np.clip(outline.bounds(), 0, (size[1], size[0], size[1], size[0]))
    if np.abs(np.array(labeled.box) - bounds).max() > 1:
        losses.add(OTHER_BOXES, photo)
