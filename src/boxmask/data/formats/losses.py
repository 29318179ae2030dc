"""What most label formats cannot hold, in the same words for all of them."""

from __future__ import annotations

from collections.abc import Collection

from boxmask.data.formats.contract import ClassNames, Losses, PhotoToWrite
from boxmask.data.formats.labels import Labels
from boxmask.messages import format_count

CROWD = "crowd regions are written as objects"
DIFFICULT = "objects marked as difficult are written without this mark"
OUTLINES = "outlines are not written, only boxes"
SEVERAL_PARTS = "outlines of several parts are joined by thin lines"
WITHOUT_OBJECTS = "photos without objects are not named in the labels"


def note_unheld_marks(
    photo: PhotoToWrite,
    losses: Losses,
    *,
    crowd: bool = False,
    difficult: bool = False,
    attributes: Collection[str] = (),
    photo_attributes: Collection[str] = (),
) -> None:
    """Note the marks and attributes of a photo and its objects that a format does not hold.

    crowd, difficult:             whether the format holds these marks
    attributes, photo_attributes: the attributes that it holds
    """
    for name in photo.attributes:
        if name not in photo_attributes:
            losses.add_attribute(name, "photos", photo.file)
    for labeled in photo.objects:
        if labeled.crowd and not crowd:
            losses.add(CROWD, photo.file)
        if labeled.difficult and not difficult:
            losses.add(DIFFICULT, photo.file)
        for name in labeled.attributes:
            if name not in attributes:
                losses.add_attribute(name, "objects", photo.file)


def note_boxes_only(photo: PhotoToWrite, losses: Losses) -> None:
    """Note outlines, for formats that hold only boxes."""
    for labeled in photo.objects:
        if labeled.outline is not None:
            losses.add(OUTLINES, photo.file)


def note_unheld_classes(class_names: ClassNames, named: Collection[str], losses: Losses) -> None:
    """Note classes that a format does not name, and what it does not hold about any class.

    named: the classes that the written labels name
    """
    if others := [name for name in class_names if name not in named]:
        losses.add(f"classes without objects are not named in the labels: {', '.join(others)}", "")
    note_class_attributes(class_names, losses)


def note_class_attributes(class_names: ClassNames, losses: Losses, held: Collection[str] = ()) -> None:
    """Note the attributes of classes that a format does not hold.

    held: the attributes that it holds
    """
    for name in dict.fromkeys(name for fields in class_names.attributes.values() for name in fields):
        if name not in held:
            losses.add_attribute(name, "classes")


def note_unkept_elements(labels: Labels, losses: Losses) -> None:
    """Note the elements of label files that are not read, so that no format can hold them."""
    for name, count in labels.unkept.items():
        losses.add(f"the element {name} is not written (in {format_count(count, 'label file')})", "")
