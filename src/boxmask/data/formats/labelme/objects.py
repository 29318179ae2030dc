"""The box or outline of an object that consists of one or several LabelMe shapes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from boxmask.data.findings import Box
from boxmask.data.formats.labelme.mask_png import read_mask
from boxmask.data.formats.labelme.shapes import MaskText, Shape
from boxmask.data.formats.object_rows import ObjectRows
from boxmask.data.outlines import FewPointsError, Outline, Polygons, RunLengths, fill
from boxmask.geometry import rle
from boxmask.masks import Masks, Size


def add_object(rows: ObjectRows, photo: int, shapes: Sequence[Shape], size: Callable[[], Size]) -> None:
    """Add an object to the rows.

    size: of the photo that the labels are written for; raises ValueError if it is unknown
    """
    first = shapes[0]
    attributes = first.attributes
    if len(shapes) > 1:
        for shape in shapes[1:]:
            attributes = shape.attributes | attributes
        rows.add(photo, first.label, outline=_joined(shapes, size), attributes=attributes)
        return
    if first.group is not None:
        attributes["group"] = first.group
    outline = first.outline
    if isinstance(outline, MaskText):
        mask = outline
        rows.add(
            photo,
            first.label,
            outline=lambda: read_mask(mask.text, mask.corners, size()),
            attributes=attributes,
        )
        return
    rows.add(photo, first.label, box=first.box, outline=outline, attributes=attributes)


def _joined(shapes: Sequence[Shape], size: Callable[[], Size]) -> Outline | Callable[[], Outline]:
    """Polygons, or a mask if one of the shapes is a mask or is not in order."""
    if any(isinstance(shape.outline, MaskText) or not _is_polygon(shape) for shape in shapes):
        return lambda: _united(shapes, size())
    return Polygons(tuple(part for shape in shapes for part in _polygons(shape).parts))


def _is_polygon(shape: Shape) -> bool:
    """Whether a shape is a finite polygon or can stand as one."""
    outline = shape.outline
    if isinstance(outline, Sequence):
        return len(outline) >= 6 and bool(np.isfinite(outline).all())
    return True


def _polygons(shape: Shape) -> Polygons:
    """Raises FewPointsError for a polygon of fewer than 3 points, ValueError if one of them is not finite."""
    outline = shape.outline
    assert not isinstance(outline, MaskText | RunLengths)
    if outline is None:
        assert shape.box is not None
        return _polygon_of_box(shape.box)
    if isinstance(outline, Sequence):
        if len(outline) < 6:
            raise FewPointsError(f"a polygon of {len(outline) // 2} points; it needs at least 3")
        if not np.isfinite(outline).all():
            raise ValueError("a polygon with a number that is not finite")
        return Polygons((np.array(outline).reshape(-1, 2),))
    return outline.polygons()


def _polygon_of_box(box: Box) -> Polygons:
    x1, y1, x2, y2 = box
    return Polygons((np.array([[x1, y1], [x2, y1], [x2, y2], [x1, y2]], dtype=np.float64),))


def _united(shapes: Sequence[Shape], size: Size) -> RunLengths:
    """The pixels of all shapes over a photo of (height, width)."""
    filled = [
        read_mask(shape.outline.text, shape.outline.corners, size).counts
        if isinstance(shape.outline, MaskText)
        else fill(_polygons(shape), size, size)
        for shape in shapes
    ]
    pixels = rle.decode([counts.astype(np.int64) for counts in filled], size).dense()
    united = np.asarray(pixels.any(axis=0, keepdims=True))
    return RunLengths(rle.encode(Masks.from_dense(united))[0], size)
