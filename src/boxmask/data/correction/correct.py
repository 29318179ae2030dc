"""Open the label file of a photo, correct its objects, and check the result before it is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from boxmask.data.correction.coco import CocoLabels
from boxmask.data.correction.label_text import LabelText
from boxmask.data.correction.labelme import LabelmeLabels
from boxmask.data.correction.objects import FileObject, PhotoLabels, Shape, ShapeKind, WantedObject
from boxmask.data.correction.voc import VocLabels
from boxmask.data.correction.yolo import YoloLabels
from boxmask.data.findings import Box
from boxmask.data.formats import coco, labelme, voc, yolo
from boxmask.data.formats.contract import Format
from boxmask.errors import LabelError
from boxmask.masks import Size

SHAPES_OF_FORMAT: tuple[tuple[Format, tuple[ShapeKind, ...]], ...] = (
    (coco, ("box", "polygon")),
    (yolo, ("box", "polygon")),
    (labelme, ("box", "polygon")),
    (voc, ("box",)),
)
"""The formats whose files can be corrected, and the shapes that they hold."""

_SLACK = 1e-3
"""Pixels by which a box that was read again may differ."""
_WHOLE_SLACK = 1.01
"""The same in files of whole numbers, in which a box has at least one pixel."""


@dataclass(frozen=True)
class PhotoPlace:
    """Where the labels of a photo are.

    file:      the label file
    size:      (height, width) of the photo as shown
    image:     of COCO files, the index of the photo among the images
    numbers:   of YOLO files, the numbers of the classes, by name
    keypoints: of YOLO files, the numbers per line beyond the box
    """

    form: Format
    file: Path
    size: Size
    image: int = 0
    numbers: Mapping[str, int] = field(default_factory=dict)
    keypoints: int = 0


def shapes_of(form: Format | None) -> tuple[ShapeKind, ...]:
    """The shapes that can be corrected in a format; none if its files are not corrected here."""
    return next((shapes for known, shapes in SHAPES_OF_FORMAT if known is form), ())


def open_labels(place: PhotoPlace, text: LabelText) -> PhotoLabels:
    """The labels of a photo.

    text: of the file

    Raises LabelError for a file that cannot be read or written back, and for other formats.
    """
    if place.form is coco:
        return CocoLabels(text, place.size, place.image)
    if place.form is yolo:
        return YoloLabels(text, place.size, place.numbers, place.keypoints)
    if place.form is labelme:
        return LabelmeLabels(text)
    if place.form is voc:
        return VocLabels(text, place.size)
    raise LabelError.in_file(
        place.file, f"{place.form.NAME} is not corrected here. Convert it to COCO first."
    )


@dataclass(frozen=True)
class Correction:
    """The content of a corrected label file, and the objects of the photo as it holds them."""

    content: bytes
    objects: Sequence[FileObject]


def correct(
    place: PhotoPlace, labels: PhotoLabels, text: LabelText, wanted_objects: Sequence[WantedObject]
) -> Correction:
    """Correct the objects of a photo.

    The result is read again: it must hold what was wanted, and what was not touched must be the same. Raises
    LabelError otherwise, and for what the format cannot hold.
    """
    content = labels.corrected(wanted_objects)
    data = content[len(text.mark) :].decode(text.encoding).encode()
    written = open_labels(place, LabelText(place.file, data, text.encoding, text.mark)).objects
    kept = sorted(
        (wanted for wanted in wanted_objects if wanted.number is not None),
        key=lambda wanted: int(wanted.number or 0),
    )
    expected = [*kept, *(wanted for wanted in wanted_objects if wanted.number is None)]
    old_objects = list(labels.objects)
    if len(written) != len(expected):
        raise _unlike(place, f"would hold {len(written)} objects of this photo instead of {len(expected)}")
    slack = _WHOLE_SLACK if place.form is voc else _SLACK
    for number, (wanted, found) in enumerate(zip(expected, written, strict=True), start=1):
        old = None if wanted.number is None else old_objects[wanted.number]
        if not _is_as_wanted(wanted, found, old, slack):
            raise _unlike(place, f"would hold another object {number} than the one that was drawn")
    return Correction(content, written)


def _unlike(place: PhotoPlace, reason: str) -> LabelError:
    return LabelError.in_file(
        place.file, f"was not changed: with these corrections, it {reason}. Correct it with a labeling tool."
    )


def _is_as_wanted(wanted: WantedObject, found: FileObject, old: FileObject | None, slack: float) -> bool:
    if found.class_name != wanted.class_name:
        return False
    if wanted.shape is None or (old is not None and wanted.shape == old.shape):
        return old is not None and found.shape == old.shape and found.box == old.box
    return found.shape is not None and is_close(found.shape, wanted.shape, slack)


def is_close(shape: Shape, other: Shape, slack: float = _SLACK) -> bool:
    """Whether two shapes are the same, but for rounding."""
    if shape.kind != other.kind:
        return False
    if shape.kind == "box":
        return are_boxes_close(shape.bounds, other.bounds, slack)
    pairs = zip(shape.points, other.points, strict=False)
    is_equal = all(abs(x - u) <= slack and abs(y - v) <= slack for (x, y), (u, v) in pairs)
    return len(shape.points) == len(other.points) and is_equal


def are_boxes_close(box: Box, other: Box, slack: float = _SLACK) -> bool:
    """Whether two boxes are the same, but for rounding."""
    return all(abs(edge - edge_of_other) <= slack for edge, edge_of_other in zip(box, other, strict=True))
